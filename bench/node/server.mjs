// Echo and broadcast with the package ws, for the benchmark: the same paths, commands and answers as the Go servers.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { WebSocketServer } from 'ws';

const mode = process.argv[2] ?? 'plain';
const perMessageDeflate = mode === 'plain' ? false : {
  threshold: 0,
  serverNoContextTakeover: mode === 'nct',
  clientNoContextTakeover: mode === 'nct',
};
const wss = new WebSocketServer({ noServer: true, perMessageDeflate, maxPayload: 64 * 1024 * 1024 });
const members = new Set();

const server = createServer((request, response) => {
  response.writeHead(426).end();
});
server.on('upgrade', (request, socket, head) => {
  wss.handleUpgrade(request, socket, head, (ws) => {
    ws.on('error', (error) => console.error(`ws-node: ${error.message}`));
    if (request.url !== '/broadcast') {
      ws.on('message', (data, binary) => ws.send(data, { binary }));
      return;
    }
    members.add(ws);
    ws.on('close', () => members.delete(ws));
    ws.on('message', (data, binary) => {
      for (const member of members) member.send(data, { binary });
    });
  });
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  console.log(`listening 127.0.0.1:${server.address().port}`);
});

createInterface({ input: process.stdin })
  .on('line', () => {
    globalThis.gc?.();
    console.log('done');
  })
  .on('close', () => process.exit(0));
