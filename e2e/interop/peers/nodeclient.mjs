// The client of the npm package ws. A job: { url, deflate, cert }, deflate being the option perMessageDeflate.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import { jobs } from './lines.mjs';

async function exchange({ url, deflate, cert }) {
  const did = [];
  const open = async () => {
    const socket = new WebSocket(url, { perMessageDeflate: deflate, ca: cert && readFileSync(cert) });
    await once(socket, 'open');
    return socket;
  };
  const socket = await open();
  async function echo(what, data) {
    const answer = once(socket, 'message');
    socket.send(data);
    const [got, isBinary] = await answer;
    assert.equal(isBinary, typeof data !== 'string', `${what}: the kind of the message changed`);
    assert.ok(Buffer.from(data).equals(got), `${what}: the echo is wrong`);
  }
  async function ask(command, want) {
    const answer = once(socket, 'message');
    socket.send(command);
    assert.equal(String((await answer)[0]), want, `${command}: the answer is wrong`);
  }

  await echo('text', 'Grüße, 世界 🌍');
  did.push('text');
  await echo('binary', Buffer.from([0, 255, 1, 254]));
  did.push('binary');
  await echo('empty', '');
  await echo('empty', Buffer.alloc(0));
  did.push('empty');
  const again = randomBytes(1024).toString('hex');
  for (let i = 0; i < 3; i++) await echo('repeated', again);
  did.push('repeated');

  const parts = [randomBytes(1), Buffer.alloc(0), randomBytes(70_000), randomBytes(3)];
  const whole = once(socket, 'message');
  parts.forEach((part, i) => socket.send(part, { binary: true, fin: i === parts.length - 1 }));
  assert.ok(Buffer.concat(parts).equals((await whole)[0]), 'fragmented: the echo is wrong');
  did.push('fragmented');

  await echo('large', randomBytes(1 << 20));
  did.push('large');

  const payload = randomBytes(125);
  const pong = once(socket, 'pong');
  socket.ping(payload);
  assert.ok(payload.equals((await pong)[0]), 'ping: the pong is wrong');
  did.push('ping');

  const ping = once(socket, 'ping');
  await ask('ping', 'pinged');
  await ping;
  await ask('ponged?', 'true');
  did.push('pong');

  const closed = once(socket, 'close');
  socket.close(4001, 'goodbye');
  assert.equal((await closed)[0], 4001, 'close: the answer has another code');
  did.push('close');

  const second = await open();
  const left = once(second, 'close');
  second.send('close 4002 see you');
  const [code, reason] = await left;
  assert.equal(`${code} ${reason}`, '4002 see you', 'closed');
  did.push('closed');
  return { did, extensions: socket.extensions };
}

await jobs(exchange);
process.exit(); // sockets of a failed exchange may still be open
