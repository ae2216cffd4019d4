// A server of the npm package ws. Usage: node nodeserver.mjs DEFLATE [CERT KEY], DEFLATE being the option
// perMessageDeflate in JSON. It prints its port and serves until it is killed.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { WebSocketServer } from 'ws';
import { ready } from './lines.mjs';

const [deflate, cert, key] = process.argv.slice(2);
const server = cert ? https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }) : http.createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: JSON.parse(deflate) });

const commands = {
  fragments(socket) {
    const parts = ['frag', '', 'mented ', 'x'.repeat(70_000)];
    parts.forEach((part, i) => socket.send(part, { fin: i === parts.length - 1 }));
  },
  ping(socket) {
    socket.once('pong', (payload) => socket.send(`ponged ${payload}`));
    socket.ping('are you there');
  },
  close(socket) {
    socket.close(4002, 'see you');
  },
};

sockets.on('connection', (socket) => {
  socket.on('message', (data, binary) => {
    const command = !binary && data.length < 64 && commands[String(data)];
    if (command) command(socket);
    else socket.send(data, { binary });
  });
  socket.on('error', (err) => console.error(err));
});
ready(server);
