// Chromium against https sites: WebSockets inside HTTP/2 (RFC 8441) and, in a second tab, over HTTP/1.1. What is trusted
// is the key of the development certificate, by its hash. Usage: node secure.mjs SPKI URL URL-OVER-HTTP/1.1
// It prints "open" with both sockets open, and goes on when it is sent a line.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const [spki, url, plainURL] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'rolemgr-chromium-'));
const netLog = join(profile, 'net-log.json');
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', `--ignore-certificate-errors-spki-list=${spki}`, `--log-net-log=${netLog}`, '--net-log-capture-mode=Everything'],
});
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function connect(address) {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(address);
  await page.focus('#url');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#live:enabled');
  return page;
}

async function echo(page, n) {
  await page.fill('#text', `message ${n}`);
  await page.keyboard.press('Enter');
  await page.waitForFunction((want) => Number(document.querySelector('#echo-ok').textContent) >= want, n);
  assert.equal(Number(await page.locator('#echo-bad').textContent()), 0, 'a wrong echo');
}

const tabs = [await connect(url), await connect(plainURL)];
for (const tab of tabs) await echo(tab, 1);
const versions = await Promise.all(tabs.map((tab) => tab.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol)));
assert.deepEqual(versions, ['h2', 'http/1.1']);
console.log('open');
await lines.next();
for (const tab of tabs) await echo(tab, 2);
for (const tab of tabs) {
  await tab.click('#send-mib');
  await tab.waitForFunction(() => Number(document.querySelector('#echo-ok').textContent) >= 3);
}
await context.close();

const log = readFileSync(netLog, 'utf8');
assert.match(log, /":protocol: websocket"/, 'the net log has no WebSocket inside HTTP/2');
assert.match(log, /":method: CONNECT"/);
assert.match(log, /Sec-WebSocket-Key/i, 'the net log has no WebSocket over HTTP/1.1');
rmSync(profile, { recursive: true, force: true });
console.log('ok');
process.exit(0);
