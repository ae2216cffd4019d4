// Steady use of a site, in a process of its own: sockets that echo once a second each, and requests at an even pace.
// Usage: node steady.mjs SOCKET-URL SOCKETS PAGE-URL REQUESTS-A-SECOND
// Prints "ready" when every socket has echoed, goes on until the end of its input, and prints what it saw as JSON.
// Nothing is tried twice: the first thing that goes wrong stays in failures.
import { once } from 'node:events';
import http from 'node:http';
import { WebSocket } from 'ws';

const [socketURL, sockets, pageURL, rate] = [process.argv[2], Number(process.argv[3]), process.argv[4], Number(process.argv[5])];
const tickMs = 10;
const failures = [];
const fail = (what) => { if (failures.length < 20) failures.push(what); };
const now = () => performance.now();
let ending = false;

class Client {
  pending = null; // the message that has not come back
  sentAt = 0;
  count = 0;

  constructor(number) {
    this.number = number;
    this.socket = new WebSocket(socketURL, { perMessageDeflate: false, handshakeTimeout: 30_000 });
    this.socket.on('message', (data) => this.receive(data.toString()));
    this.socket.on('close', (code) => { if (!ending) fail(`socket ${number} was closed with ${code}`); });
    this.socket.on('error', (err) => fail(`socket ${number}: ${err.message}`));
  }

  send() {
    if (this.pending !== null) return; // the latency of the one on its way will tell
    this.pending = `message ${this.count++} on socket ${this.number}`;
    this.sentAt = now();
    this.socket.send(this.pending);
  }

  receive(text) {
    if (text !== this.pending) fail(`socket ${this.number} sent ${JSON.stringify(this.pending)} and got ${JSON.stringify(text)}`);
    echoes.push(now() - this.sentAt);
    this.pending = null;
    this.back?.();
  }
}

const echoes = [], requests = [];
const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
let open = 0, page = null;

function request() {
  open++;
  const sent = now();
  const done = (problem) => {
    open--;
    if (problem) fail(`a request: ${problem}`);
  };
  http.get(pageURL, { agent }, (res) => {
    const parts = [];
    res.on('data', (part) => parts.push(part));
    res.on('error', (err) => done(err.message));
    res.on('end', () => {
      const body = Buffer.concat(parts);
      page ??= body;
      requests.push(now() - sent);
      done(res.statusCode !== 200 || !body.equals(page) ? `status ${res.statusCode} with ${body.length} bytes` : '');
    });
  }).on('error', (err) => done(err.message));
}

function summary(times) {
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { count: times.length, median: at(0.5), p99: at(0.99), max: at(1) };
}

const clients = [];
while (clients.length < sockets) {
  const some = Array.from({ length: Math.min(50, sockets - clients.length) }, (_, i) => new Client(clients.length + i));
  await Promise.all(some.map(async (c) => {
    await once(c.socket, 'open');
    const back = new Promise((resolve) => { c.back = resolve; });
    c.send();
    await back;
    c.back = null;
  }));
  clients.push(...some);
}
echoes.length = 0;
console.log('ready');

let socketsDue = 0, requestsDue = 0, next = 0, last = now();
const timer = setInterval(() => {
  const elapsed = (now() - last) / 1000;
  last = now();
  socketsDue += Math.min(elapsed, 1) * sockets; // never more than a round at once
  requestsDue += Math.min(elapsed, 1) * rate;
  for (; socketsDue >= 1; socketsDue--) clients[next++ % sockets].send();
  for (; requestsDue >= 1; requestsDue--) request();
}, tickMs);

process.stdin.resume();
await once(process.stdin, 'end');
clearInterval(timer);
for (const deadline = now() + 30_000; now() < deadline && (open > 0 || clients.some((c) => c.pending !== null));) {
  await new Promise((resolve) => { setTimeout(resolve, tickMs); });
}
for (const c of clients) {
  if (c.pending !== null) fail(`socket ${c.number}: ${JSON.stringify(c.pending)} never came back`);
  if (c.socket.readyState !== WebSocket.OPEN) fail(`socket ${c.number} is not open at the end`);
}
if (open > 0) fail(`${open} requests were never answered`);
ending = true;
for (const c of clients) c.socket.close(1000);
agent.destroy();
console.log(JSON.stringify({ failures, echoes: summary(echoes), requests: summary(requests) }));
