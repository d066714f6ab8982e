// Drives report.html in a real browser; wants Chromium, and the program's path
// in TWICETOLD.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const program = resolve(process.env.TWICETOLD ?? join(root, 'target/debug/twicetold'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const home = mkdtempSync(join(tmpdir(), 'twicetold-'));
let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
});
after(async () => {
  await browser?.close();
  rmSync(home, { recursive: true });
});

/** Scans in the project's root and gives the results. */
function scan(name, ...args) {
  const out = join(home, name);
  execFileSync(program, ['scan', '-q', '--top', '0', '--out', out, ...args], { cwd: root });
  const rows = (table) =>
    readFileSync(join(out, `${table}.jsonl`), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((row) => JSON.parse(row));
  return { out, rows, file: `file://${join(out, 'report.html')}` };
}

/** Opens a view; whatever the page says, asks for or fails at is kept. */
async function open(results, view, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  page.found = [];
  page.on('console', (message) => page.found.push(message.text()));
  page.on('pageerror', (error) => page.found.push(error.stack));
  page.on('dialog', (dialog) => (page.found.push(`dialog ${dialog.message()}`), dialog.dismiss()));
  page.on('request', (request) => {
    if (!request.url().startsWith(results.file) && !request.url().startsWith('blob:'))
      page.found.push(`request ${request.url()}`);
  });
  await go(page, results, view);
  return page;
}

async function go(page, results, view) {
  await page.goto(`${results.file}#/${view}`);
  await page.waitForFunction(
    (wanted) => document.querySelector('main')?.dataset.view === wanted,
    view.split(/[/?]/)[0],
  );
}

async function close(page) {
  assert.deepEqual(page.found, []);
  await page.context().close();
}

/** Newspapers with dates that print one another. */
function newspapers() {
  const storm =
    'The storm took the roof of the town hall in the night, and the mayor spoke to the council by candlelight until dawn.';
  const fair =
    'The autumn fair opens on Saturday with a cattle market, a brass band, and a prize for the heaviest pumpkin of the county.';
  const terms = 'Printed every Friday by the brothers Harrow, to whom all letters should be sent.';
  const row = (id, source, date, ...text) => JSON.stringify({ id, source, date, text: text.join('\n\n') });
  const file = join(home, 'newspapers.jsonl');
  const rows = [
    row('gazette-1', 'Gazette', '1901-03-01', storm, fair, 'A lost dog was found near the mill on Tuesday.'),
    row(
      'gazette-2',
      'Gazette',
      '1901-03-08',
      'Nothing at all happened this week, as every reader knows.',
      terms,
    ),
    row('herald-1', 'Herald', '1901-04-02', storm, fair, 'A lost dog was found near the mill on Monday.'),
    row('herald-0', 'Herald', '1901-02-20', 'There is no news.', terms),
    row('herald-2', 'Herald', '1902-01-05', 'We said in spring: “' + storm + '” It has been mended since.'),
    row(
      'courier',
      'Courier',
      '1903-07-09',
      fair.replace('Saturday', 'Sunday'),
      'Our own reporter was there and ate too much.',
    ),
  ];
  writeFileSync(file, rows.join('\n'));
  return file;
}

const percent = (share) => {
  const value = 100 * share;
  if (value > 0 && value < 0.1) return '<0.1 %';
  return value > 99.9 && share < 1 ? '>99.9 %' : `${value.toFixed(1)} %`;
};
const texts = (page, selector) => page.locator(selector).allTextContents();
const column = async (page, name) => {
  const heads = (await texts(page, '.tr.head > *')).map((head) => head.trim());
  const at = heads.indexOf(name) + 1;
  assert.ok(at > 0, `${name} among ${heads}`);
  return texts(page, `.body .tr > :nth-child(${at})`);
};

describe('the samples', () => {
  let results;
  before(() => {
    results = scan('seeds', 'seeds');
  });

  test('figures equal the result files', async () => {
    const page = await open(results, 'documents');
    const documents = results.rows('documents');
    assert.deepEqual(
      await column(page, 'document'),
      documents.map((row) => row.id),
    );
    assert.deepEqual(
      await column(page, 'originality'),
      documents.map((row) => percent(row.originality)),
    );
    assert.deepEqual(
      await column(page, 'tokens'),
      documents.map((row) => row.tokens.toLocaleString('en-US')),
    );
    const labels = [
      'unique',
      'first',
      'shared',
      'syndicated',
      'quotation',
      'stock',
      'boilerplate',
      'repeat',
      'ignored',
    ];
    const bars = await page.locator('.body .bar').evaluateAll((bars) => bars.map((bar) => bar.ariaLabel));
    const told = (row) =>
      labels
        .filter((label) => row[label] > 0)
        .map((label) => `${label} ${percent(row[label])}`)
        .join(', ');
    assert.deepEqual(bars, documents.map(told));

    await go(page, results, 'passages');
    const families = results.rows('families');
    assert.deepEqual(
      await column(page, 'docs'),
      families.map((row) => String(row.df)),
    );
    assert.deepEqual(
      await column(page, 'places'),
      families.map((row) => String(row.occurrences)),
    );
    assert.deepEqual(
      await column(page, 'kind'),
      families.map((row) => row.kind),
    );
    assert.deepEqual(
      await column(page, 'cohesion'),
      families.map((row) => percent(row.cohesion)),
    );
    assert.deepEqual(
      await texts(page, '.reason'),
      families.map((row) => row.reason),
    );

    await go(page, results, 'summary');
    const run = JSON.parse(readFileSync(join(results.out, 'run.json')));
    const shares = labels
      .map((_, at) => run.counts.labels[at] / run.counts.weight)
      .filter((share) => share > 0);
    assert.deepEqual(await texts(page, '.legend .share'), shares.map(percent));
    await close(page);
  });

  test('the threshold is moved by hand and by keys', async () => {
    const page = await open(results, 'summary');
    const originality = results.rows('documents').map((row) => row.originality);
    const told = async (at) => {
      const below = originality.filter((share) => share < at / 100).length;
      assert.match(
        await page.locator('section .told').textContent(),
        new RegExp(`^${below} of 5 documents.* less than ${at} %`),
      );
      assert.equal(await page.locator('[aria-label="Least original documents"] .body .tr').count(), below);
    };
    const slider = page.getByRole('slider');
    await told(100);
    await slider.focus();
    await page.keyboard.press('PageDown');
    await page.keyboard.press('ArrowLeft');
    await told(89);
    const box = await slider.locator('svg').boundingBox();
    await page.mouse.move(box.x + box.width * 0.89, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.83, box.y + 30, { steps: 5 });
    await page.mouse.up();
    await told(83);
    assert.match(page.url(), /summary\?t=83$/);
    await page.reload();
    await page.waitForSelector('.told');
    await told(83);
    await close(page);
  });

  test('passages are searched and sorted', async () => {
    const page = await open(results, 'passages');
    const families = results.rows('families');
    const box = page.getByRole('searchbox');
    const search = async (query, is) => {
      await box.fill(query);
      const wanted = families.filter(is).length;
      await page.waitForFunction(
        (told) => document.querySelector('.told').textContent.startsWith(told),
        `${wanted} passage${wanted === 1 ? '' : 's'} of 20`,
      );
      assert.equal(await page.locator('.body .tr').count(), wanted);
    };
    await search('kind:repeat', (row) => row.kind === 'repeat');
    await search('docs:>2', (row) => row.df > 2);
    await search('docs:2..3 -kind:formula', (row) => row.df >= 2 && row.df <= 3 && row.kind !== 'formula');
    await search('tokens:<5', (row) => row.tokens < 5);
    await search('"special report"', (row) => row.text.includes('special report'));
    await search('iran -reuters', (row) => /iran/i.test(row.text) && !/reuters/i.test(row.text));
    await box.fill('size:3');
    assert.match(await page.getByRole('alert').textContent(), /no field “size”; there are kind, docs/);
    await box.fill('docs:many');
    await page.waitForFunction(() =>
      document.querySelector('[role=alert]').textContent.includes('wants a number'),
    );
    await box.fill('');
    await page.waitForFunction(() => document.querySelectorAll('.body .tr').length === 20);
    await page.getByRole('button', { name: 'tokens', exact: true }).click();
    const tokens = (await column(page, 'tokens')).map(Number);
    assert.deepEqual(
      tokens,
      [...tokens].sort((x, y) => y - x),
    );
    assert.match(page.url(), /sort=tokens&down=1/);
    await page.locator('.kinds button', { hasText: 'stock' }).click();
    await page.waitForFunction(() => document.querySelectorAll('.body .tr').length === 1);
    await close(page);
  });

  test('a passage opens with its wordings and places', async () => {
    const page = await open(results, 'passages');
    await page.locator('.body .tr', { hasText: 'Reuters confirmed' }).locator('.reason').click();
    await page.waitForFunction(() => document.querySelector('main').dataset.view === 'passage');
    assert.match(await page.locator('h1').textContent(), /^Passage 2 stock$/);
    assert.deepEqual(await texts(page, '.wordings del'), ['/MEK ']);
    assert.deepEqual(await texts(page, '.wordings ins'), ['/ MEL ']);
    assert.match(await page.locator('.varies').getAttribute('data-why'), /“\/ MEL” \(1 place\)/);
    assert.equal(await page.locator('.place').count(), 3);
    const places = results.rows('occurrences').filter((row) => row.family === 2);
    for (const [at, row] of places.entries()) {
      const text = readFileSync(join(root, row.doc)).subarray(row.start_byte, row.end_byte).toString();
      const shown = await page.locator('.place b').nth(at).textContent();
      assert.equal(shown, text.replace(/\s+/g, ' '));
      assert.match(
        await page.locator('.place .where').nth(at).textContent(),
        new RegExp(`line ${row.start_line}`),
      );
    }
    // Explanations come on focus.
    await page.locator('.why', { hasText: 'cohesion' }).focus();
    assert.match(await page.getByRole('tooltip').textContent(), /word for word everywhere/);
    await close(page);
  });

  test('what is known is exported to ignore', async () => {
    const page = await open(results, 'passages?q=kind%3Aboilerplate');
    await page.waitForFunction(() => document.querySelectorAll('.body .tr').length === 2);
    for (const box of await page.locator('.body input').all()) await box.check();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export ignore list' }).click(),
    ]);
    const list = readFileSync(await file.path(), 'utf8');
    assert.equal(
      list,
      execFileSync(program, ['families', results.out, '--kind', 'boilerplate', '--as-ignore'], {
        encoding: 'utf8',
      }),
    );
    await close(page);
  });

  test('a document shows its whole text and steps through its spans', async () => {
    const id = 'seeds/001_670a2c3c5825d97d.txt';
    const page = await open(results, `document?id=${encodeURIComponent(id)}`);
    assert.equal(await page.locator('.text').textContent(), readFileSync(join(root, id), 'utf8'));
    const spans = results.rows('spans').filter((row) => row.doc === id);
    const bytes = readFileSync(join(root, id));
    const marks = await texts(page, '.text mark');
    assert.deepEqual(
      marks,
      spans.map((row) => bytes.subarray(row.start_byte, row.end_byte).toString()),
    );
    await page.keyboard.press('n');
    await page.keyboard.press('n');
    await page.keyboard.press('n');
    await page.waitForFunction(() => /3 of/.test(document.querySelector('.rail').textContent));
    const row = spans[2];
    const rail = await page.locator('.rail').textContent();
    assert.ok(
      rail.includes(
        `line ${row.start_line}, bytes ${row.start_byte.toLocaleString('en-US')}–${row.end_byte.toLocaleString('en-US')}`,
      ),
      rail,
    );
    assert.equal(await page.locator('.rail .place').count(), 2);
    await page.keyboard.press('p');
    await page.waitForFunction(() => /2 of/.test(document.querySelector('.rail').textContent));
    assert.match(page.url(), /span=2$/);
    const address = page.url();
    await close(page);

    // A colleague is sent to the spot.
    const again = await open(results, address.split('#/')[1]);
    await again.waitForSelector('mark[aria-current]');
    assert.equal(await again.locator('mark[aria-current]').textContent(), marks[1]);
    assert.ok(
      await again
        .locator('mark[aria-current]')
        .evaluate((mark) => mark.getBoundingClientRect().top < innerHeight),
    );
    await again.locator('.minimap span').nth(5).click();
    await again.waitForFunction(() => /6 of/.test(document.querySelector('.rail').textContent));
    await close(again);
  });

  test('two documents scroll together', async () => {
    const page = await open(results, 'pairs');
    await page.locator('.network a[aria-label*="000_a94"][aria-label*="001_670"]').first().focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('main').dataset.view === 'pair');
    const marks = page.locator('.pane').first().locator('mark');
    assert.ok((await marks.count()) >= 3);
    assert.equal(await page.locator('.barcode path').count(), await marks.count());
    const [left, right] = [page.locator('.pane').first(), page.locator('.pane').nth(1)];
    const top = (pane) => pane.evaluate((node) => node.scrollTop);
    await page.locator('.barcode path').last().click();
    await page.waitForFunction(() => document.querySelectorAll('.pane mark[aria-current]').length === 2);
    const before = [await top(left), await top(right)];
    assert.ok(before[0] > 0 && before[1] > 0);
    await left.hover();
    await page.mouse.wheel(0, -300);
    await page.waitForFunction((old) => document.querySelectorAll('.pane')[1].scrollTop < old, before[1]);
    await close(page);
  });

  test('keys', async () => {
    const page = await open(results, 'summary');
    await page.keyboard.press('/');
    await page.waitForFunction(() => document.activeElement.type === 'search');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    assert.ok(await page.getByRole('dialog').isVisible());
    await page.keyboard.press('Escape');
    await page.keyboard.press('3');
    await page.waitForFunction(() => document.querySelector('main').dataset.view === 'documents');
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await page.keyboard.press('t');
    assert.notEqual(await paper(), light);
    await close(page);
  });

  test('it is written again byte for byte', () => {
    const again = join(home, 'again.html');
    execFileSync(program, ['report', '-q', results.out, '--out', again], { cwd: root });
    assert.ok(readFileSync(again).equals(readFileSync(join(results.out, 'report.html'))));
  });
});

