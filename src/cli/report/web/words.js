// The words of the report: names, marks and what they mean. One meaning each.

const LABELS = [
  ['unique', 'Nothing else in the collection accounts for it.'],
  ['first', 'Other documents have it too, and this is the earliest of them by date.'],
  ['shared', 'Told elsewhere in the collection, of no particular kind.'],
  ['syndicated', 'Copy that other documents print as a whole.'],
  ['quotation', 'Quoted words that stand elsewhere too.'],
  ['stock', 'A paragraph used again and again in different articles.'],
  ['boilerplate', 'Page furniture or house style, repeated across different documents.'],
  ['repeat', 'Told before in the same document.'],
  ['ignored', 'On the list of texts to ignore.'],
].map(([name, meaning]) => ({ name, meaning }));

/** In the order of the data. */
const KINDS = [
  ['boilerplate', 'Page furniture or house style, repeated across otherwise different documents.'],
  ['stock', 'A paragraph used again and again in different articles.'],
  ['syndicated', 'Copy that several documents print as a whole.'],
  ['quotation', 'Most of its places stand inside quotation marks.'],
  ['repeat', 'It is told more than once inside one document only.'],
  ['formula', 'A set phrase: short, frequent, not a block of its own. It counts as unique.'],
  ['shared', 'Told in several documents, of no particular kind.'],
].map(([name, meaning]) => ({ name, meaning }));

/** A mark for each, drawn in a square of 12, so that nothing rests on colour alone. */
const MARKS = {
  unique: 'M6 2.5a3.5 3.5 0 1 0 .01 0',
  first: 'M3 11V1.5l6.5 2.5L3 6.5',
  shared: 'M6 1l5 5-5 5-5-5z',
  syndicated: 'M1.5 1.5h6v6h-6zM4.5 4.5h6v6h-6z',
  quotation: 'M2 8c0-3 .5-4.5 2.5-5.5M2 8.5h2.5v-2.5H2zM7 8c0-3 .5-4.5 2.5-5.5M7 8.5h2.5v-2.5H7z',
  stock: 'M1.5 3h9M1.5 6h9M1.5 9h6',
  boilerplate: 'M1.5 1.5h9v9h-9zM1.5 4h9M1.5 8.5h9',
  repeat: 'M9.5 4A4 4 0 1 0 10 7M10 1v3.5H6.5',
  formula: 'M6 1.5v9M2 3.8l8 4.4M10 3.8L2 8.2',
  ignored: 'M6 1.5a4.5 4.5 0 1 0 .01 0M2.8 9.2l6.4-6.4',
};

/** It is told too where no word stands beside it. */
function mark(name, told = false) {
  const how = told ? { role: 'img', 'aria-label': name } : { 'aria-hidden': 'true' };
  return s('svg.mark', { viewBox: '0 0 12 12', class: `is-${name}`, ...how }, s('path', { d: MARKS[name] }));
}

/** The mark and the name of a kind or label. */
const chip = (name) => h('span.chip', { class: `is-${name}` }, mark(name), name);

const MEANS = {
  documents: 'Articles that were read and judged.',
  tokens: 'Words; in scripts without spaces, characters.',
  text: 'Length of all texts as they were read.',
  originality:
    'Share of the letters and digits that no other document accounts for, or that this one told first: (unique + first) / (1 − ignored).',
  originality_max: 'Originality if every passage of unknown order were first told here.',
  originality_body: 'Originality with boilerplate taken out of the count.',
  fractional:
    'Letters and digits, each counted as 1 / (number of documents that have it). Summed over all documents: the amount of distinct text.',
  weight: 'Letters and digits: what all shares are shares of.',
  docs: 'Documents it stands in.',
  places: 'Places it stands in; one document may have several.',
  sources: 'Publishers, sites or series among its documents.',
  first_seen: 'The earliest date among its documents.',
  last_seen: 'The latest date among its documents.',
  length: 'Length of its commonest wording in tokens.',
  variants: 'Distinct wordings, apart from spelling in capitals and punctuation.',
  cohesion:
    'Of all tokens at its places, the share that matches the commonest text. 100 % is word for word everywhere.',
  rest_similarity:
    'How alike its documents are outside this passage. Low for boilerplate, high for reprints.',
  quote_share: 'Share of its places inside quotation marks.',
  position:
    'Where in a document it stands on average, 0 % the start and 100 % the end, and how far that varies.',
  edge_share: 'Share of its places near the start or the end of a document.',
  block_share: 'Share of its places that are whole lines.',
  course: 'Documents that have it over the time of the whole collection.',
  nearest: 'The document that has most of this one.',
  top_source: 'The source other than its own that most of it stands in.',
  resemblance:
    'What two documents have in common: shared five-word shingles / all their shingles (Jaccard index, exact).',
  containment: 'Share of the one document’s shingles that the other has.',
  shared_tokens: 'Tokens of the later document in shingles of the earlier one.',
  weakest: 'The least resemblance of a member to the leader; every member was compared with it.',
  ledger: 'What the letters and digits of the text are. The parts add up to 100 %.',
  identity: 'Of the tokens here, the share that matches the passage’s text.',
};
