// Drawings. Each is told in words too.

/**
 * Documents by originality, with a threshold to move by hand or keys. `onmove`
 * gets it in whole percents.
 */
function histogram(bins, at, onmove) {
  const [width, height] = [720, 150];
  const bars = upTo(50).map(
    (bin) => bins[2 * bin][0] + bins[2 * bin + 1][0] + (bin === 49 ? bins[100][0] : 0),
  );
  const most = Math.max(1, ...bars);
  const step = width / 50;
  const drawn = bars.map((documents, bin) => {
    const tall = documents > 0 ? Math.max(2, (documents / most) * (height - 10)) : 0;
    const what = `${2 * bin}–${2 * bin + 2} %: ${many(documents, 'document')}`;
    return s(
      'rect',
      { x: bin * step + 1, y: height - tall, width: step - 2, height: tall, rx: 1 },
      s('title', null, what),
    );
  });
  const handle = h('span.handle');
  const drawing = h(
    'div.drawing',
    { 'aria-hidden': 'true' },
    s('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none' }, drawn),
    handle,
  );
  const scale = h(
    'div.scale',
    { 'aria-hidden': 'true' },
    [0, 20, 40, 60, 80, 100].map((part) => h('span', null, `${part} %`)),
  );
  const slider = h(
    'div.histogram',
    {
      role: 'slider',
      tabindex: '0',
      'aria-label': 'Threshold of originality',
      'aria-valuemin': '0',
      'aria-valuemax': '100',
    },
    drawing,
    scale,
  );
  const move = (to, told = true) => {
    at = Math.max(0, Math.min(100, Math.round(to)));
    slider.setAttribute('aria-valuenow', at);
    slider.setAttribute('aria-valuetext', `${at} percent`);
    handle.style.left = `${at}%`;
    drawn.forEach((bar, bin) => bar.classList.toggle('below', 2 * bin + 2 <= at));
    if (told) onmove(at);
  };
  const drag = (event) => {
    const box = drawing.getBoundingClientRect();
    move((100 * (event.clientX - box.left)) / box.width);
  };
  slider.addEventListener('pointerdown', (event) => {
    slider.setPointerCapture(event.pointerId);
    drag(event);
  });
  slider.addEventListener('pointermove', (event) => slider.hasPointerCapture(event.pointerId) && drag(event));
  slider.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[
      event.key
    ];
    const end = { Home: 0, End: 100 }[event.key];
    if (by === undefined && end === undefined) return;
    event.preventDefault();
    move(end ?? at + by);
  });
  move(at, false);
  return slider;
}

const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);

/** Documents over time. `course` is bins and documents in turn. */
function course(numbers, large = false) {
  if (!core.times) return null;
  const [first, last, bins] = core.times;
  const [width, height] = large ? [720, 90] : [96, 28];
  const values = upTo(bins).map(() => 0);
  for (let at = 0; at < numbers.length; at += 2) values[numbers[at]] = numbers[at + 1];
  const most = Math.max(1, ...values);
  const step = width / bins;
  const when = (bin) => day(first + ((last - first + 1) * bin) / bins);
  const bars = values.map((documents, bin) => {
    const tall = documents ? Math.max(2, (documents / most) * (height - 2)) : 0;
    return s(
      'rect',
      { x: bin * step + 0.5, y: height - tall, width: Math.max(1, step - 1), height: tall },
      large && s('title', null, `${when(bin)} to ${when(bin + 1)}: ${many(documents, 'document')}`),
    );
  });
  const told = values
    .map((documents, bin) => documents && `${when(bin)}: ${documents}`)
    .filter(Boolean)
    .join('; ');
  const drawing = s(
    'svg.course',
    {
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-label': told || 'no dates',
      class: large ? 'large' : 'small',
    },
    s('path.base', { d: `M0 ${height - 0.5}H${width}` }),
    bars,
  );
  if (!large) return drawing;
  return h(
    'figure',
    null,
    drawing,
    h('figcaption.scale', null, h('span', null, day(first)), h('span', null, day(last))),
  );
}

/** Who prints what another source has too. */
function matrix() {
  const MOST = 40;
  const sums = new Map();
  for (const [own, other, chars] of core.copied) {
    if (own === other) continue;
    sums.set(own, (sums.get(own) ?? 0) + chars);
    sums.set(other, (sums.get(other) ?? 0) + chars);
  }
  const order = [...sums.keys()].sort((x, y) => sums.get(y) - sums.get(x) || x - y);
  if (order.length < 2) return null;
  const shown = order.slice(0, MOST).sort((x, y) => (core.sources[x] < core.sources[y] ? -1 : 1));
  const cells = new Map(core.copied.map(([own, other, chars]) => [`${own} ${other}`, chars]));
  const most = Math.max(...core.copied.filter(([own, other]) => own !== other).map((cell) => cell[2]));
  const name = (source) => line(core.sources[source]);
  const cell = (own, other) => {
    const chars = cells.get(`${own} ${other}`) ?? 0;
    if (!chars) return h('td', { class: own === other ? 'same' : '' });
    const told = `${name(own)} has ${count(chars)} characters that ${name(other)} has ${own === other ? 'elsewhere' : 'too'}`;
    const deep = own === other ? 0 : Math.sqrt(chars / most);
    return h(
      'td',
      { class: own === other ? 'same' : '', style: { '--deep': deep }, title: told },
      h(
        'a',
        {
          href: to('passages', { q: `source:"${core.sources[own]}" source:"${core.sources[other]}"` }),
          'aria-label': told,
        },
        chars >= 1e6
          ? `${(chars / 1e6).toFixed(1)}M`
          : chars >= 1e3
            ? `${Math.round(chars / 1e3)}k`
            : String(chars),
      ),
    );
  };
  const grid = h(
    'table.matrix',
    null,
    h(
      'thead',
      null,
      h(
        'tr',
        null,
        h('td'),
        shown.map((other) => h('th', { scope: 'col' }, h('span', { dir: 'auto' }, name(other)))),
      ),
    ),
    h(
      'tbody',
      null,
      shown.map((own) =>
        h(
          'tr',
          null,
          h('th', { scope: 'row', dir: 'auto' }, name(own)),
          shown.map((other) => cell(own, other)),
        ),
      ),
    ),
  );
  const rest = order.length - shown.length;
  return [
    h(
      'p.hint',
      null,
      'Characters that the source of a row has and that stand in the source of a column, in its earliest document that has them. Where dates are known that one came first; where not, either may have. Hatched is what a source has of itself.',
    ),
    h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': 'Source by source' }, grid),
    rest > 0 &&
      h('p.note', null, `The ${MOST} sources with most in common; ${count(rest)} more are in spans.jsonl.`),
  ];
}

