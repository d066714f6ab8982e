// The data of the page: unpacked when it is needed, and asked by number.

/** What every view needs; set before the first one is shown. */
let core, docs, fams;

const opened = new Map();
/** Blocks that are kept unpacked. */
const KEPT = 80;

/** Unpacks a block. */
async function block(name) {
  let found = opened.get(name);
  if (found) opened.delete(name);
  else found = unpack(name);
  opened.set(name, found);
  if (opened.size > KEPT) opened.delete(opened.keys().next().value);
  return found;
}

async function unpack(name) {
  const text = document.getElementById(name).textContent;
  let bytes;
  if (Uint8Array.fromBase64) bytes = Uint8Array.fromBase64(text);
  else {
    const raw = atob(text);
    bytes = new Uint8Array(raw.length);
    for (let at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at);
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).json();
}

async function load() {
  let places;
  [core, docs, fams, places] = await Promise.all(['core', 'documents', 'families', 'texts'].map(unpack));
  docs.text = places;
  docs.number = new Map();
  docs.id.forEach((id, at) => docs.number.has(id) || docs.number.set(id, at));
}

/** All numbers below one. */
const upTo = (length) => Array.from({ length }, (_, at) => at);

const listed = () => docs.id.length;
const share = (letters, of) => (of > 0 ? letters / of : null);
const label = (doc, name) => docs.labels[LABELS.findIndex((of) => of.name === name)][doc];
const letters = (doc) => docs.labels.map((column) => column[doc]);
const own = (doc) => docs.labels[0][doc] + docs.labels[1][doc];
const judged = (doc) => docs.weight[doc] - docs.labels[8][doc];
const originality = (doc) => share(own(doc), judged(doc));
const originalityMax = (doc) => share(docs.own_max[doc], judged(doc));
const originalityBody = (doc) => share(own(doc), judged(doc) - docs.labels[6][doc]);
const source = (doc) => (docs.source[doc] === null ? null : core.sources[docs.source[doc]]);
const textsListed = () => docs.text.filter(Boolean).length;
const isReference = (doc) => doc >= core.judged;

/** A document may be named that is not listed: then its id stands for it. */
const idOf = (name) => (typeof name === 'number' ? docs.id[name] : name);
const kind = (family) => KINDS[fams.kind[family]].name;
const familiesListed = () => fams.kind.length;

/** The rest of a family; families are numbered from 1 in words, from 0 here. */
async function family(number) {
  const [name, at] = fams.block[number];
  return (await block(`f${name}`))[at];
}

/** A document's text and what is in it; null if it is not in the page. */
async function text(doc) {
  if (typeof doc !== 'number' || docs.text[doc] === null) return null;
  const [name, at] = docs.text[doc];
  return (await block(`t${name}`))[at];
}

let folded = null;
/** The texts of all families in small letters, for searching. */
async function familyTexts() {
  if (!folded) {
    const texts = [];
    const last = fams.block.length ? fams.block[fams.block.length - 1][0] : -1;
    for (const name of upTo(last + 1)) {
      for (const { text } of await unpack(`f${name}`)) texts.push(text.toLowerCase());
    }
    folded = texts;
  }
  return folded;
}

/** A place with the words before and after it, from the document's text. */
async function context(place, around = 90) {
  const [doc, , start, length] = place;
  const found = await text(doc);
  if (!found || start + length > found.text.length) return null;
  const end = start + length;
  const from = Math.max(0, start - around);
  let before = found.text.slice(from, start);
  let after = found.text.slice(end, end + around);
  if (from > 0) before = before.replace(/^\S{0,25}\s+/u, '');
  if (end + around < found.text.length) after = after.replace(/\s+\S{0,25}$/u, '');
  return {
    before,
    text: found.text.slice(start, end),
    after,
    starts: from === 0,
    ends: end + around >= found.text.length,
  };
}

const bytesIn = (text) => new TextEncoder().encode(text).length;
