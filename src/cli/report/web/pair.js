// Two documents side by side, and what joins them.

async function pairView(params) {
  const ids = [params.get('a'), params.get('b')];
  const two = ids.map((id) => docs.number.get(id));
  if (two.includes(undefined)) return missing('One of these documents is not in this page.');
  const [a, b] = two;
  const texts = await Promise.all(two.map(text));
  const head = [
    h('h1', null, 'Side by side'),
    verified(a, b),
    h(
      'p.hint',
      null,
      h('a', { href: toPair(b, a) }, 'swap'),
      ' · ',
      h('label.tick', null, linked(), ' scroll together'),
    ),
  ];
  if (texts.includes(null))
    return [
      head,
      h('p.note', null, 'The text of one of them is not in this page; --report-docs moves the bound.'),
    ];
  const joined = joins(texts);
  for (const join of joined) {
    join.texts = texts.map((found, side) =>
      found.text.slice(join[1 + side][0], join[1 + side][0] + join[1 + side][1]),
    );
  }
  const columns = texts.map((found, side) => column(two[side], found, joined, side));
  const strip = barcode(texts, joined, (at) => jump(at));
  const panes = columns.map((of) => of.pane);

  const jump = (at) => {
    panes.forEach((pane) =>
      pane.querySelectorAll('[aria-current]').forEach((node) => node.removeAttribute('aria-current')),
    );
    columns.forEach(({ marks, pane }) => {
      marks[at].setAttribute('aria-current', 'true');
      pane.scrollTop = marks[at].offsetTop - pane.clientHeight / 3;
    });
    strip.querySelectorAll('path').forEach((path, number) => path.classList.toggle('active', number === at));
  };
  panes.forEach((pane) =>
    pane.addEventListener('click', (event) => {
      const at = event.target.closest('mark')?.dataset.join;
      if (at !== undefined) jump(Number(at));
    }),
  );
  // One pane leads, the other follows from joined place to joined place.
  let leads = null;
  panes.forEach((pane, side) => {
    for (const event of ['pointerenter', 'focusin', 'wheel', 'touchstart']) {
      pane.addEventListener(event, () => (leads = side), { passive: true });
    }
    pane.addEventListener(
      'scroll',
      () => {
        if (!scrollTogether || leads !== side) return;
        const other = 1 - side;
        panes[other].scrollTop =
          follow(columns, side, pane.scrollTop + pane.clientHeight / 3) - panes[other].clientHeight / 3;
      },
      { passive: true },
    );
  });
  let current = -1;
  stepping(
    joined.length,
    () => current,
    (at) => jump((current = at)),
  );
  if (joined.length) scene.shown(() => jump((current = 0)));
  return [
    head,
    joined.length === 0 && h('p.note', null, 'These two have no passage in common.'),
    h('div.pair', null, columns[0].node, strip, columns[1].node),
  ];
}

let scrollTogether = true;

function linked() {
  const box = h('input', { type: 'checkbox', change: () => (scrollTogether = box.checked) });
  box.checked = scrollTogether;
  return box;
}

function verified(a, b) {
  const { pairs } = core;
  const at = pairs.a.findIndex(
    (one, row) => (one === a && pairs.b[row] === b) || (one === b && pairs.b[row] === a),
  );
  if (at < 0) return h('p.hint', null, 'Not near-duplicates; what they have in common is marked.');
  const [first, second] = pairs.a[at] === a ? ['a_in_b', 'b_in_a'] : ['b_in_a', 'a_in_b'];
  return figures([
    ['resemblance', pairs.resemblance[at].toFixed(3), MEANS.resemblance],
    ['left in right', pairs[first][at].toFixed(3), MEANS.containment],
    ['right in left', pairs[second][at].toFixed(3), MEANS.containment],
    ['tokens in common', count(pairs.tokens[at]), MEANS.shared_tokens],
  ]);
}

/**
 * The passages two texts have in common: [family, [start, length], [start,
 * length]], set phrases apart. Of those that overlap the longer is taken; each
 * place is joined once.
 */
function joins([left, right]) {
  const by = new Map();
  for (const [family, start, length] of right.places) {
    const list = by.get(family) ?? [];
    list.push([start, length]);
    by.set(family, list);
  }
  const used = new Map();
  const found = [];
  for (const [family, start, length] of left.places) {
    const at = used.get(family) ?? 0;
    const others = by.get(family);
    if (!others || kindOf(family) === 'formula') continue;
    // Told more often here than there: the last one there answers for all.
    found.push([family, [start, length], others[Math.min(at, others.length - 1)]]);
    used.set(family, at + 1);
  }
  const taken = [[], []];
  const free = (side, [start, length]) =>
    taken[side].every(([from, long]) => start + length <= from || from + long <= start);
  return found
    .sort((x, y) => y[1][1] - x[1][1] || x[1][0] - y[1][0])
    .filter((join) => {
      if (![0, 1].every((side) => free(side, join[1 + side]))) return false;
      [0, 1].forEach((side) => taken[side].push(join[1 + side]));
      return true;
    })
    .sort((x, y) => x[1][0] - y[1][0]);
}

