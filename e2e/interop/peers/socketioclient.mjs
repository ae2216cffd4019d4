// The client of socket.io over its websocket transport. A job: { url, deflate, cert }
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { io } from 'socket.io-client';
import { jobs } from './lines.mjs';

async function exchange({ url, deflate, cert }) {
  const did = [];
  const open = async () => {
    const socket = io(url, {
      transports: ['websocket'], forceNew: true, reconnection: false, perMessageDeflate: deflate, ca: cert && readFileSync(cert),
    });
    await new Promise((resolve, reject) => {
      socket.on('connect', resolve);
      socket.on('connect_error', reject);
    });
    return socket;
  };
  const socket = await open();
  const extensions = socket.io.engine.transport.ws.extensions;
  async function echo(what, data) {
    const answer = new Promise((resolve, reject) => {
      socket.once('echo', resolve);
      socket.once('disconnect', (reason) => reject(new Error(`${what}: ${reason}`)));
    });
    socket.emit('echo', data);
    assert.deepEqual(await answer, data, `${what}: the echo is wrong`);
    socket.off('disconnect');
    did.push(what);
  }
  await echo('text', 'Grüße, 世界 🌍');
  await echo('binary', randomBytes(4));
  const again = randomBytes(1024).toString('hex');
  for (let i = 0; i < 3; i++) await echo('repeated', again);
  did.splice(-2);
  await echo('large', randomBytes(1 << 20));
  const beat = new Promise((resolve) => { socket.io.engine.once('heartbeat', resolve); });
  socket.emit('beat');
  await beat;
  did.push('heartbeat');
  const closed = once(socket.io.engine.transport.ws, 'close');
  socket.disconnect();
  await closed;
  did.push('close');

  const second = await open();
  const left = once(second.io.engine.transport.ws, 'close');
  second.emit('close');
  const [code, reason] = await left;
  assert.equal(`${code} ${reason}`, '4002 see you', 'closed');
  did.push('closed');
  return { did, extensions };
}

await jobs(exchange);
process.exit(); // sockets of a failed exchange may still be open
