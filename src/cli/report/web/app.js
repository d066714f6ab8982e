// The page: which view is shown, what keys do, light and dark.

const VIEWS = [
  ['summary', 'Summary', summaryView],
  ['passages', 'Passages', passagesView],
  ['documents', 'Documents', documentsView],
  ['pairs', 'Near-duplicates', pairsView],
  ['sources', 'Sources', sourcesView],
  ['run', 'Run', runView],
];
/** Views that belong to one of the above. */
const INNER = {
  passage: ['passages', passageView],
  document: ['documents', documentView],
  pair: ['pairs', pairView],
};

const isTyping = (target) => Boolean(target.closest?.('input:not([type=checkbox]), textarea, [role=slider]'));

/** What the address says: a view, its number, and its settings. */
function where() {
  const [path, tail] = location.hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [view, number] = path.split('/');
  return { view: view || 'summary', number, params: new URLSearchParams(tail ?? '') };
}

/** Changes settings in the address without leaving the view. */
function setParams(changes) {
  const { view, number, params } = where();
  const next = Object.fromEntries(params);
  Object.assign(next, changes);
  const address = to(number ? `${view}/${number}` : view, next);
  if (address !== location.hash) history.replaceState(null, '', address);
}

const missing = (told) => [
  h('h1', null, 'Not here'),
  h('p', null, told),
  h('p', null, h('a', { href: to('summary') }, 'To the summary')),
];

const main = h('main', { tabindex: '-1', id: 'main' });
let turn = 0;

async function show() {
  const mine = ++turn;
  const { view, number, params } = where();
  const entry = VIEWS.find((of) => of[0] === view);
  const [tab, make] = entry
    ? [view, entry[2]]
    : (INNER[view] ?? ['', () => missing('There is no such view.')]);
  scene.leave();
  let content;
  try {
    content = await make(params, number);
  } catch (error) {
    content = missing(`This part of the page could not be read: ${error.message}`);
  }
  if (mine !== turn) return;
  main.replaceChildren(...[content].flat(Infinity).filter(Boolean));
  document.querySelectorAll('nav.tabs a').forEach((link) => {
    if (link.dataset.view === tab) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  });
  const heading = main.querySelector('h1')?.textContent ?? '';
  document.title = `${heading} · ${title()} · twicetold`;
  if (!params.has('span') && !params.has('at')) scrollTo(0, 0);
  scene.enter();
  main.dataset.view = view;
  dispatchEvent(new Event('shown'));
}

const HELP = [
  ['/', 'search'],
  ['n  p', 'next and previous span of a text, or passage of a pair'],
  ['1 – 6', 'the views in the order of the tabs'],
  ['← →', 'move the threshold, when it has the focus'],
  ['t', 'light or dark'],
  ['?', 'this list'],
  ['Esc', 'close'],
];

function helpBox() {
  const box = h(
    'dialog',
    { 'aria-label': 'Keys' },
    h('h2', null, 'Keys'),
    h(
      'dl.keys',
      null,
      HELP.map(([keys, does]) => [h('dt', null, h('kbd', null, keys)), h('dd', null, does)]),
    ),
    h('form', { method: 'dialog' }, h('button', null, 'Close')),
  );
  return box;
}

/** Light or dark: as the system has it until the user says otherwise. */
function turnTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
}

function keys(help) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target)) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    const tab = VIEWS[Number(event.key) - 1];
    if (tab) location.hash = to(tab[0]);
    else if (event.key === '?') help.showModal();
    else if (event.key === 't') turnTheme();
    else if (event.key === '/') {
      event.preventDefault();
      const box = main.querySelector('[type=search]');
      if (box) box.focus();
      else {
        location.hash = to('passages');
        addEventListener('shown', () => main.querySelector('[type=search]')?.focus(), { once: true });
      }
    }
  });
}

async function start() {
  const app = document.getElementById('app');
  try {
    await load();
  } catch (error) {
    app.replaceChildren(
      h(
        'p.error',
        { role: 'alert' },
        `This report cannot be opened: ${error.message}. It needs a browser of 2023 or later.`,
      ),
    );
    return;
  }
  const help = helpBox();
  const tabs = VIEWS.map(([view, name]) => h('a', { href: to(view), 'data-view': view }, name));
  app.replaceChildren(
    h(
      'a.skip',
      { href: '#main', click: (event) => (event.preventDefault(), main.focus()) },
      'Skip to the content',
    ),
    h(
      'header.top',
      null,
      h(
        'a.brand',
        { href: to('summary') },
        s(
          'svg',
          { viewBox: '0 0 24 24', 'aria-hidden': 'true' },
          s('path', { d: 'M4 6h10M4 10h10M10 14h10M10 18h10' }),
        ),
        'twicetold',
      ),
      h('nav.tabs', { 'aria-label': 'Views' }, tabs),
      h(
        'div.tools',
        null,
        h(
          'button.quiet',
          {
            type: 'button',
            'aria-label': 'Light or dark',
            'data-why': 'Light or dark (t)',
            click: turnTheme,
          },
          s(
            'svg',
            { viewBox: '0 0 16 16', 'aria-hidden': 'true' },
            s('path', { d: 'M8 2a6 6 0 1 0 .01 0M8 2v12a6 6 0 0 0 0-12' }),
          ),
        ),
        h(
          'button.quiet',
          { type: 'button', 'aria-label': 'Keys', 'data-why': 'Keys (?)', click: () => help.showModal() },
          '?',
        ),
      ),
    ),
    main,
    markedBar(),
    help,
  );
  explain();
  keys(help);
  addEventListener('hashchange', show);
  await show();
}

start();
