// Tables of any length: only the rows in sight are made.

/** A column of counts, the most first when it is sorted by. */
const counted = (name, of, column) => ({
  name,
  right: true,
  down: true,
  by: of,
  cell: (row) => count(of(row)),
  ...column,
});

/**
 * A table of `rows`, which are numbers. A column has `name`, `cell(row)`, and if
 * it can be sorted by, `by(row)`; `meaning` explains it, `wide` is its share of
 * the width, `least` hides it on screens narrower than so many pixels. A `plain`
 * table is not sorted.
 */
function table({ label, columns, rows, height, link, plain, sort, onsort, none }) {
  const shown = columns.filter(Boolean);
  const widths = (list) => list.map((column) => column.wide ?? 'minmax(4rem, 1fr)').join(' ');
  const head = h('div.tr.head', { role: 'row', 'aria-rowindex': 1 });
  const body = h('div.body', { role: 'rowgroup' });
  const node = h(
    'div.table',
    { role: 'table', 'aria-label': label, style: { '--row': `${height}px` } },
    h('div', { role: 'rowgroup' }, head),
    body,
  );
  const empty = h('p.note', { hidden: true }, none ?? 'Nothing here.');
  let order = rows;
  let by = sort;
  let visibleColumns = [];
  const made = new Map();

  const sorted = (list) => {
    const column = shown.find((column) => column.name === by?.column);
    if (!column?.by) return list;
    const keys = new Map(list.map((row) => [row, column.by(row)]));
    const sign = by.down ? -1 : 1;
    // What has no value comes last, whichever way.
    const order = (x, y) => {
      const [p, q] = [keys.get(x), keys.get(y)];
      if (p === null || p === undefined) return q === null || q === undefined ? x - y : 1;
      if (q === null || q === undefined) return -1;
      return (p < q ? -sign : p > q ? sign : 0) || x - y;
    };
    return [...list].sort(order);
  };

  const header = () => {
    const width = node.clientWidth || innerWidth;
    visibleColumns = shown.filter((column) => !column.least || width >= column.least);
    node.style.setProperty('--columns', widths(visibleColumns));
    node.setAttribute('aria-colcount', visibleColumns.length);
    const cell = (column) => {
      const sorts = by?.column === column.name ? (by.down ? 'descending' : 'ascending') : undefined;
      const turn = () => {
        by = { column: column.name, down: sorts ? !by.down : Boolean(column.down) };
        onsort?.(by);
        set(rows);
        head.querySelector('[aria-sort] button')?.focus();
      };
      const text =
        column.by && !plain
          ? h('button.sort', { type: 'button', click: turn, 'data-why': column.meaning }, column.name)
          : column.meaning
            ? why(column.name, column.meaning)
            : column.name;
      return h(
        'div.th',
        { role: 'columnheader', 'aria-sort': sorts, class: column.right ? 'right' : '' },
        text,
      );
    };
    head.replaceChildren(...visibleColumns.map(cell));
  };

  const make = (at) => {
    const row = order[at];
    const cells = visibleColumns.map((column) =>
      h('div.td', { role: 'cell', class: column.right ? 'right' : '' }, column.cell(row)),
    );
    const made = h(
      'div.tr',
      { role: 'row', 'aria-rowindex': at + 2, style: { transform: `translateY(${at * height}px)` } },
      cells,
    );
    // A row is as good as its link, but for what can be clicked inside it.
    if (link) {
      made.classList.add('links');
      made.addEventListener('click', (event) => {
        if (!event.target.closest('a, button, input, label') && !String(getSelection()))
          location.hash = link(row);
      });
    }
    return made;
  };

  const draw = (from, to) => {
    for (const [at, row] of made) {
      if (at < from || at >= to) {
        row.remove();
        made.delete(at);
      }
    }
    for (let at = from; at < to; at++) {
      if (made.has(at)) continue;
      const row = make(at);
      made.set(at, row);
      let after = null;
      for (const child of body.children) {
        if (Number(child.getAttribute('aria-rowindex')) > at + 2) {
          after = child;
          break;
        }
      }
      body.insertBefore(row, after);
    }
  };

  const update = () => {
    if (!node.isConnected || printing) return;
    const top = body.getBoundingClientRect().top;
    const first = Math.floor(Math.max(0, -top) / height);
    draw(Math.max(0, first - 8), Math.min(order.length, first + Math.ceil(innerHeight / height) + 8));
  };

  const clear = () => {
    made.clear();
    body.replaceChildren();
  };

  const set = (list) => {
    rows = list;
    order = sorted(rows);
    header();
    clear();
    body.style.height = `${order.length * height}px`;
    node.setAttribute('aria-rowcount', order.length + 1);
    node.hidden = order.length === 0;
    empty.hidden = order.length > 0;
    update();
  };

  // On paper the first rows stand one below the other.
  let printing = false;
  const ON_PAPER = 200;
  const cut = h('p.note.paper');
  const paper = (on) => {
    printing = on;
    clear();
    node.classList.toggle('printed', on);
    if (on) draw(0, Math.min(order.length, ON_PAPER));
    else update();
    cut.textContent = order.length > ON_PAPER ? `The first ${ON_PAPER} of ${count(order.length)} rows.` : '';
  };

  scene.on(window, 'scroll', () => requestAnimationFrame(update));
  scene.on(window, 'resize', () => set(rows));
  scene.on(window, 'beforeprint', () => paper(true));
  scene.on(window, 'afterprint', () => paper(false));
  scene.shown(() => set(rows));
  return { node: [node, empty, cut], set };
}