describe('sources and dates', () => {
  let results;
  before(() => {
    results = scan('newspapers', newspapers());
  });

  test('sources, their matrix, the course of time and near-duplicates', async () => {
    const page = await open(results, 'sources');
    const documents = results.rows('documents');
    const names = [...new Set(documents.map((row) => row.source).filter(Boolean))].sort();
    assert.deepEqual((await column(page, 'source')).sort(), names);
    const of = new Map(documents.map((row) => [row.id, row.source]));
    for (const cell of await page.locator('.matrix td a').all()) {
      const told = await cell.getAttribute('aria-label');
      const [, own, chars, other] = /^(.*) has ([\d,]+) characters that (.*) has /.exec(told);
      const spans = results
        .rows('spans')
        .filter((row) => !['first', 'repeat', 'ignored'].includes(row.label));
      const sum = spans
        .filter((row) => of.get(row.doc) === own && of.get(row.other_doc) === other)
        .reduce((sum, row) => sum + row.end_char - row.start_char, 0);
      assert.equal(chars, sum.toLocaleString('en-US'), told);
    }
    await go(page, results, 'passage/1');
    assert.equal(await page.locator('.course.large').count(), 1);
    await go(page, results, 'pairs');
    const pairs = results.rows('pairs');
    assert.ok(pairs.length > 0);
    assert.equal((await column(page, 'resemblance')).length, pairs.length);
    await close(page);
  });

  test('another collection can be looked at and is not judged', async () => {
    const against = scan(
      'against',
      'seeds/000_a94cddf77bc4e149.txt',
      '--against',
      'seeds/001_670a2c3c5825d97d.txt',
    );
    const page = await open(against, 'documents');
    assert.equal(await page.locator('.body .tr').count(), 1);
    await go(page, against, `document?id=${encodeURIComponent('seeds/001_670a2c3c5825d97d.txt')}`);
    assert.match(await page.locator('main').textContent(), /told from and not judged/);
    await go(
      page,
      against,
      `pair?a=${encodeURIComponent('seeds/000_a94cddf77bc4e149.txt')}&b=${encodeURIComponent('seeds/001_670a2c3c5825d97d.txt')}`,
    );
    assert.ok((await page.locator('.pane mark').count()) > 2);
    await close(page);
  });
});

