// One passage: its text, its wordings, its places.

/** Wordings that are set beside the commonest. */
const WORDINGS = 12;

async function passageView(params, number) {
  const row = Number(number) - 1;
  if (!(row in fams.kind)) return missing(`There is no passage ${number} in this page.`);
  const found = await family(row);
  const name = kind(row);
  const dated = fams.first_date[row];
  const sources = fams.source_count[row];
  const wordings = await wordingsOf(found);
  const places = growing(found.places, 30, async (place) => placeRow(place, await context(place)));
  const next = (at, text) => at in fams.kind && h('a', { href: toPassage(at) }, text);
  return [
    h(
      'nav.steps',
      { 'aria-label': 'Passages' },
      next(row - 1, '← previous'),
      h('a', { href: to('passages') }, 'all passages'),
      next(row + 1, 'next →'),
    ),
    h('h1', null, `Passage ${count(row + 1)} `, chip(name)),
    h('p.lead', null, line(fams.reason[row]), '. ', h('span.hint', null, KINDS[fams.kind[row]].meaning)),
    h('label.tick', null, tick(row), ' known boilerplate: put it on a list to ignore'),
    h(
      'div.split',
      null,
      h(
        'div',
        null,
        h(
          'blockquote.consensus',
          { dir: 'auto' },
          consensus(found.text, wordings),
          found.cut && ' … (it goes on; the whole text is in families.jsonl)',
        ),
        wordings.some((of) => of.changes) &&
          h('p.hint', null, 'Marked words are worded otherwise elsewhere.'),
        wordings.length > 1 &&
          section(
            'Wordings',
            h(
              'p.hint',
              null,
              'Each set against the commonest: what it leaves out is struck, what it has instead is underlined.',
            ),
            h('ol.wordings', null, wordings.map(wordingRow)),
            fams.variants[row] > wordings.length &&
              h('p.note', null, `${count(fams.variants[row] - wordings.length)} more wordings.`),
          ),
        section(
          'Places',
          places.nodes,
          leftOut(found.places.length, fams.occurrences[row], 'places', 'occurrences.jsonl'),
        ),
      ),
      h(
        'aside',
        { 'aria-label': 'Figures' },
        figures([
          ['documents', count(fams.df[row]), MEANS.docs],
          ['places', count(fams.occurrences[row]), MEANS.places],
          sources > 0 && ['sources', count(sources), MEANS.sources],
          ['tokens', count(fams.tokens[row]), MEANS.length],
          dated && ['first seen', line(dated), MEANS.first_seen],
          dated && ['last seen', line(fams.last_date[row]), MEANS.last_seen],
          ['wordings', count(fams.variants[row]), MEANS.variants],
          ['cohesion', percent(fams.cohesion[row]), MEANS.cohesion],
          [
            'rest alike',
            found.rest_similarity === null ? null : percent(found.rest_similarity),
            MEANS.rest_similarity,
          ],
          ['in quotation marks', percent(found.quote_share), MEANS.quote_share],
          ['near an edge', percent(found.edge_share), MEANS.edge_share],
          ['whole lines', percent(found.block_share), MEANS.block_share],
          [
            'position',
            `${percent(found.position_mean)} ± ${percent(found.position_sd)}`,
            MEANS.position,
            true,
          ],
        ]),
        dated && section('Over time', course(fams.course[row], true)),
        sources > 1 && section('Sources', sourceBars(found)),
      ),
    ),
  ];
}

/** The wordings whose text is at hand, the commonest first. */
async function wordingsOf(found) {
  const by = new Map();
  for (const place of found.places) {
    const group = by.get(place[4]) ?? [];
    group.push(place);
    by.set(place[4], group);
  }
  const numbers = [...by.keys()].sort((x, y) => x - y).slice(0, WORDINGS);
  const wording = async (number) => {
    const places = by.get(number);
    if (number === 1) return { places, text: found.text };
    // Any of its places will do, if its text is in the page.
    for (const place of places.slice(0, 5)) {
      const printed = await context(place, 0);
      if (printed)
        return { places, text: printed.text, changes: found.cut ? null : diff(found.text, printed.text) };
    }
    return { places, text: null };
  };
  return Promise.all(numbers.map(wording));
}

/** The text with the words that differ elsewhere marked. */
function consensus(text, wordings) {
  const differs = new Uint8Array(text.length);
  const instead = new Map();
  for (const { changes, places } of wordings) {
    let at = 0;
    for (const [index, [what, out]] of (changes ?? []).entries()) {
      if (what === 'out') {
        differs.fill(1, at, at + out.length);
        const beside = [changes[index + 1], changes[index - 1]].find((change) => change?.[0] === 'in');
        const list = instead.get(at) ?? [];
        list.push(`${beside ? `“${line(beside[2])}”` : 'left out'} (${many(places.length, 'place')})`);
        instead.set(at, list);
      }
      at += out.length;
    }
  }
  const parts = [];
  for (let at = 0; at < text.length;) {
    let end = at + 1;
    while (end < text.length && differs[end] === differs[at] && !(differs[at] && instead.has(end))) end++;
    const part = visible(text.slice(at, end));
    parts.push(
      differs[at]
        ? h(
            'mark.varies',
            {
              tabindex: '0',
              'data-why': `Elsewhere: ${(instead.get(at) ?? ['worded otherwise']).join('; ')}`,
            },
            part,
          )
        : part,
    );
    at = end;
  }
  return parts;
}

function wordingRow({ places, text, changes }, at) {
  const parts = changes
    ? changes.map(([what, out, into]) =>
        what === 'same'
          ? visible(into)
          : what === 'out'
            ? h('del', null, visible(out))
            : h('ins', null, visible(into)),
      )
    : text === null
      ? h('span.hint', null, 'Its documents are not in the page.')
      : visible(text);
  return h(
    'li',
    null,
    h(
      'div.where',
      null,
      h('b', null, many(places.length, 'place')),
      h(
        'span.hint',
        null,
        at === 0 ? 'the commonest' : ['first in ', documentLink(places[0][0], { at: places[0][2] })],
      ),
    ),
    h('blockquote', { dir: 'auto' }, parts),
  );
}

/** In how many documents of each source it stands. */
function sourceBars(found) {
  const sums = new Map();
  for (const doc of new Set(found.places.map((place) => place[0]))) {
    const name = typeof doc === 'number' ? source(doc) : null;
    if (name !== null) sums.set(name, (sums.get(name) ?? 0) + 1);
  }
  const order = [...sums].sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1));
  const most = order.length ? order[0][1] : 1;
  const row = ([name, documents]) =>
    h(
      'li',
      null,
      said(name),
      h(
        'span.meter',
        { 'aria-hidden': 'true' },
        h('span', { style: { width: `${(100 * documents) / most}%` } }),
      ),
      h('span.amount', null, many(documents, 'document')),
    );
  const shown = growing(order, 12, row, 'ul.bars');
  return shown.nodes;
}