/** Documents and what they have in common, when they are few. */
function network() {
  if (core.links.length === 0) return null;
  const nodes = [...new Set(core.links.flatMap(([a, b]) => [a, b]))].sort((x, y) => x - y);
  const at = new Map(nodes.map((doc, number) => [doc, number]));
  const [width, height] = [720, 420];
  // Springs and charges (Fruchterman and Reingold, Graph Drawing by Force-directed Placement, 1991), from a
  // circle: the same drawing every time.
  const places = nodes.map((_, number) => {
    const turn = (2 * Math.PI * number) / nodes.length;
    return [width / 2 + 150 * Math.cos(turn), height / 2 + 150 * Math.sin(turn)];
  });
  const most = Math.max(...core.links.map((link) => link[2]));
  const ideal = 0.6 * Math.sqrt((width * height) / nodes.length);
  for (let round = 0; round < 300; round++) {
    const heat = 30 * (1 - round / 300);
    const push = places.map(() => [0, 0]);
    const force = (i, j, much) => {
      const [x, y] = [places[j][0] - places[i][0], places[j][1] - places[i][1]];
      const far = Math.hypot(x, y) || 1;
      const by = much(far) / far;
      push[i] = [push[i][0] + x * by, push[i][1] + y * by];
      push[j] = [push[j][0] - x * by, push[j][1] - y * by];
    };
    for (let i = 0; i < nodes.length; i++)
      for (let j = i + 1; j < nodes.length; j++) force(i, j, (far) => (-ideal * ideal) / far);
    for (const [a, b, tokens] of core.links)
      force(at.get(a), at.get(b), (far) => (far * far * (0.5 + (0.5 * tokens) / most)) / ideal);
    places.forEach((place, i) => {
      // What hangs together with nothing else stays near the middle.
      push[i] = [push[i][0] + (width / 2 - place[0]) * 0.4, push[i][1] + (height / 2 - place[1]) * 0.8];
      const much = Math.hypot(...push[i]) || 1;
      const by = Math.min(much, heat) / much;
      place[0] = Math.min(width - 90, Math.max(90, place[0] + push[i][0] * by));
      place[1] = Math.min(height - 28, Math.max(20, place[1] + push[i][1] * by));
    });
  }
  const lines = core.links.map(([a, b, tokens]) => {
    const [p, q] = [places[at.get(a)], places[at.get(b)]];
    const told = `${line(docs.id[a])} and ${line(docs.id[b])}: ${many(tokens, 'token')} in common`;
    return s(
      'a',
      { href: toPair(a, b), 'aria-label': told },
      s('path.hit', { d: `M${p}L${q}` }),
      s('path.link', { d: `M${p}L${q}`, 'stroke-width': 1 + (7 * tokens) / most }),
      s('title', null, told),
    );
  });
  const named = (doc) => {
    const id = line(docs.id[doc]);
    const short = id.split('/').pop();
    return short.length > 24 ? `${short.slice(0, 23)}…` : short;
  };
  const dots = nodes.map((doc, number) =>
    s(
      'a',
      { href: toDocument(doc), transform: `translate(${places[number]})`, 'aria-label': line(docs.id[doc]) },
      s('circle', { r: 6 }),
      s('text', { y: 20, 'text-anchor': 'middle' }, named(doc)),
      s('title', null, line(docs.id[doc])),
    ),
  );
  return h(
    'figure',
    null,
    s(
      'svg.network',
      {
        viewBox: `0 0 ${width} ${height}`,
        role: 'group',
        'aria-label': 'Documents and what they have in common',
      },
      lines,
      dots,
    ),
    h(
      'figcaption.hint',
      null,
      'A line joins documents that have passages in common, the wider the more; set phrases apart. Follow it to see the two side by side.',
    ),
  );
}

/** With which probability documents of a resemblance are compared. */
function curve() {
  const [width, height] = [320, 120];
  const points = core.run.band_curve.map(
    ([x, y]) => `${(x * width).toFixed(1)} ${(height - y * (height - 4)).toFixed(1)}`,
  );
  const wanted = core.run.config.similarity * width;
  return h(
    'figure',
    null,
    s(
      'svg.curve',
      {
        viewBox: `0 0 ${width} ${height}`,
        role: 'img',
        'aria-label': 'Probability that two documents are compared, by their resemblance',
      },
      s('path.base', { d: `M0 ${height - 0.5}H${width}M${wanted} 0V${height}` }),
      s('path.line', { d: `M0 ${height}L${points.join('L')}` }),
    ),
    h(
      'figcaption.scale',
      null,
      h('span', null, 'resemblance 0'),
      h('span', null, `near-duplicate from ${core.run.config.similarity}`),
      h('span', null, '1'),
    ),
  );
}