test('hostile texts are text', async () => {
  const attack =
    '</script><script>window.hacked=1</script><img src=x onerror="window.hacked=2"><svg onload=window.hacked=3>{{7*7}}';
  const told = 'One sentence that both of them tell in the same eleven words or so.';
  const rows = [
    {
      id: `a${attack}`,
      source: attack,
      date: '2020-01-01',
      text: `${told}\n${attack}\n\u202eevil\u0000\u0007 \u2066x\n${attack} ${told}`,
    },
    { id: '__proto__', source: 'constructor', date: '2021', text: `${told}\n${attack}\n` },
    { id: '../../etc/passwd', source: 'toString', text: `${'A'.repeat(10_000_000)} ${told}` },
    { id: '\u202e\u0007', source: 'javascript:alert(1)', text: `${told} שלום عليكم ${told}` },
  ];
  const file = join(home, 'hostile.jsonl');
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
  const results = scan('hostile', file);
  const page = await open(results, 'summary');
  for (const view of [
    'summary',
    'passages',
    'documents',
    'pairs',
    'sources',
    'run',
    `passages?q=${encodeURIComponent(attack)}`,
    'passage/1',
    'passage/2',
    'passage/999',
    'nothing',
    'document?id=nobody',
    'document?id=__proto__',
  ]) {
    await go(page, results, view);
  }
  for (const { id } of rows) {
    await go(page, results, `document?id=${encodeURIComponent(id)}`);
    await page.waitForSelector('.piece');
    await go(page, results, `pair?a=${encodeURIComponent(id)}&b=__proto__`);
  }
  await go(page, results, `document?id=${encodeURIComponent(rows[0].id)}`);
  const shown = await page.locator('.text').textContent();
  assert.ok(shown.includes(attack) && shown.includes('\\u{202e}evil␀␇ x'), shown);
  await go(page, results, `document?id=${encodeURIComponent(rows[2].id)}`);
  assert.match(await page.locator('main').textContent(), /The first 300.0 kB of 10.0 MB/);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  // The policy itself holds: no script can be put in, nothing can be loaded.
  page.found.length = 0;
  const tried = await page.evaluate(async () => {
    const tried = [];
    try {
      document.body.innerHTML += '<b>x</b>';
      tried.push('markup');
    } catch {}
    await fetch('data:,x').then(
      () => tried.push('fetch'),
      () => {},
    );
    const script = document.createElement('script');
    try {
      script.textContent = 'window.hacked = 4';
      document.body.append(script);
    } catch {}
    return [...tried, window.hacked];
  });
  assert.deepEqual(tried, [undefined]);
  page.found.length = 0;
  await close(page);
});

