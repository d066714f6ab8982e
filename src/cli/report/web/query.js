// The search language: `kind:stock docs:>10 source:x -kind:formula "words"`.

/** Numbers: 10, >10, >=10, <10, <=10, 10..20. */
function numbers(given) {
  const value = (text) => Number(text.replace(/%$/, ''));
  const range = /^(.*)\.\.(.*)$/.exec(given);
  if (range) {
    const from = range[1] ? value(range[1]) : -Infinity;
    const to = range[2] ? value(range[2]) : Infinity;
    return Number.isNaN(from + to) && !(from === -Infinity && to === Infinity)
      ? null
      : (x) => from <= x && x <= to;
  }
  const sign = /^(>=|<=|>|<|=?)(.+)$/.exec(given);
  const bound = sign ? value(sign[2]) : NaN;
  if (Number.isNaN(bound)) return null;
  const compare = {
    '>': (x) => x > bound,
    '<': (x) => x < bound,
    '>=': (x) => x >= bound,
    '<=': (x) => x <= bound,
  };
  return compare[sign[1]] ?? ((x) => x === bound);
}

/** Dates: 2019, 2019-11, >2019, 2019..2020-03. Compared by their spelling's first second. */
function dates(given) {
  const span = (text) => {
    const parts = /^(\d{4})(?:-(\d\d?))?(?:-(\d\d?))?$/.exec(text);
    if (!parts) return null;
    const [year, month, day] = [Number(parts[1]), Number(parts[2] ?? 1), Number(parts[3] ?? 1)];
    const next = parts[3] ? [year, month - 1, day + 1] : parts[2] ? [year, month, 1] : [year + 1, 0, 1];
    return [Date.UTC(year, month - 1, day) / 1000, Date.UTC(...next) / 1000];
  };
  const range = /^(.*)\.\.(.*)$/.exec(given);
  if (range) {
    const from = range[1] ? span(range[1]) : [-Infinity];
    const to = range[2] ? span(range[2]) : [0, Infinity];
    return from && to && ((x) => from[0] <= x && x < to[1]);
  }
  const sign = /^(>=|<=|>|<|)(.+)$/.exec(given);
  const at = sign && span(sign[2]);
  if (!at) return null;
  const compare = {
    '>': (x) => x >= at[1],
    '<': (x) => x < at[0],
    '>=': (x) => x >= at[0],
    '<=': (x) => x < at[1],
  };
  return compare[sign[1]] ?? ((x) => at[0] <= x && x < at[1]);
}

const TERM = /(-?)(?:([a-z_]+):)?(?:"([^"]*)"?|(\S+))/giu;

/**
 * Reads a query. `fields` tells of each field what it is of a row: `number`,
 * `date`, or `text`, which may be a list. Returns the tests of its fields, the
 * words to look for, and what is wrong with it.
 */
function query(given, fields) {
  const tests = [];
  const words = [];
  const errors = [];
  for (const [term, minus, field, quoted, plain] of given.matchAll(TERM)) {
    const wanted = quoted ?? plain;
    if (field === undefined || (!(field.toLowerCase() in fields) && /^https?$/i.test(field))) {
      words.push({ not: minus === '-', word: (field ? `${field}:${wanted}` : wanted).toLowerCase() });
      continue;
    }
    const of = fields[field.toLowerCase()];
    let test = null;
    if (!of) errors.push(`There is no field “${field}”; there are ${Object.keys(fields).join(', ')}.`);
    else if (of.text) {
      const part = wanted.toLowerCase();
      test = (row) => [of.text(row)].flat().some((text) => text?.toLowerCase().includes(part));
    } else {
      const compare = of.number ? numbers(wanted) : dates(wanted);
      const value = of.number ?? of.date;
      if (compare) test = (row) => value(row) !== null && value(row) !== undefined && compare(value(row));
      else
        errors.push(
          `“${term}” wants a ${of.number ? 'number, as 10, >10 or 10..20' : 'date, as 2019, >2019-11 or 2019..2020'}.`,
        );
    }
    if (test) tests.push(minus ? (row) => !test(row) : test);
  }
  return { tests, words, errors };
}

/** Whether a text in small letters has the words and lacks those it must. */
const hasWords = (words, text) => words.every(({ not, word }) => text.includes(word) !== not);
