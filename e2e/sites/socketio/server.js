// A chat-like application of socket.io: it counts, so that a message that is lost or comes twice is seen.
const http = require('node:http');
const fs = require('node:fs');
const path = require('node:path');
const { Server } = require('socket.io');

const server = http.createServer((request, response) => {
  if (request.url === '/' || request.url.startsWith('/?')) {
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(fs.readFileSync(path.join(__dirname, 'page.html')));
    return;
  }
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ pid: process.pid, url: request.url, headers: request.headers }));
});

const io = new Server(server, { pingInterval: 5000, pingTimeout: 10000, cors: { origin: true } });
io.engine.on('connection_error', (err) => console.error('refused:', err.code, err.message));
io.on('connection', (socket) => {
  let last = 0;
  socket.on('count', (n, answer) => {
    const ok = n === last + 1;
    last = n;
    answer({ n, ok, pid: process.pid, transport: socket.conn.transport.name });
  });
  socket.on('headers', (answer) => answer(socket.handshake.headers));
});

process.on('SIGTERM', () => process.exit(0));
server.listen(process.env.PORT, () => console.log('listens at', process.env.PORT));
