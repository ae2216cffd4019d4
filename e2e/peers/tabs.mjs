// Chromium on the counting application, with a tab for every URL. Usage: node tabs.mjs PROTOCOLS SPKI URL [URL]
// PROTOCOLS are those that the pages must come over, between commas ("h2,http/1.1"); SPKI is the hash of the key that is
// trusted, "" over plain HTTP. A line on standard input is a command, and is answered with "done":
//   websocket, polling   open the tabs anew; they must count over that transport without a mistake
//   close                close the tabs
//   end                  close the browser; its net log must tell of a WebSocket over each protocol; the answer is "ok"
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const [list, spki, ...urls] = process.argv.slice(2);
const protocols = list.split(',');
const profile = mkdtempSync(join(tmpdir(), 'rolemgr-chromium-'));
const netLog = join(profile, 'net-log.json');
const trust = spki ? [`--ignore-certificate-errors-spki-list=${spki}`] : [];
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  timeout: 60_000,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', `--log-net-log=${netLog}`, '--net-log-capture-mode=Everything', ...trust],
});

async function open(url, transport, protocol) {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(url);
  const text = (id) => page.textContent(`#${id}`);
  await page.waitForFunction((want) => document.getElementById('transport').textContent === want, transport);
  const from = Number(await text('counted'));
  await page.waitForFunction((n) => Number(document.getElementById('counted').textContent) >= n, from + 20);
  assert.equal(await text('wrong'), '0');
  assert.equal(await text('transport'), transport);
  assert.equal(await text('protocol'), protocol);
  return page;
}

let tabs = [];
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'end') break;
  await Promise.all(tabs.map((t) => t.close()));
  tabs = [];
  if (line !== 'close') for (const [n, url] of urls.entries()) tabs.push(await open(url, line, protocols[n]));
  console.log('done');
}
await context.close();

const log = readFileSync(netLog, 'utf8');
if (protocols.includes('h2')) {
  assert.match(log, /":method: CONNECT"/, 'the net log has no WebSocket inside HTTP/2');
  assert.match(log, /":protocol: websocket"/);
}
if (protocols.includes('http/1.1')) assert.match(log, /Sec-WebSocket-Key/i, 'the net log has no WebSocket over HTTP/1.1');
rmSync(profile, { recursive: true, force: true });
console.log('ok');
process.exit(0);
