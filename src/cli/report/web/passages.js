// Passages: all families, searched and sorted.

const PASSAGE_FIELDS = {
  kind: { text: (row) => kind(row) },
  docs: { number: (row) => fams.df[row] },
  places: { number: (row) => fams.occurrences[row] },
  tokens: { number: (row) => fams.tokens[row] },
  variants: { number: (row) => fams.variants[row] },
  cohesion: { number: (row) => 100 * fams.cohesion[row] },
  sources: { number: (row) => fams.source_count[row] },
  source: { text: (row) => fams.sources[row].map((of) => core.sources[of]) },
  date: { date: (row) => fams.time[row] },
  reason: { text: (row) => fams.reason[row] },
  passage: { number: (row) => row + 1 },
};

/** A table of passages; `plain` ones are neither sorted nor marked. */
function passageTable(rows, { label, plain, sort, onsort }) {
  const dated = core.times !== null;
  return table({
    label,
    rows,
    height: 62,
    link: toPassage,
    plain,
    sort,
    onsort,
    none: 'No passage is like that.',
    columns: [
      !plain && {
        name: '✓',
        wide: '1.75rem',
        meaning: 'Mark what you know as boilerplate, for a list to ignore in the next run.',
        cell: tick,
      },
      {
        name: 'kind',
        wide: '6.8rem',
        least: 560,
        by: (row) => kind(row),
        cell: (row) => chip(kind(row)),
      },
      {
        name: 'passage',
        wide: 'minmax(12rem, 6fr)',
        cell: (row) => [
          h('a.snippet', { href: toPassage(row), dir: 'auto' }, line(fams.snippet[row]) || '(no letters)'),
          h('span.reason', null, line(fams.reason[row])),
        ],
      },
      counted('docs', (row) => fams.df[row], { wide: '3.2rem', meaning: MEANS.docs }),
      counted('places', (row) => fams.occurrences[row], {
        wide: '3.6rem',
        least: 700,
        meaning: MEANS.places,
      }),
      core.sources.length > 0 &&
        counted('sources', (row) => fams.source_count[row], {
          wide: '4rem',
          least: 900,
          meaning: MEANS.sources,
        }),
      counted('tokens', (row) => fams.tokens[row], { wide: '3.6rem', least: 620, meaning: MEANS.length }),
      {
        name: 'cohesion',
        right: true,
        wide: '4.6rem',
        least: 960,
        meaning: MEANS.cohesion,
        by: (row) => fams.cohesion[row],
        cell: (row) => percent(fams.cohesion[row]),
      },
      dated && {
        name: 'first seen',
        wide: '5.6rem',
        least: 820,
        meaning: MEANS.first_seen,
        by: (row) => fams.time[row],
        cell: (row) => (fams.first_date[row] ? line(fams.first_date[row]) : '–'),
      },
      dated && {
        name: 'over time',
        wide: '6rem',
        least: 1000,
        meaning: MEANS.course,
        cell: (row) => course(fams.course[row]),
      },
    ],
  });
}

function passagesView(params) {
  const list = passageTable([], { label: 'Passages', ...sorting(params) });
  const { box, told, search } = searching({
    params,
    label: 'Search passages',
    examples: ['kind:stock', 'docs:>10', '-kind:formula', '"word for word"'],
    fields: PASSAGE_FIELDS,
    rows: upTo(familiesListed()),
    noun: 'passage',
    textsOf: async () => {
      const texts = await familyTexts();
      return (row) => texts[row];
    },
    list,
    onsearch: (given) =>
      kinds
        .querySelectorAll('button')
        .forEach((button) => button.setAttribute('aria-pressed', given.includes(button.dataset.term))),
  });
  const toggle = (term) => () => {
    const now = box.node.querySelector('input').value;
    const without = now.replace(/\s*-?kind:\S+/g, '').trim();
    const next = now.includes(term) ? without : `${without} ${term}`.trim();
    box.set(next);
    search(next);
  };
  const present = KINDS.map((of, at) => [of, fams.kind.filter((kind) => kind === at).length]).filter(
    (of) => of[1] > 0,
  );
  const kinds = h(
    'div.kinds',
    { role: 'group', 'aria-label': 'Kinds' },
    present.map(([{ name, meaning }, number]) =>
      h(
        'button',
        {
          type: 'button',
          'data-term': `kind:${name}`,
          'aria-pressed': 'false',
          'data-why': meaning,
          click: toggle(`kind:${name}`),
        },
        chip(name),
        h('span.amount', null, count(number)),
      ),
    ),
  );
  return [
    h('h1', null, 'Passages'),
    h(
      'p.hint',
      null,
      `Every text that recurs, the one in most documents first. Fields to search: ${Object.keys(PASSAGE_FIELDS).join(', ')}; a minus before a term excludes it.`,
    ),
    box.node,
    kinds,
    told,
    leftOut(familiesListed(), core.totals.families, 'passages', 'families.jsonl'),
    list.node,
  ];
}
