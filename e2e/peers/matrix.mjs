// The WebSocket client of Node.js (npm package ws) against applications behind the host. Usage: node matrix.mjs JOBS
// JOBS is JSON: [{ "name", "url", "deflate": does the client offer it, "client", "app": what each side must have negotiated }]
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';

const limit = () => ({ signal: AbortSignal.timeout(60_000) });

async function ask(socket, data) {
  const answer = once(socket, 'message', limit());
  socket.send(data);
  const [got, binary] = await answer;
  return binary ? got : got.toString();
}

async function check({ url, deflate, client, app }) {
  const socket = new WebSocket(url, ['first', 'second'], { perMessageDeflate: deflate ? { threshold: 0 } : false });
  await once(socket, 'open', limit());
  assert.equal(socket.protocol, 'second', 'the subprotocol');
  assert.equal(socket.extensions.split(';')[0], client, 'the extension of the client');
  assert.equal((await ask(socket, 'extensions?')).split(';')[0], app, 'the extension of the application');
  assert.equal(await ask(socket, 'Grüße, 世界 🌍'), 'Grüße, 世界 🌍');
  for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
    const data = randomBytes(size);
    assert.ok(data.equals(await ask(socket, data)), `an echo of ${size} bytes`);
  }
  const text = 'again and again '.repeat(5000);
  for (let n = 0; n < 3; n++) assert.ok(await ask(socket, text) === text, 'what compresses well');
  const parts = [randomBytes(1), Buffer.alloc(0), randomBytes(70_000), randomBytes(3)];
  const whole = once(socket, 'message', limit());
  parts.forEach((part, i) => socket.send(part, { binary: true, fin: i === parts.length - 1 }));
  assert.ok(Buffer.concat(parts).equals((await whole)[0]), 'fragments');
  const pong = once(socket, 'pong', limit());
  socket.ping('are you there');
  assert.equal((await pong)[0].toString(), 'are you there');
  const closed = once(socket, 'close', limit());
  socket.send('close');
  const [code, reason] = await closed;
  assert.equal(`${code} ${reason}`, '4002 see you', 'how the application closes');
}

let bad = 0;
for (const job of JSON.parse(process.argv[2])) {
  try {
    await check(job);
  } catch (err) {
    bad++;
    console.log(`${job.name}: ${err.message ?? err}`);
  }
}
console.log(bad ? `${bad} failed` : 'ok');
process.exit(bad ? 1 : 0);
