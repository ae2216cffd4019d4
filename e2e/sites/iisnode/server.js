// A program as iisnode hosts it: HTTP, and WebSockets of its own at /socket, with compression, and /plain, without.
const http = require('node:http');
const { WebSocketServer } = require('ws');

const server = http.createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  if (request.url === '/missing') response.statusCode = 404;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ method: request.method, url: request.url, body, mode: process.env.NODE_ENV, upgrade: request.headers.upgrade ?? '' }));
});

const choose = (offered) => offered.has('second') && 'second';
const kinds = {
  '/socket': new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0 }, handleProtocols: choose }),
  '/plain': new WebSocketServer({ noServer: true, perMessageDeflate: false, handleProtocols: choose }),
};
server.on('upgrade', (request, line, head) => {
  const kind = kinds[request.url];
  if (!kind) {
    line.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 7\r\n\r\nno path');
    return;
  }
  kind.handleUpgrade(request, line, head, (socket) => {
    socket.on('message', (data, binary) => {
      if (!binary && data.toString() === 'extensions?') socket.send(socket.extensions || 'none');
      else if (!binary && data.toString() === 'close') socket.close(4002, 'see you');
      else socket.send(data, { binary });
    });
  });
});
server.listen(process.env.PORT, () => console.log('listens at', process.env.PORT));
