// Chromium, headless. A job: { url, page }; page is fetched from the same server first.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { jobs } from './lines.mjs';
import { exchange } from './standard.mjs';

const profile = mkdtempSync(join(tmpdir(), 'rolemgr-interop-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  ignoreHTTPSErrors: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--ignore-certificate-errors',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = context.pages()[0] ?? await context.newPage();
  await jobs(async (job) => {
    await page.goto(job.page);
    return page.evaluate(`(${exchange})(${JSON.stringify(job.url)}, WebSocket)`);
  });
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
