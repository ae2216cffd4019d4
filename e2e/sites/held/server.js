// A program that can be held while it starts, and made to fail: while there is a file "hold" in its folder it does not
// listen, with a file "broken" it ends at once.
const fs = require('node:fs');
const http = require('node:http');
const { WebSocketServer } = require('ws');

if (fs.existsSync('broken')) {
  console.error('cannot reach the database');
  process.exit(3);
}
const version = fs.readFileSync('version.txt', 'utf8').trim();
fs.writeFileSync(`started-${process.pid}`, version);
console.log('starts', version);

const server = http.createServer((request, response) => {
  if (request.url === '/die') {
    console.error('about to be killed');
    process.kill(process.pid, 'SIGKILL');
    return;
  }
  response.end(JSON.stringify({ pid: process.pid, version }));
});
new WebSocketServer({ server }).on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));

(function listen() {
  if (fs.existsSync('hold')) setTimeout(listen, 10);
  else server.listen(process.env.HTTP_PLATFORM_PORT, '127.0.0.1');
})();
