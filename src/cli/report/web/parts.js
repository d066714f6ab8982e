// Parts that several views are made of.

/** The address of a view; what is empty is left out. */
function to(view, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== '') query.set(name, value);
  }
  const tail = query.toString();
  return `#/${view}${tail ? `?${tail}` : ''}`;
}

const toPassage = (family) => to(`passage/${family + 1}`);
const toDocument = (name, params) => to('document', { id: idOf(name), ...params });
const toPair = (a, b) => to('pair', { a: idOf(a), b: idOf(b) });

/** A link to a document, or its id alone if it is not in the page. */
function documentLink(name, params, shown = idOf(name)) {
  if (typeof name !== 'number')
    return h('bdi', { title: 'Not listed here; see documents.jsonl.' }, line(shown));
  return h('a', { href: toDocument(name, params), dir: 'auto' }, line(shown));
}

/** A ledger as one bar. `sums` are letters by label. */
function bar(sums, what = 'div.bar') {
  const total = sums.reduce((sum, part) => sum + part, 0);
  const parts = LABELS.map(({ name }, at) => [name, share(sums[at], total)]).filter((part) => part[1] > 0);
  const told = parts.map(([name, part]) => `${name} ${percent(part)}`).join(', ');
  return h(
    what,
    { role: 'img', 'aria-label': told || 'no letter or digit', title: told },
    parts.map(([name, part]) => h('span', { class: `is-${name}`, style: { 'flex-grow': part } })),
  );
}

/** Figures with their names, each explaining itself. */
function figures(list) {
  const shown = list.filter((figure) => figure && figure[1] !== null && figure[1] !== undefined);
  return h(
    'dl.figures',
    null,
    shown.map(([name, value, meaning, wide]) =>
      h(
        'div',
        { class: wide ? 'wide' : '' },
        h('dt', null, meaning ? why(name, meaning) : name),
        h('dd', null, value),
      ),
    ),
  );
}

function section(title, ...content) {
  const id = `h-${title.toLowerCase().replace(/[^a-z]+/g, '-')}`;
  return h('section', { 'aria-labelledby': id }, h('h2', { id }, title), content);
}

/** What a search box is good for. */
function searchBox(value, label, examples, onchange) {
  const change = later(150, () => onchange(input.value));
  const input = h('input', {
    type: 'search',
    value,
    placeholder: label,
    'aria-label': label,
    spellcheck: 'false',
    input: change,
  });
  const pick = (example) =>
    h(
      'button.example',
      { type: 'button', click: () => ((input.value = example), onchange(example), input.focus()) },
      example,
    );
  const node = h('div.search', { role: 'search' }, input, h('p.hint', null, 'Try ', examples.map(pick)));
  return { node, set: (text) => (input.value = text) };
}

/**
 * A search over the rows of a table `list`. `fields` are those of the query
 * language, `textsOf` promises what words are looked for in, row by row, and
 * `onsearch` learns of every query.
 */
function searching({ params, label, examples, fields, rows, noun, textsOf, list, onsearch }) {
  const told = h('p.told', { role: 'status' });
  const errors = h('p.error', { role: 'alert' });
  let turn = 0;
  const search = async (given) => {
    const mine = ++turn;
    setParams({ q: given });
    onsearch?.(given);
    const { tests, words, errors: wrong } = query(given, fields);
    errors.textContent = wrong.join(' ');
    const textOf = words.length ? await textsOf() : null;
    // Another search may have begun meanwhile.
    if (mine !== turn) return;
    const found = rows.filter(
      (row) => tests.every((test) => test(row)) && (!textOf || hasWords(words, textOf(row))),
    );
    list.set(found);
    told.textContent = `${many(found.length, noun)}${given ? ` of ${count(rows.length)}` : ''}`;
  };
  const box = searchBox(params.get('q') ?? '', label, examples, search);
  scene.shown(() => search(params.get('q') ?? ''));
  return { box, told: [errors, told], search };
}

/** How a table is sorted, as the address says, and the address as the table is. */
const sorting = (params, usual) => ({
  sort: params.get('sort') ? { column: params.get('sort'), down: params.has('down') } : usual,
  onsort: (by) => setParams({ sort: by.column, down: by.down ? 1 : null }),
});

