// An echo server that lies about one kind of message: the negative control of every peer test. It prints its port.
// Usage: node liar.mjs text|binary|large
import { WebSocketServer } from 'ws';

const LARGE = 1 << 19;
const [about] = process.argv.slice(2);

function kindOf(data, isBinary) {
  if (data.length > LARGE) return 'large';
  return isBinary ? 'binary' : 'text';
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => {
    const answer = Buffer.from(data);
    // Flipping the lowest bit of one byte keeps ASCII text valid.
    if (kindOf(data, isBinary) === about) answer[answer.length >> 1] ^= 1;
    socket.send(answer, { binary: isBinary });
  });
});
server.on('listening', () => console.log(server.address().port));
