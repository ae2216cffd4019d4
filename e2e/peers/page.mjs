// Headless Chromium on the counting application's page. Usage: node page.mjs URL TRANSPORT [PROTOCOL]
// It must count up over that transport without a mistake, and its page have come over that protocol ("h2", "http/1.1").
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [url, transport, protocol] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'rolemgr-chromium-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  ignoreHTTPSErrors: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(url);
  const is = (id, want) => page.waitForFunction(([i, w]) => document.getElementById(i).textContent === w, [id, want]);
  await is('transport', transport);
  const from = Number(await page.textContent('#counted'));
  await page.waitForFunction((n) => Number(document.getElementById('counted').textContent) >= n + 20, from);
  assert.equal(await page.textContent('#wrong'), '0');
  assert.equal(await page.textContent('#transport'), transport);
  if (protocol) await is('protocol', protocol);
  console.log(`counted over ${transport}`);
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