function kindOf(number) {
  return number - 1 in fams.kind ? kind(number - 1) : 'shared';
}

/** One text with what it has in common with the other. */
function column(doc, found, joined, side) {
  const pane = h('div.pane.text', {
    tabindex: '0',
    role: 'region',
    'aria-label': `Text of ${line(docs.id[doc])}`,
  });
  const order = upTo(joined.length).sort((x, y) => joined[x][1 + side][0] - joined[y][1 + side][0]);
  const marks = [];
  const body = h('div.piece', { dir: 'auto' });
  let reached = 0;
  for (const at of order) {
    const family = joined[at][0];
    const [start, length] = joined[at][1 + side];
    const name = kindOf(family);
    body.append(visible(found.text.slice(reached, start)));
    marks[at] = h(
      'mark',
      { 'data-join': at, class: `is-${name}`, title: `${name}, passage ${family}` },
      mark(name, true),
      words(joined[at], side),
    );
    body.append(marks[at]);
    reached = start + length;
  }
  body.append(visible(found.text.slice(reached)));
  pane.append(body);
  const node = h(
    'div.side',
    null,
    h(
      'div.where',
      null,
      documentLink(doc),
      h(
        'span.hint',
        null,
        facts(
          source(doc) && line(source(doc)),
          docs.date[doc] && line(docs.date[doc]),
          !isReference(doc) && `${percent(originality(doc))} original`,
        ),
      ),
    ),
    pane,
  );
  return { node, pane, marks };
}

/** A joined stretch, in which the words that the other lacks stand out. */
function words({ texts }, side) {
  if (Math.max(texts[0].length, texts[1].length) > 20000) return visible(texts[side]);
  const part = ([what, out]) =>
    what === 'same' ? visible(out) : what === 'out' ? h('span.differs', null, visible(out)) : null;
  return diff(texts[side], texts[1 - side]).map(part);
}

/** Where the other text is when this one is at a height. */
function follow(columns, side, height) {
  const points = [[0, 0]];
  const [own, other] = [columns[side], columns[1 - side]];
  own.marks.forEach((node, at) => {
    const [from, to] = [node.offsetTop, other.marks[at].offsetTop];
    // Only places that go the same way can lead.
    if (from > points[points.length - 1][0] && to > points[points.length - 1][1]) points.push([from, to]);
  });
  points.push([
    Math.max(own.pane.scrollHeight, points[points.length - 1][0] + 1),
    Math.max(other.pane.scrollHeight, points[points.length - 1][1] + 1),
  ]);
  const next = points.findIndex((point) => point[0] >= height);
  if (next <= 0) return next === 0 ? points[0][1] : points[points.length - 1][1];
  const [[x0, y0], [x1, y1]] = [points[next - 1], points[next]];
  return y0 + ((height - x0) / (x1 - x0)) * (y1 - y0);
}

/** Two rulers and what joins them, which shows at a glance what was moved. */
function barcode(texts, joined, go) {
  const height = 1000;
  const scale = texts.map((found) => height / Math.max(1, found.text.length));
  const ends = (join, side) => [
    join[1 + side][0] * scale[side],
    Math.max(3, join[1 + side][1] * scale[side]),
  ];
  return s(
    'svg.barcode',
    {
      viewBox: `0 0 60 ${height}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': `${many(joined.length, 'passage')} in common`,
    },
    s('rect', { x: 0, width: 6, height }),
    s('rect', { x: 54, width: 6, height }),
    joined.map((join, at) => {
      const [[y0, h0], [y1, h1]] = [ends(join, 0), ends(join, 1)];
      return s(
        'path',
        {
          class: `is-${kindOf(join[0])}`,
          d: `M0 ${y0}H6C30 ${y0} 30 ${y1} 54 ${y1}H60V${y1 + h1}H54C30 ${y1 + h1} 30 ${y0 + h0} 6 ${y0 + h0}H0Z`,
          click: () => go(at),
        },
        s('title', null, `${kindOf(join[0])}, passage ${join[0]}`),
      );
    }),
  );
}