test('ten thousand documents: only what is in sight is drawn', async () => {
  const file = join(home, 'many.jsonl');
  const rows = Array.from({ length: 10_000 }, (_, at) => ({
    id: `doc-${String(at).padStart(5, '0')}`,
    source: `paper ${at % 60}`,
    date: `20${String(at % 20).padStart(2, '0')}-03-01`,
    text: `Story ${at} of the day ${at * 7919}.\n\nThis paper is printed twice a week by number ${at % 60} of the printers in town.\n`,
  }));
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
  const results = scan('many', file, '--report-docs', '100');
  const page = await open(results, 'documents');
  const shown = () => page.locator('.body .tr').count();
  assert.ok((await shown()) < 80);
  assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), '10001');
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await page.waitForSelector('[aria-rowindex="10001"]');
  assert.ok((await shown()) < 80);
  assert.match(await page.locator('main').textContent(), /The texts of 100 of them are in this page/);
  await page.getByRole('searchbox').fill('id:doc-0001 originality:<101');
  await page.waitForFunction(() => document.querySelector('.told').textContent.startsWith('10 documents'));
  await go(page, results, 'sources');
  assert.equal(await page.locator('.matrix tbody tr').count(), 40);
  await close(page);
});

test('it prints', async () => {
  const results = scan('print', 'seeds');
  const page = await open(results, 'summary');
  for (const view of [
    'summary',
    'passages',
    'passage/2',
    `document?id=${encodeURIComponent('seeds/001_670a2c3c5825d97d.txt')}`,
  ]) {
    await go(page, results, view);
    const pdf = await page.pdf();
    assert.ok(pdf.subarray(0, 5).toString() === '%PDF-' && pdf.length > 10_000, view);
  }
  await go(page, results, 'passages');
  await page.emulateMedia({ media: 'print' });
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  assert.equal(await page.locator('.body .tr').count(), 20);
  const tops = await page
    .locator('.body .tr')
    .evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().top));
  assert.ok(tops.every((top, at) => at === 0 || top > tops[at - 1]));
  assert.equal(await page.locator('header').isVisible(), false);
  await close(page);
});

