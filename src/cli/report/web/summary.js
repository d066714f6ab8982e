// The summary: the words and the order of what the program prints.

function summaryView(params) {
  const { counts } = core.run;
  const formulas = upTo(familiesListed()).filter((row) => kind(row) === 'formula');
  const passages = upTo(familiesListed()).filter((row) => kind(row) !== 'formula');
  return [
    h('h1', null, said(title())),
    headline(),
    ledger(counts),
    passages.length > 0 &&
      section(
        'Most repeated passages',
        passageTable(passages.slice(0, 10), { label: 'Most repeated passages', plain: true }).node,
        passages.length > 10 &&
          h(
            'p',
            null,
            h(
              'a',
              { href: to('passages', { q: '-kind:formula' }) },
              `All ${count(core.totals.families - core.totals.formulas)} passages`,
            ),
          ),
      ),
    formulas.length > 0 &&
      section(
        'Set phrases',
        h('p.hint', null, 'Short and frequent, as names with their titles are; counted as unique.'),
        passageTable(formulas.slice(0, 3), { label: 'Set phrases', plain: true }).node,
        formulas.length > 3 &&
          h(
            'p',
            null,
            h(
              'a',
              { href: to('passages', { q: 'kind:formula' }) },
              `All ${count(core.totals.formulas)} set phrases`,
            ),
          ),
      ),
    core.clusters.leader.length > 0 &&
      section(
        'Largest clusters of near-duplicates',
        clusterList(clustersBySize().slice(0, 5)),
        h('p', null, h('a', { href: to('pairs') }, 'All near-duplicates')),
      ),
    originalities(params),
    skippedInputs(),
  ];
}

const title = () => core.run.title;

function headline() {
  const { counts } = core.run;
  const { formulas } = core.totals;
  const dates = upTo(core.judged).filter((doc) => docs.time[doc] !== null);
  const first = dates.reduce(
    (best, doc) => (best === null || docs.time[doc] < docs.time[best] ? doc : best),
    null,
  );
  const last = dates.reduce(
    (best, doc) => (best === null || docs.time[doc] > docs.time[best] ? doc : best),
    null,
  );
  const near = core.totals.members;
  const own = counts.labels[0] + counts.labels[1];
  return figures([
    ['documents', count(counts.documents), MEANS.documents],
    counts.references > 0 && [
      'set against',
      count(counts.references),
      'Documents of another collection, which are not judged.',
    ],
    ['tokens', count(counts.tokens), MEANS.tokens],
    ['text', size(counts.bytes), MEANS.text],
    first !== null && [
      'dates',
      `${line(docs.date[first])} – ${line(docs.date[last])}`,
      'The earliest and the latest date of the documents listed here.',
    ],
    core.sources.length > 0 && ['sources', count(core.sources.length), 'Publishers, sites or series.'],
    ['original', percent(share(own, counts.weight - counts.labels[8])), MEANS.originality],
    [
      'recurring passages',
      count(core.totals.families - formulas),
      'Texts that stand in two or more places, set phrases apart.',
    ],
    formulas > 0 && ['set phrases', count(formulas), KINDS[5].meaning],
    [
      'near-duplicates',
      near ? `${count(near)} in ${many(core.totals.clusters, 'cluster')}` : 'none',
      `Documents of a resemblance of ${core.run.config.similarity} or more to the leader of their cluster, each verified.`,
    ],
    counts.exact_duplicates > 0 && [
      'word for word',
      count(counts.exact_duplicates),
      'Documents whose words are all the same as those of an earlier one.',
    ],
  ]);
}

function ledger(counts) {
  const parts = LABELS.map((label, at) => [label, counts.labels[at]]).filter((part) => part[1] > 0);
  const row = ([{ name, meaning }, sum]) =>
    h(
      'div',
      null,
      h('dt', null, h('button.why', { type: 'button', 'data-why': meaning }, chip(name))),
      h(
        'dd',
        null,
        h('span.share', null, percent(share(sum, counts.weight))),
        h('span.amount', null, many(sum, 'letter')),
        KINDS.some((of) => of.name === name) &&
          h('a', { href: to('passages', { q: `kind:${name}` }) }, 'passages'),
      ),
    );
  return section('All text', bar(counts.labels, 'div.bar.large'), h('dl.legend', null, parts.map(row)));
}

function originalities(params) {
  const scored = upTo(core.judged).filter((doc) => originality(doc) !== null);
  if (scored.length === 0) return null;
  const order = [...scored].sort((x, y) => originality(x) - originality(y) || x - y);
  const told = h('p.told', { role: 'status' });
  const all = core.bins.reduce((sum, bin) => sum + bin[0], 0);
  const letters = core.bins.reduce((sum, bin) => sum + bin[1], 0);
  const link = h('a');
  const least = documentTable(order.slice(0, 10), { label: 'Least original documents', plain: true });
  const move = (at) => {
    let [documents, held] = [0, 0];
    core.bins.slice(0, at).forEach((bin) => ([documents, held] = [documents + bin[0], held + bin[1]]));
    told.replaceChildren(
      h('b', null, `${count(documents)} of ${many(all, 'document')}`),
      ` (${percent(share(documents, all))}) ${documents === 1 ? 'is' : 'are'} less than `,
      h('b', null, `${at} %`),
      ` original; they hold ${percent(share(held, letters))} of all letters and digits.`,
    );
    least.set(order.filter((doc) => originality(doc) < at / 100).slice(0, 10));
    link.href = to('documents', { q: `originality:<${at}`, sort: 'originality' });
    link.textContent = `All ${count(documents)} in a table`;
    link.hidden = documents === 0;
  };
  const start = Number(params.get('t') ?? 100);
  const moved = (at) => {
    move(at);
    setParams({ t: at === 100 ? null : at });
  };
  const slider = histogram(core.bins, start, moved);
  scene.shown(() => move(start));
  return section(
    'Originality of documents',
    h(
      'p.hint',
      null,
      'Documents by the share of them that is original. Move the threshold by hand or with the arrow keys.',
    ),
    slider,
    told,
    h('h3', null, 'Least original documents'),
    least.node,
    h('p', null, link),
  );
}

function skippedInputs() {
  const { skipped, against_skipped: others, notes } = core.run;
  const all = [...skipped, ...others];
  if (all.length + notes.length === 0) return null;
  const place = (row) => (row.line ? `${row.path}:${row.line}` : row.path);
  const list = growing(
    all,
    20,
    (row) => h('li', null, h('code', null, said(place(row))), ' ', said(row.reason)),
    'ul.plain',
  );
  return section(
    'Inputs that were skipped',
    all.length === 0 && h('p', null, 'None.'),
    list.nodes,
    core.run.skipped_count > all.length &&
      h('p.note', null, `${count(core.run.skipped_count - all.length)} more are in run.json.`),
    notes.map((note) => h('p.note', null, said(note))),
  );
}
