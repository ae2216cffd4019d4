// The WebSocket client of Node.js (npm package ws) against an echo endpoint: text, binary, fragments, ping, 1 MiB,
// close codes. Usage: node node.mjs URL [deflate]
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';

const [url, deflate] = process.argv.slice(2);
const options = { perMessageDeflate: deflate === 'deflate', handshakeTimeout: 10_000 };

async function open() {
  const socket = new WebSocket(url, options);
  await once(socket, 'open');
  return socket;
}

async function echo(socket, data, what) {
  const answer = once(socket, 'message');
  socket.send(data);
  const [got, isBinary] = await answer;
  assert.equal(isBinary, typeof data !== 'string', `${what}: the kind of the message changed`);
  assert.ok(Buffer.from(data).equals(got), `${what}: the echo is wrong`);
}

async function fragmented(socket) {
  const parts = [randomBytes(1), Buffer.alloc(0), randomBytes(70_000), randomBytes(3)];
  const answer = once(socket, 'message');
  parts.forEach((part, i) => socket.send(part, { binary: true, fin: i === parts.length - 1 }));
  const [got] = await answer;
  assert.ok(Buffer.concat(parts).equals(got), 'fragmented: the echo is wrong');
}

async function ping(socket) {
  const payload = randomBytes(125);
  const pong = once(socket, 'pong');
  socket.ping(payload);
  const [got] = await pong;
  assert.ok(payload.equals(got), 'ping: the pong is wrong');
}

// The server answers a close frame with the same code (RFC 6455, section 5.5.1).
async function close(code, reason) {
  const socket = await open();
  const closed = once(socket, 'close');
  socket.close(code, reason);
  const [got] = await closed;
  assert.equal(got, code ?? 1005, `close: sent ${code}, got ${got}`);
}

const socket = await open();
await echo(socket, 'Grüße, 世界 🌍', 'text');
await echo(socket, '', 'empty text');
await echo(socket, Buffer.from([0, 255, 1, 254]), 'binary');
for (const size of [125, 126, 65535, 65536]) await echo(socket, randomBytes(size), `binary of ${size} bytes`);
await fragmented(socket);
await ping(socket);
await echo(socket, randomBytes(1 << 20), 'large');
socket.terminate();
for (const code of [1000, 1001, 3000, 4999]) await close(code, 'goodbye');
await close(undefined);
console.log('ok');
