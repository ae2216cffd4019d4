// A WebSocket client of Node.js (npm package ws). Usage: node client.mjs URL. It says "open" when it has had its first
// echo, and "closed CODE" when the server has closed the connection. At the end of its input it ends.
import { once } from 'node:events';
import { WebSocket } from 'ws';

const socket = new WebSocket(process.argv[2], { handshakeTimeout: 10_000 });
socket.on('close', (code) => { console.log(`closed ${code}`); process.exit(0); });
await once(socket, 'open');
const answer = once(socket, 'message');
socket.send('Grüße, 世界 🌍');
const [got] = await answer;
console.log(got.toString() === 'Grüße, 世界 🌍' ? 'open' : `wrong echo ${got}`);
process.stdin.resume().on('end', () => process.exit(0));
