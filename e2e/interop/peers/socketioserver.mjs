// A server of socket.io that speaks its websocket transport alone. Usage: node socketioserver.mjs DEFLATE, DEFLATE being
// the option perMessageDeflate in JSON. It prints its port and serves until it is killed.
import http from 'node:http';
import { Server } from 'socket.io';
import { ready } from './lines.mjs';

const server = http.createServer();
const io = new Server(server, {
  transports: ['websocket'], perMessageDeflate: JSON.parse(process.argv[2]), maxHttpBufferSize: 8 << 20, pingInterval: 200,
});
io.on('connection', (socket) => {
  socket.on('echo', (data) => socket.emit('echo', data));
  socket.on('bye', () => socket.conn.close());
});
ready(server);