/** What is known of something, in one line. */
const facts = (...known) => known.filter(Boolean).join(' · ');

/** `n` and `p` go to the next and the previous of so many, around the ends. */
function stepping(number, current, go) {
  scene.on(document, 'keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || number === 0) return;
    if (event.key === 'n') go((current() + 1) % number);
    if (event.key === 'p') go((Math.max(current(), 0) + number - 1) % number);
  });
}

/** Text without its line breaks, for a look at a place. */
const flowing = (text) => visible(text).replace(/\s+/gu, ' ');

/** A place of a passage with the words around it. */
function placeRow(place, found, extra) {
  const [doc, row, start, , , identity] = place;
  const dated = typeof doc === 'number' ? docs.date[doc] : null;
  const from = typeof doc === 'number' ? source(doc) : null;
  const words = found
    ? h(
        'blockquote',
        { dir: 'auto' },
        found.starts ? null : '… ',
        flowing(found.before),
        h('b', null, flowing(found.text)),
        flowing(found.after),
        found.ends ? null : ' …',
      )
    : h('p.hint', null, 'The text of this document is not in the page.');
  return h(
    'li.place',
    null,
    h(
      'div.where',
      null,
      documentLink(doc, { at: start }),
      h(
        'span.hint',
        null,
        facts(
          dated,
          from && line(from),
          `line ${row}`,
          identity < 1000 && `${percent(identity / 1000)} the same`,
        ),
      ),
      extra,
    ),
    words,
  );
}

/** A list that grows when asked to; `row` may be a promise. */
function growing(list, step, row, what = 'ul.places') {
  const node = h(what, { role: 'list' });
  const more = h('button.more', { type: 'button', hidden: true });
  let shown = 0;
  const grow = async () => {
    const next = list.slice(shown, shown + step);
    shown += next.length;
    more.hidden = true;
    node.append(...(await Promise.all(next.map(row))));
    more.hidden = shown >= list.length;
    more.textContent = `Show more (${count(list.length - shown)} left)`;
  };
  more.addEventListener('click', grow);
  const ready = grow();
  return { nodes: [node, more], ready };
}

/** What is known boilerplate to the user, for the next run. */
const marked = new Set();
const marks = new EventTarget();

function tick(family) {
  const box = h('input', {
    type: 'checkbox',
    'aria-label': `Passage ${family + 1} is known boilerplate`,
    change: () => {
      if (box.checked) marked.add(family);
      else marked.delete(family);
      marks.dispatchEvent(new Event('change'));
    },
  });
  box.checked = marked.has(family);
  return box;
}

/** The list of marked passages as `twicetold families --as-ignore` prints it. */
async function ignoreList() {
  const lines = [];
  for (const number of [...marked].sort((x, y) => x - y)) {
    const { hash, text, cut } = await family(number);
    lines.push(JSON.stringify(cut ? { text_hash: hash } : { text_hash: hash, text }));
  }
  return lines.map((row) => `${row}\n`).join('');
}

/** Tells how many are marked, and hands them out. */
function markedBar() {
  const told = h('span');
  const node = h(
    'div.marked',
    { role: 'status', hidden: true },
    told,
    h(
      'button',
      { type: 'button', click: async () => save('ignore.jsonl', await ignoreList()) },
      'Export ignore list',
    ),
    h(
      'button.quiet',
      { type: 'button', click: () => (marked.clear(), marks.dispatchEvent(new Event('change')), show()) },
      'Clear',
    ),
    h('span.hint', null, 'for ', h('code', null, 'twicetold scan … --ignore ignore.jsonl')),
  );
  marks.addEventListener('change', () => {
    node.hidden = marked.size === 0;
    told.textContent = `${many(marked.size, 'passage')} marked as known boilerplate`;
  });
  return node;
}

/** What is not in the page. */
function leftOut(shown, total, noun, file) {
  if (shown >= total) return null;
  return h(
    'p.note',
    null,
    `${count(total - shown)} more ${noun} are not in this page; all ${count(total)} are in ${file}.`,
  );
}
