// The WebSocket client of Node.js (npm package ws) with many sockets that stay open. It prints "open", and after each
// line that it is sent lets every socket echo once and prints "echoed". Usage: node hold.mjs URL COUNT
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const [url, count] = process.argv.slice(2);
const sockets = await Promise.all(Array.from({ length: Number(count) }, async () => {
  const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: 20_000 });
  socket.on('close', (code) => { console.log(`a socket was closed with ${code}`); process.exit(1); });
  await once(socket, 'open');
  return socket;
}));
console.log('open');
for await (const line of createInterface({ input: process.stdin })) {
  await Promise.all(sockets.map(async (socket, i) => {
    const answer = once(socket, 'message');
    socket.send(`${line} ${i}`);
    assert.equal(String((await answer)[0]), `${line} ${i}`);
  }));
  console.log('echoed');
}
