// One document: its text with what is in it, a map of it, and the other places.

/** Characters after which a new block begins at the next line, so that long texts scroll well. */
const PIECE = 6000;
/** Characters after which one begins in any case. */
const LONGEST = 100000;

async function documentView(params) {
  const doc = docs.number.get(params.get('id'));
  if (doc === undefined) return missing(`The document ${params.get('id') ?? ''} is not in this page.`);
  const found = await text(doc);
  const head = [
    h('h1', null, said(docs.id[doc])),
    h(
      'p.hint',
      null,
      facts(
        source(doc) && line(source(doc)),
        docs.date[doc] && line(docs.date[doc]),
        docs.path[doc] !== docs.id[doc] &&
          docs.path[doc] &&
          line(docs.path[doc]) + (docs.line[doc] ? `:${docs.line[doc]}` : ''),
      ),
    ),
    isReference(doc)
      ? h('p.note', null, 'A document of the other collection: it is told from and not judged.')
      : scores(doc),
  ];
  if (!found) {
    return [
      head,
      h(
        'p.note',
        null,
        `Its text is not in this page, which holds those of ${count(textsListed())} documents; --report-docs moves the bound. It stands in ${docs.path[doc] ? line(docs.path[doc]) : 'the collection'}.`,
      ),
    ];
  }
  return [head, reader(doc, found, params)];
}

function scores(doc) {
  const nearest = docs.nearest[doc];
  const cluster = docs.cluster[doc];
  return [
    bar(letters(doc), 'div.bar.large'),
    figures([
      ['originality', percent(originality(doc)), MEANS.originality],
      originalityMax(doc) !== originality(doc) && [
        'at most',
        percent(originalityMax(doc)),
        MEANS.originality_max,
      ],
      docs.labels[6][doc] > 0 && [
        'without boilerplate',
        percent(originalityBody(doc)),
        MEANS.originality_body,
      ],
      ...LABELS.map(
        ({ name, meaning }, at) =>
          docs.labels[at][doc] > 0 && [
            chip(name),
            percent(share(docs.labels[at][doc], docs.weight[doc])),
            meaning,
          ],
      ),
      ['tokens', count(docs.tokens[doc]), MEANS.tokens],
      ['letters and digits', count(docs.weight[doc]), MEANS.weight],
      ['distinct text', count(docs.fractional[doc]), MEANS.fractional],
      nearest !== null && [
        'nearest',
        [
          percent(docs.nearest_containment[doc]),
          ' in ',
          documentLink(nearest),
          typeof nearest === 'number' && [' ', h('a.side', { href: toPair(doc, nearest) }, 'side by side')],
        ],
        MEANS.nearest,
        true,
      ],
      docs.top_source[doc] !== null && [
        'main source',
        [
          percent(share(docs.top_letters[doc], docs.weight[doc])),
          ' in ',
          said(core.sources[docs.top_source[doc]]),
        ],
        MEANS.top_source,
        true,
      ],
      cluster !== null && [
        'near-duplicates',
        h('a', { href: to('pairs', { cluster }) }, `cluster ${cluster}`),
        'Documents gathered around a leader, each verified against it.',
      ],
    ]),
  ];
}

/** The text, the map beside it and the rail. */
function reader(doc, found, params) {
  const spans = found.spans;
  const page = h('article.text', { 'aria-label': 'Text' });
  const rail = h('aside.rail', { 'aria-label': 'Other places', 'aria-live': 'polite' });
  const marks = drawText(page, found.text, spans);
  const map = minimap(found, spans, (at) => go(at));
  let active = -1;

  const select = async (at, scroll) => {
    if (!(at in spans)) return;
    marks[active]?.forEach((node) => node.removeAttribute('aria-current'));
    active = at;
    marks[at].forEach((node) => node.setAttribute('aria-current', 'true'));
    if (scroll) marks[at][0].scrollIntoView({ block: 'center' });
    setParams({ span: at + 1, at: null });
    rail.replaceChildren(...(await beside(doc, found, spans, at)).flat());
  };
  const go = (at) => {
    select(at, true);
    marks[at]?.[0].focus({ preventScroll: true });
  };
  const first = () => {
    if (params.has('span')) return Number(params.get('span')) - 1;
    if (!params.has('at')) return -1;
    const start = Number(params.get('at'));
    const exact = spans.findIndex(([from, length]) => from <= start && start < from + length);
    return exact >= 0 ? exact : spans.findIndex(([from]) => from >= start);
  };
  page.addEventListener('click', (event) => {
    const at = event.target.closest('mark')?.dataset.span;
    if (at !== undefined) select(Number(at), false);
  });
  page.addEventListener('keydown', (event) => {
    const at = event.target.closest?.('mark')?.dataset.span;
    if (at !== undefined && (event.key === 'Enter' || event.key === ' ')) {
      event.preventDefault();
      select(Number(at), false);
    }
  });
  // The rail follows the pointer when it rests.
  const rest = later(250, (at) => at !== active && select(at, false));
  page.addEventListener('pointerover', (event) => {
    const at = event.target.closest('mark')?.dataset.span;
    if (at !== undefined && event.pointerType === 'mouse') rest(Number(at));
  });
  stepping(spans.length, () => active, go);
  rail.append(
    spans.length === 0
      ? h('p.hint', null, 'Nothing of this text stands anywhere else.')
      : h(
          'p.hint',
          null,
          `${spans.length === 1 ? '1 stretch of this text is' : `${count(spans.length)} stretches of this text are`} not unique. Point at one, or step through them with `,
          h('kbd', null, 'n'),
          ' and ',
          h('kbd', null, 'p'),
          '.',
        ),
  );
  scene.shown(() => {
    const at = first();
    if (at >= 0) go(at);
  });
  const cut = docs.bytes[doc] > bytesIn(found.text);
  const parts = h('div.reader', null, map, page, rail);
  return [
    cut &&
      h(
        'p.note',
        null,
        `The first ${size(bytesIn(found.text))} of ${size(docs.bytes[doc])}; the whole text stands in ${line(docs.path[doc] ?? 'the collection')}.`,
      ),
    parts,
  ];
}

