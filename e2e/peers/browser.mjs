// Headless Chromium on the start page. Usage: node browser.mjs SCENARIO URL [SOCKET-URL]
//   console   connect the console and check text, binary and 1 MiB through the controls of the page
//   missing   the page must say that WebSocket Protocol is not installed, and how to install it
//   off       the page must say that WebSocket Protocol is switched off
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [scenario, url, socketURL] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'rolemgr-chromium-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  permissions: ['clipboard-read', 'clipboard-write'],
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = context.pages()[0] ?? await context.newPage();
page.setDefaultTimeout(20_000);
const complaints = [];
page.on('pageerror', (err) => complaints.push(`error: ${err.message}`));
page.on('console', (m) => { if (m.type() === 'error') complaints.push(`console: ${m.text()}`); });

const text = (selector) => page.locator(selector).textContent();
const count = async (selector) => Number(await text(selector));

// settled waits until n echoes came back, and fails on the first that is wrong.
async function settled(n, what) {
  await page.waitForFunction((want) => Number(document.querySelector('#echo-ok').textContent)
    + Number(document.querySelector('#echo-bad').textContent) >= want, n);
  if (await count('#echo-bad') > 0) {
    assert.fail(`${what}: the page saw a wrong echo: ${await text('#log li[data-verdict="bad"] .remark')}`);
  }
  assert.equal(await count('#echo-ok'), n, what);
}

const scenarios = {
  async console() {
    if (socketURL) await page.fill('#url', socketURL);
    await page.focus('#url');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#live:enabled');
    await page.fill('#text', 'Grüße, 世界 🌍 and plain words around the middle of it, so that a flipped bit stays text');
    await page.keyboard.press('Enter');
    await settled(1, 'text');
    await page.fill('#hex', '00 fg');
    await page.click('#send-binary');
    assert.match(await text('#problem'), /“g” is not a hex digit/);
    await page.fill('#hex', '00 ff 01 fe');
    await page.click('#send-binary');
    await settled(2, 'binary');
    await page.setInputFiles('#file', { name: 'blob.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(1000, 7) });
    await page.click('#send-binary');
    await settled(3, 'file');
    for (let i = 4; i <= 8; i++) {
      await page.click('#ping');
      await settled(i, 'round trip');
    }
    assert.match(await text('#rtt-median'), /^\d+\.\d+ ms$/);
    await page.click('#send-mib');
    await settled(9, 'large');
    assert.match(await page.locator('#log li .size').last().textContent(), /1,048,576 B/);

    const download = page.waitForEvent('download');
    await page.click('#export');
    assert.equal((await download).suggestedFilename(), 'websocket-log.txt');

    await page.fill('#close-code', '4321');
    await page.fill('#close-reason', 'goodbye');
    await page.click('#disconnect');
    await page.waitForFunction(() => document.querySelector('#conn-state').textContent === 'Not connected');
    assert.match(await page.locator('#log li[data-kind="close"] .remark').textContent(), /^4321, a private code/);
  },

  async missing() {
    assert.equal(await text('#ws-pill'), 'WebSocket: not installed');
    assert.match(await text('#notice-title'), /not installed/);
    assert.equal(await text('#notice-command'), 'rolemgr install websocket');
    await page.click('#copy-command');
    await page.waitForFunction(() => document.querySelector('#copy-command').textContent === 'Copied');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'rolemgr install websocket');
    assert.doesNotMatch(await text('#features'), /websocket/);
    await refused();
  },

  async off() {
    assert.equal(await text('#ws-pill'), 'WebSocket: switched off');
    assert.match(await text('#notice-title'), /switched off/);
    assert.match(await text('#notice-text'), /rolemgr install websocket/);
    assert.match(await text('#features'), /websocket/);
    await refused();
  },
};

// usable checks what every visitor needs: no sideways scrolling from 320 px up in both schemes, a name for every
// control, and the controls in the order of the page.
async function usable() {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const width of [320, 360, 768, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `the page is ${wide} px wide in a window of ${width} px`);
    }
  }
  await page.emulateMedia({ colorScheme: null });
  const nameless = await page.$$eval('button, input, textarea', (all) => all
    .filter((el) => !el.labels?.length && !el.textContent.trim() && !el.ariaLabel).map((el) => el.outerHTML));
  assert.deepEqual(nameless, [], 'controls without a name');
  assert.equal(await page.locator('#log').getAttribute('aria-live'), 'polite');
}

async function refused() {
  await page.click('#connect');
  await page.waitForSelector('#problem:visible');
  assert.match(await text('#problem'), /failed or was lost/);
  complaints.splice(0, complaints.length, ...complaints.filter((c) => !/WebSocket connection to/.test(c)));
}

try {
  await page.goto(url);
  await page.waitForFunction(() => !document.querySelector('#ws-pill').textContent.includes('asking'));
  assert.doesNotMatch(await text('#features-note'), /does not tell/, 'the page did not get /server-info.json');
  await usable();
  await scenarios[scenario]();
  assert.deepEqual(complaints, [], 'the browser complained');
  console.log('ok');
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
