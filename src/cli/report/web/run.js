// The run: settings, definitions, guarantee, limits.

function runView() {
  const { run } = core;
  const setting = ([name, value]) =>
    h(
      'tr',
      null,
      h('th', { scope: 'row' }, `--${name.replaceAll('_', '-')}`),
      h('td', null, typeof value === 'object' ? JSON.stringify(value) : said(String(value))),
    );
  const settings = (list) =>
    h(
      'table.settings',
      null,
      h(
        'tbody',
        null,
        list
          .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
          .map(setting),
      ),
    );
  const defined = (list) =>
    h(
      'dl.defined',
      null,
      list.map(([name, meaning]) => [h('dt', null, name), h('dd', null, meaning)]),
    );
  return [
    h('h1', null, 'Run'),
    figures([
      ['version', run.version],
      ['inputs', said(run.inputs.join(', '))],
      run.against.length > 0 && ['set against', said(run.against.join(', '))],
      run.ignore.length > 0 && ['lists to ignore', said(run.ignore.join(', '))],
      ['digest', h('code', null, run.digest), 'A hash of all ids and texts that were read.', true],
    ]),
    section(
      'Guarantee',
      h('p', null, `${run.guarantee[0].toUpperCase()}${run.guarantee.slice(1)}.`),
      h(
        'p',
        null,
        'Near-duplicate pairs are verified on their exact shingles: none is listed that is not one. Which documents are compared at all is a matter of chance:',
      ),
      curve(),
    ),
    section(
      'What it cannot find',
      h(
        'p',
        null,
        'Paraphrase and translation: who tells the same in other words is original here. Passages whose words were shuffled. Two places with fewer than five words in a row in common are not tied to each other directly.',
      ),
      run.counts.crowded_buckets > 0 &&
        h(
          'p.note',
          null,
          `${count(run.counts.crowded_buckets)} groups of candidates were too large to compare all; a near-duplicate may have been missed there.`,
        ),
      run.counts.pairs_unlisted > 0 &&
        h(
          'p.note',
          null,
          `${count(run.counts.pairs_unlisted)} near-duplicate pairs were found but are not listed, since some documents have so many.`,
        ),
    ),
    section(
      'How numbers are defined',
      h('h3', null, 'Labels'),
      h(
        'p.hint',
        null,
        'Each letter and digit has exactly one; shares are of letters and digits and add up to 100 %.',
      ),
      defined(LABELS.map(({ name, meaning }) => [chip(name), meaning])),
      h('h3', null, 'Kinds of passages'),
      defined(KINDS.map(({ name, meaning }) => [chip(name), meaning])),
      h('h3', null, 'Figures'),
      defined(Object.entries(MEANS).map(([name, meaning]) => [name.replaceAll('_', ' '), meaning])),
    ),
    section(
      'Settings',
      settings(Object.entries(run.config).filter(([name]) => name !== 'threads')),
      h('h3', null, 'Reading'),
      settings(Object.entries(run.input)),
    ),
    section(
      'What is in this page',
      h(
        'ul',
        null,
        [
          [core.judged, core.totals.documents, 'documents', 'documents.jsonl'],
          [textsListed(), listed(), 'texts of documents', 'the collection'],
          [familiesListed(), core.totals.families, 'passages', 'families.jsonl'],
          [core.pairs.a.length, core.totals.pairs, 'near-duplicate pairs', 'pairs.jsonl'],
        ].map(([shown, total, noun, file]) =>
          h(
            'li',
            null,
            shown < total
              ? `${count(shown)} of ${count(total)} ${noun}; all are in ${file}`
              : `all ${count(total)} ${noun}`,
          ),
        ),
      ),
      h('p.hint', null, 'The page loads nothing and sends nothing; all of it is in this file.'),
    ),
  ];
}