/** Draws a text with its spans marked, and tells the marks of each span. */
function drawText(page, text, spans) {
  const marks = spans.map(() => []);
  let piece = null;
  let filled = 0;
  const put = (from, to, at) => {
    while (from < to) {
      if (!piece || filled >= LONGEST || (filled >= PIECE && text[from - 1] === '\n')) {
        piece = h('div.piece', { dir: 'auto' });
        page.append(piece);
        filled = 0;
      }
      const next = text.indexOf('\n', from + Math.max(0, PIECE - filled));
      let end = Math.min(to, from + LONGEST - filled, next < 0 ? to : next + 1);
      // Not between the halves of a character.
      if (/[\udc00-\udfff]/.test(text[end] ?? '')) end++;
      const shown = visible(text.slice(from, end));
      if (at === null) piece.append(shown);
      else {
        const name = LABELS[spans[at][2]].name;
        const first = marks[at].length === 0;
        const node = h(
          'mark',
          {
            'data-span': at,
            class: `is-${name}`,
            tabindex: first ? '0' : null,
            role: first ? 'button' : null,
          },
          first && mark(name, true),
          shown,
        );
        marks[at].push(node);
        piece.append(node);
      }
      filled += end - from;
      from = end;
    }
  };
  let reached = 0;
  spans.forEach(([start, length], at) => {
    put(reached, start, null);
    put(start, start + length, at);
    reached = start + length;
  });
  put(reached, text.length, null);
  return marks;
}

/** The whole text as a strip. */
function minimap(found, spans, go) {
  const length = Math.max(1, found.text.length);
  const strip = h('div.minimap', { 'aria-hidden': 'true' });
  spans.forEach(([start, part, label], at) => {
    strip.append(
      h('span', {
        class: `is-${LABELS[label].name}`,
        style: { top: `${(100 * start) / length}%`, height: `max(3px, ${(100 * part) / length}%)` },
        click: () => go(at),
      }),
    );
  });
  return strip;
}

/** What the rail says of a span. */
async function beside(doc, found, spans, at) {
  const [start, length, label, number, identity, other] = spans[at];
  const from = bytesIn(found.text.slice(0, start));
  const until = from + bytesIn(found.text.slice(start, start + length));
  const row = found.text.slice(0, start).split('\n').length;
  const head = [
    h('div.where', null, chip(LABELS[label].name), h('span.hint', null, `${at + 1} of ${spans.length}`)),
    h(
      'p.hint',
      null,
      `line ${count(row)}, bytes ${count(from)}–${count(until)}${identity < 1000 ? `, ${percent(identity / 1000)} the same` : ''}`,
    ),
  ];
  if (number === 0) return [...head, h('p', null, LABELS[label].meaning)];
  if (!(number - 1 in fams.kind)) {
    return [
      ...head,
      h(
        'p',
        null,
        `Passage ${count(number)}, which is not in this page but in families.jsonl. Also in `,
        documentLink(other),
        '.',
      ),
    ];
  }
  const of = await family(number - 1);
  // Not this very place, which the span is a part of.
  const here = (place) => place[0] === doc && place[2] < start + length && start < place[2] + place[3];
  const places = of.places.filter((place) => !here(place));
  const list = growing(places, 8, async (place) => {
    const side =
      typeof place[0] === 'number' &&
      place[0] !== doc &&
      h('a.side', { href: toPair(doc, place[0]) }, 'side by side');
    return placeRow(place, await context(place, 60), side);
  });
  await list.ready;
  return [
    ...head,
    h(
      'p',
      null,
      h('a', { href: toPassage(number - 1) }, `Passage ${count(number)}`),
      ` stands in ${many(fams.df[number - 1], 'document')}: ${line(fams.reason[number - 1])}.`,
    ),
    h('h2', null, places.length === 1 ? 'The other place' : `The other ${count(places.length)} places`),
    list.nodes,
  ];
}