const VIEWS = ['summary', 'passages', 'passage/1', 'documents', 'pairs', 'sources', 'run'];

for (const colorScheme of ['light', 'dark']) {
  test(`anyone can use it, ${colorScheme}`, async () => {
    const results = scan(colorScheme, 'seeds', newspapers());
    const page = await open(results, 'summary', { colorScheme });
    const [pair] = results.rows('pairs');
    const views = [
      ...VIEWS,
      `document?id=${encodeURIComponent('seeds/001_670a2c3c5825d97d.txt')}&span=2`,
      `pair?a=${encodeURIComponent(pair.a)}&b=${encodeURIComponent(pair.b)}`,
    ];
    for (const view of views) {
      await go(page, results, view);
      await page.waitForTimeout(100);
      await page.evaluate(axe);
      const found = await page.evaluate(async () => {
        const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
        const told = (node) => `${node.html.slice(0, 150)} ${node.any.map((any) => any.message)}`;
        return violations
          .filter((of) => ['serious', 'critical'].includes(of.impact))
          .map((of) => `${of.id}: ${of.nodes.map(told).slice(0, 4).join(' | ')}`);
      });
      assert.deepEqual(found, [], view);
    }
    await close(page);
  });
}

test('it fits a telephone', async () => {
  const results = scan('narrow', 'seeds', newspapers());
  const page = await open(results, 'summary', { viewport: { width: 360, height: 740 } });
  const views = [...VIEWS, `document?id=${encodeURIComponent('seeds/001_670a2c3c5825d97d.txt')}`];
  for (const view of views) {
    await go(page, results, view);
    const wide = await page.evaluate(() => document.scrollingElement.scrollWidth);
    assert.ok(wide <= 360, `${view} is ${wide} wide`);
  }
  await close(page);
});
