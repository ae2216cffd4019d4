// The WebSocket client of undici, which is also that of Node.js itself. A job: { url, cert }
import { channel } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { Agent, WebSocket, ping } from 'undici';
import { jobs } from './lines.mjs';
import { exchange } from './standard.mjs';

async function pinged(socket) {
  const payload = Buffer.from(crypto.getRandomValues(new Uint8Array(125)));
  const pong = new Promise((resolve) => {
    const pongs = channel('undici:websocket:pong');
    pongs.subscribe(function got(message) {
      if (message.websocket !== socket) return;
      pongs.unsubscribe(got);
      resolve(Buffer.from(message.payload));
    });
  });
  ping(socket, payload);
  if (!payload.equals(await pong)) throw new Error('ping: the pong is wrong');
}

await jobs(async ({ url, cert }) => {
  const dispatcher = new Agent(cert ? { connect: { ca: readFileSync(cert) } } : {});
  try {
    return await exchange(url, WebSocket, { options: { dispatcher }, ping: pinged });
  } finally {
    await dispatcher.close();
  }
});
process.exit(); // sockets of a failed exchange may still be open
