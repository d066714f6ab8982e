// Makes the pictures of the README: the report on the sample articles. Wants
// what the tests want.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const program = resolve(process.env.TWICETOLD ?? join(root, 'target/debug/twicetold'));
const out = mkdtempSync(join(tmpdir(), 'twicetold-'));
execFileSync(program, ['scan', '-q', 'seeds', '--out', out], { cwd: root, stdio: 'ignore' });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const pictures = [
  ['report-summary', 'light', 'summary'],
  ['report-document', 'dark', `document?id=${encodeURIComponent('seeds/001_670a2c3c5825d97d.txt')}&span=3`],
];
for (const [name, colorScheme, view] of pictures) {
  const page = await browser.newPage({ viewport: { width: 1040, height: 640 }, colorScheme });
  await page.goto(`file://${join(out, 'report.html')}#/${view}`);
  await page.waitForSelector('main[data-view]');
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(root, 'docs', `${name}.png`) });
}
await browser.close();
rmSync(out, { recursive: true });
