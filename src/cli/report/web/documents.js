// Documents: all of them with their ledgers, searched and sorted.

const shareField = (name) => ({
  number: (doc) => (docs.weight[doc] ? (100 * label(doc, name)) / docs.weight[doc] : null),
});
const DOCUMENT_FIELDS = {
  id: { text: (doc) => docs.id[doc] },
  source: { text: (doc) => source(doc) },
  date: { date: (doc) => docs.time[doc] },
  originality: { number: (doc) => percentOf(originality(doc)) },
  ...Object.fromEntries(LABELS.map(({ name }) => [name, shareField(name)])),
  tokens: { number: (doc) => docs.tokens[doc] },
  cluster: { number: (doc) => docs.cluster[doc] },
  top: { text: (doc) => (docs.top_source[doc] === null ? null : core.sources[docs.top_source[doc]]) },
};
const percentOf = (part) => (part === null ? null : 100 * part);

/** A table of documents; `plain` ones are not sorted. */
function documentTable(rows, { label: told, plain, sort, onsort }) {
  return table({
    label: told,
    rows,
    height: 46,
    link: (doc) => toDocument(doc),
    plain,
    sort,
    onsort,
    none: 'No document is like that.',
    columns: [
      {
        name: 'document',
        wide: 'minmax(10rem, 4fr)',
        by: (doc) => docs.id[doc],
        cell: (doc) =>
          h(
            'a.snippet.one',
            { href: toDocument(doc), dir: 'auto', title: line(docs.id[doc]) },
            line(docs.id[doc]) || '(no name)',
          ),
      },
      core.sources.length > 0 && {
        name: 'source',
        wide: 'minmax(6rem, 1.5fr)',
        least: 760,
        by: source,
        cell: (doc) => (source(doc) === null ? '–' : said(source(doc))),
      },
      core.times && {
        name: 'date',
        wide: '6.5rem',
        least: 640,
        by: (doc) => docs.time[doc],
        cell: (doc) => (docs.date[doc] ? line(docs.date[doc]) : '–'),
      },
      counted('tokens', (doc) => docs.tokens[doc], { wide: '5rem', least: 700, meaning: MEANS.tokens }),
      {
        name: 'originality',
        wide: '6rem',
        right: true,
        meaning: MEANS.originality,
        by: originality,
        cell: (doc) => percent(originality(doc)),
      },
      {
        name: 'ledger',
        wide: 'minmax(6rem, 2fr)',
        least: 460,
        meaning: MEANS.ledger,
        cell: (doc) => bar(letters(doc)),
      },
      core.sources.length > 1 && {
        name: 'main source',
        wide: 'minmax(6rem, 1.5fr)',
        least: 1000,
        meaning: MEANS.top_source,
        by: (doc) => (docs.top_source[doc] === null ? null : docs.top_letters[doc] / docs.weight[doc]),
        cell: (doc) =>
          docs.top_source[doc] === null
            ? '–'
            : [
                said(core.sources[docs.top_source[doc]]),
                ` ${percent(share(docs.top_letters[doc], docs.weight[doc]))}`,
              ],
      },
      {
        name: 'nearest',
        wide: 'minmax(8rem, 2fr)',
        least: 880,
        meaning: MEANS.nearest,
        by: (doc) => docs.nearest_containment[doc],
        cell: (doc) =>
          docs.nearest[doc] === null
            ? '–'
            : h(
                'span.near',
                null,
                h('span', null, percent(docs.nearest_containment[doc])),
                typeof docs.nearest[doc] === 'number'
                  ? h(
                      'a',
                      { href: toPair(doc, docs.nearest[doc]), title: line(idOf(docs.nearest[doc])) },
                      line(idOf(docs.nearest[doc])),
                    )
                  : said(docs.nearest[doc]),
              ),
      },
    ],
  });
}

function documentsView(params) {
  const list = documentTable([], { label: 'Documents', ...sorting(params) });
  const named = (doc) => `${docs.id[doc]}\n${source(doc) ?? ''}\n${docs.path[doc] ?? ''}`.toLowerCase();
  const { box, told } = searching({
    params,
    label: 'Search documents',
    examples: ['originality:<50', 'boilerplate:>10', 'tokens:>1000', 'date:2019..2020'],
    fields: DOCUMENT_FIELDS,
    rows: upTo(core.judged),
    noun: 'document',
    textsOf: async () => named,
    list,
  });
  return [
    h('h1', null, 'Documents'),
    h(
      'p.hint',
      null,
      `Words are looked for in names, sources and paths. Fields: ${Object.keys(DOCUMENT_FIELDS).join(', ')}; shares in percent.`,
    ),
    box.node,
    told,
    leftOut(core.judged, core.totals.documents, 'documents', 'documents.jsonl'),
    textsListed() < listed() &&
      h(
        'p.note',
        null,
        `The texts of ${count(textsListed())} of them are in this page, those with most told before; --report-docs moves the bound.`,
      ),
    list.node,
  ];
}
