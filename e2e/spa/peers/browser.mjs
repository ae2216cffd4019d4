// Headless Chromium in one of the applications, as somebody who uses it. Usage: node browser.mjs URL TITLE [PICTURE]
// URL is that of the home page and ends with a slash. All applications show the same under the same paths.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [base, title, picture] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'rolemgr-spa-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const complaints = [];
context.on('weberror', (e) => complaints.push(`error: ${e.error().message}`));
context.on('console', (m) => { if (['error', 'warning'].includes(m.type())) complaints.push(`console: ${m.text()}`); });
context.on('requestfailed', (r) => complaints.push(`${r.url()}: ${r.failure().errorText}`));
context.on('response', (r) => { if (r.status() >= 400) complaints.push(`${r.url()}: ${r.status()}`); });
const page = context.pages()[0] ?? await context.newPage();
page.setDefaultTimeout(20_000);

// at waits until the page shows a heading, at its URL.
async function at(heading, path, p = page) {
  await p.locator('h1', { hasText: new RegExp(`^${heading}$`) }).waitFor();
  assert.equal(p.url(), base + path);
}

// whole checks that what the page consists of has arrived: styles, the picture, and a script that answers.
async function whole() {
  assert.equal(await page.title(), title);
  assert.notEqual(await page.locator('h1').evaluate((h) => getComputedStyle(h).color), 'rgb(0, 0, 0)', 'the style sheet has no effect');
  await page.waitForFunction(() => document.images.length === 1 && document.images[0].complete);
  assert.ok(await page.locator('img').evaluate((i) => i.naturalWidth > 0), 'the picture is not shown');
  await page.click('button');
  await page.locator('button', { hasText: 'count is 1' }).waitFor();
}

async function name(want, p = page) {
  await p.locator('#name', { hasText: want }).waitFor();
}

// navigation goes through the application without loading it anew: the mark would be gone.
async function navigation() {
  await page.evaluate(() => { window.mark = 'still here'; });
  await page.click('text=About');
  await at('About', 'about');
  await page.click('text=User 7');
  await at('User 7', 'users/7');
  await name('Ada');
  await page.goBack();
  await at('About', 'about');
  await page.goBack();
  await at('Home', '');
  await page.goForward();
  await page.goForward();
  await at('User 7', 'users/7');
  assert.equal(await page.evaluate(() => window.mark), 'still here', 'the application was loaded anew');
}

// deepLinks opens pages of the application directly, and again.
async function deepLinks() {
  const answer = await page.goto(`${base}users/8?tab=posts#first`);
  assert.equal(answer.status(), 200);
  await at('User 8', 'users/8?tab=posts#first');
  await name('Grace');
  await page.reload();
  await at('User 8', 'users/8?tab=posts#first');
  await name('Grace');
  await page.click('text=About'); // from here back to a page that was loaded by its deep link
  await at('About', 'about');
  await page.goBack();
  await at('User 8', 'users/8?tab=posts#first');
  await page.goto(`${base}no/such/page`);
  await at('Nothing here', 'no/such/page');
  const other = await context.newPage();
  await other.goto(`${base}about`);
  await at('About', 'about', other);
  await other.reload();
  await at('About', 'about', other);
  await other.close();
}

// fromCache opens the home page once more: what has a hash in its name is not asked for again.
async function fromCache() {
  await page.goto(base);
  await at('Home', '');
  await page.waitForFunction(() => document.images.length === 1 && document.images[0].complete);
  const entries = await page.evaluate(() => performance.getEntriesByType('resource').map((e) => [e.name, e.transferSize]));
  const hashed = entries.filter(([file]) => /[-.][\w-]{8}\.(js|css|svg)$/.test(file));
  assert.ok(hashed.length >= 2, `too few files with a hash: ${JSON.stringify(entries)}`);
  assert.deepEqual(hashed.filter(([, size]) => size !== 0), [], 'fetched again');
}

try {
  const answer = await page.goto(base);
  assert.equal(answer.status(), 200);
  await at('Home', '');
  await whole();
  if (picture) await page.screenshot({ path: picture });
  await navigation();
  await deepLinks();
  await fromCache();
  assert.deepEqual(complaints, [], 'the browser complained');
  console.log('ok');
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
