// Near-duplicates and sources.

const clustersBySize = () =>
  upTo(core.clusters.leader.length).sort(
    (x, y) => core.clusters.members[y].length - core.clusters.members[x].length || x - y,
  );

function clusterList(numbers, open = false) {
  const row = (at) => {
    const [leader, members] = [core.clusters.leader[at], core.clusters.members[at]];
    const list = growing(
      members.slice(1),
      20,
      (member) =>
        h(
          'li',
          null,
          documentLink(member),
          ' ',
          typeof member === 'number' &&
            typeof leader === 'number' &&
            h('a.side', { href: toPair(leader, member) }, 'side by side'),
        ),
      'ul.plain',
    );
    return h(
      'li',
      null,
      h(
        'details',
        { open },
        h(
          'summary',
          null,
          h('b', null, many(members.length, 'document')),
          ` around `,
          said(idOf(leader)),
          h('span.hint', null, ` weakest resemblance ${core.clusters.min_resemblance[at].toFixed(2)}`),
        ),
        h('p', null, 'Leader: ', documentLink(leader)),
        list.nodes,
      ),
    );
  };
  return growing(numbers, 50, row, 'ol.clusters').nodes;
}

function pairsView(params) {
  const wanted = params.has('cluster') ? Number(params.get('cluster')) - 1 : null;
  const { pairs } = core;
  const both = (row) => typeof pairs.a[row] === 'number' && typeof pairs.b[row] === 'number';
  const figure = (name, column, meaning, least) => ({
    name,
    wide: '6.5rem',
    right: true,
    least,
    down: true,
    meaning,
    by: (row) => column[row],
    cell: (row) => column[row].toFixed(3),
  });
  const list = table({
    label: 'Near-duplicate pairs',
    rows: upTo(pairs.a.length),
    height: 46,
    link: (row) => (both(row) ? toPair(pairs.a[row], pairs.b[row]) : to('pairs')),
    ...sorting(params, { column: 'resemblance', down: true }),
    columns: [
      {
        name: 'earlier',
        wide: 'minmax(4rem, 3fr)',
        by: (row) => idOf(pairs.a[row]),
        cell: (row) => h('span.snippet.one', null, documentLink(pairs.a[row])),
      },
      {
        name: 'later',
        wide: 'minmax(4rem, 3fr)',
        by: (row) => idOf(pairs.b[row]),
        cell: (row) => h('span.snippet.one', null, documentLink(pairs.b[row])),
      },
      figure('resemblance', pairs.resemblance, MEANS.resemblance),
      figure('earlier in later', pairs.a_in_b, MEANS.containment, 760),
      figure('later in earlier', pairs.b_in_a, MEANS.containment, 760),
      counted('tokens', (row) => pairs.tokens[row], {
        wide: '6.5rem',
        least: 620,
        meaning: MEANS.shared_tokens,
      }),
      {
        name: 'texts',
        wide: '6rem',
        least: 520,
        cell: (row) => both(row) && h('a', { href: toPair(pairs.a[row], pairs.b[row]) }, 'side by side'),
      },
    ],
  });
  const drawn = network();
  return [
    h('h1', null, 'Near-duplicates'),
    core.totals.clusters + core.totals.pairs === 0 &&
      h('p', null, `No two documents have a resemblance of ${core.run.config.similarity} or more.`),
    wanted !== null &&
      wanted in core.clusters.leader &&
      section(`Cluster ${wanted + 1}`, clusterList([wanted], true)),
    core.clusters.leader.length > 0 &&
      section(
        'Clusters',
        h('p.hint', null, MEANS.weakest),
        leftOut(core.clusters.leader.length, core.totals.clusters, 'clusters', 'clusters.jsonl'),
        clusterList(clustersBySize()),
      ),
    pairs.a.length > 0 &&
      section('Pairs', leftOut(pairs.a.length, core.totals.pairs, 'pairs', 'pairs.jsonl'), list.node),
    drawn && section('What documents have in common', drawn),
  ];
}

function sourcesView(params) {
  if (core.sources.length === 0) {
    return [
      h('h1', null, 'Sources'),
      h(
        'p',
        null,
        'No document names its source: publisher, site or series. In records it is the field source, series or site, or the host of a web address; --source-field names another.',
      ),
    ];
  }
  const of = core.sources.map(() => ({ documents: 0, weight: 0, own: 0, judged: 0 }));
  for (const doc of upTo(core.judged)) {
    const row = of[docs.source[doc]];
    if (!row) continue;
    row.documents++;
    row.weight += docs.weight[doc];
    row.own += own(doc);
    row.judged += judged(doc);
  }
  const list = table({
    label: 'Sources',
    rows: upTo(core.sources.length).filter((row) => of[row].documents > 0),
    height: 46,
    link: (row) => to('documents', { q: `source:"${core.sources[row]}"` }),
    ...sorting(params, { column: 'documents', down: true }),
    columns: [
      {
        name: 'source',
        wide: 'minmax(4rem, 3fr)',
        by: (row) => core.sources[row],
        cell: (row) =>
          h(
            'a',
            { href: to('documents', { q: `source:"${core.sources[row]}"` }), dir: 'auto' },
            line(core.sources[row]),
          ),
      },
      counted('documents', (row) => of[row].documents, { wide: '6.5rem' }),
      counted('letters', (row) => of[row].weight, { wide: '7rem', least: 560, meaning: MEANS.weight }),
      {
        name: 'original',
        wide: '5rem',
        right: true,
        meaning: 'Share of the letters and digits of all its documents that is original.',
        by: (row) => share(of[row].own, of[row].judged),
        cell: (row) => percent(share(of[row].own, of[row].judged)),
      },
    ],
  });
  return [
    h('h1', null, 'Sources'),
    section('Who has what of whom', matrix() ?? h('p', null, 'No two sources have text in common.')),
    section(
      'All sources',
      core.judged < core.totals.documents &&
        h('p.note', null, `Counted over the ${count(core.judged)} documents in this page.`),
      list.node,
    ),
  ];
}
