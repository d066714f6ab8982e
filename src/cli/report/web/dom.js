// Elements, figures in words, and what is done with events.

/** Makes an element: `h('a.name', {href}, 'text', node)`. What is given as text stays text. */
function h(what, attributes, ...children) {
  return build(document.createElement(what.split('.')[0] || 'div'), what, attributes, children);
}

/** The same for the parts of a drawing. */
function s(what, attributes, ...children) {
  return build(
    document.createElementNS('http://www.w3.org/2000/svg', what.split('.')[0]),
    what,
    attributes,
    children,
  );
}

function build(node, what, attributes, children) {
  const classes = what.split('.').slice(1);
  if (classes.length) node.setAttribute('class', classes.join(' '));
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') node.addEventListener(name, value);
    else if (name === 'style') for (const [key, to] of Object.entries(value)) node.style.setProperty(key, to);
    else if (name === 'class') node.classList.add(...value.split(' ').filter(Boolean));
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return node;
}

const count = (number) => Math.round(number).toLocaleString('en-US');
const many = (number, noun) => `${count(number)} ${noun}${number === 1 ? '' : 's'}`;

/** A share in percent, never rounded to nothing or to all. */
function percent(share) {
  if (share === null || share === undefined) return '–';
  const value = 100 * share;
  if (value > 0 && value < 0.1) return '<0.1 %';
  if (value > 99.9 && share < 1) return '>99.9 %';
  return `${value.toFixed(1)} %`;
}

function size(bytes) {
  if (bytes < 1e4) return `${bytes} bytes`;
  return bytes < 1e7 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/**
 * Text with its control characters made visible; overrides of the direction of
 * writing too, and its embeddings left out, since each paragraph stands alone.
 */
function visible(text) {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0008\u000b-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/[\u007f-\u009f]/g, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`)
    .replace(/[\u202d\u202e]/g, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`)
    .replace(/[\u202a-\u202c\u2066-\u2069]/g, '');
}

/** The same on one line. */
const line = (text) => visible(text).replace(/\s+/g, ' ').trim();

/** Text from the collection, in its own direction of writing. */
const said = (text, what = 'bdi') => h(what, { dir: 'auto' }, line(text));

/** Does something when nothing has called for it again for a while. */
function later(wait, work) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), wait);
  };
}

/** A word that explains itself on hover, focus and touch. */
function why(text, explanation) {
  return h('button.why', { type: 'button', 'data-why': explanation }, text);
}

/** Shows explanations; there is one place for all of them. */
function explain() {
  const tip = h('div.tip', { role: 'tooltip', id: 'tip', hidden: true });
  document.body.append(tip);
  let shown = null;
  const hide = () => {
    shown?.removeAttribute('aria-describedby');
    shown = null;
    tip.hidden = true;
  };
  const show = (event) => {
    const target = event.target.closest?.('[data-why]');
    if (!target || target === shown) {
      if (!target && event.type !== 'focusin') hide();
      return;
    }
    hide();
    shown = target;
    tip.textContent = target.dataset.why;
    tip.hidden = false;
    target.setAttribute('aria-describedby', 'tip');
    const at = target.getBoundingClientRect();
    const left = Math.min(at.left, innerWidth - tip.offsetWidth - 12);
    const below = at.bottom + 6 + tip.offsetHeight < innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${below ? at.bottom + 6 : at.top - tip.offsetHeight - 6}px`;
  };
  for (const event of ['pointerover', 'focusin', 'click']) document.addEventListener(event, show);
  document.addEventListener('focusout', hide);
  document.addEventListener('scroll', hide, { passive: true });
  document.addEventListener('keydown', (event) => event.key === 'Escape' && hide());
}

/** Hands a file to the user. */
function save(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }));
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** What belongs to the view that is shown, and goes with it. */
const scene = {
  ends: [],
  starts: [],
  /** Listens until the view is left. */
  on(target, event, work) {
    target.addEventListener(event, work, { passive: event === 'scroll' });
    this.ends.push(() => target.removeEventListener(event, work));
  },
  /** Does something once the view stands in the page. */
  shown(work) {
    this.starts.push(work);
  },
  leave() {
    this.ends.splice(0).forEach((end) => end());
    this.starts = [];
  },
  enter() {
    this.starts.splice(0).forEach((start) => start());
  },
};
