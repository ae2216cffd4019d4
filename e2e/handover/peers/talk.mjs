// Connections of the npm package ws that talk to an echo endpoint without a pause and check every reply.
// Usage: node talk.mjs URL NUMBER SLOW. Every SLOW-th connection does not read for a while now and then; 0: none.
// It prints "open" when all connections are open, and talks until its standard input ends. Then it waits for what is
// under way, closes, and prints one line of JSON.
import { once } from 'node:events';
import { WebSocket } from 'ws';

const [url, number, slow] = process.argv.slice(2);
const total = { messages: 0, fragments: 0, wrong: 0, lost: 0, closed: 0, errors: {} };
const talkers = [];
let talking = true;

// A message that is worth compressing, most of all after others like it.
function text(id, n, length) {
  let s = JSON.stringify({ id, n, kind: 'position', unit: 'metre', tags: ['moved', 'checked'], x: (n * 7919) % 104729, y: (n * 104729) % 7919 });
  for (let i = n; s.length < length; i = (i * 48271 + id) % 2147483647) s += i.toString(36);
  return s;
}

class Talker {
  constructor(id) {
    this.id = id;
    this.slow = slow > 0 && id % slow === 0;
    this.sent = 0;
    this.due = []; // the replies that are awaited, oldest first
    this.failed = false;
    this.socket = new WebSocket(url, { perMessageDeflate: { threshold: 0, zlibDeflateOptions: { level: 1, memLevel: 4 } }, handshakeTimeout: 30_000 });
    this.socket.on('message', (data) => this.hear(data.toString()));
    this.socket.on('error', (err) => this.fail(err.message));
    this.socket.on('close', (code) => this.close(code));
  }

  fail(what) {
    total.errors[what] = (total.errors[what] ?? 0) + 1;
  }

  hear(got) {
    const want = this.due.shift();
    if (got !== want) {
      total.wrong++;
      this.fail(want === undefined ? 'a reply to nothing' : 'a wrong reply');
    }
    total.messages++;
    if (this.due.length === 0) this.rest();
  }

  rest() {
    if (talking) setTimeout(() => this.talk(), 20 + (this.id * 37 + this.sent * 13) % 180);
    else this.socket.close(1000);
  }

  // A few messages, one of them in two fragments with time between them.
  talk() {
    if (!talking) return this.socket.close(1000);
    if (this.socket.readyState !== WebSocket.OPEN) return;
    for (let i = 0; i < 2; i++) this.say(text(this.id, this.sent++, 0));
    if (this.sent % 3 === 0) {
      const s = text(this.id, this.sent++, 400);
      this.due.push(s);
      total.fragments++;
      this.socket.send(s.slice(0, 150), { fin: false });
      setTimeout(() => this.socket.send(s.slice(150), { fin: true }), 10 + this.id % 30);
      return;
    }
    if (this.slow) {
      this.socket.pause();
      for (let i = 0; i < 39; i++) this.say(text(this.id, this.sent++, 20_000));
      this.say(text(this.id, this.sent++, 20_000), () => setTimeout(() => this.socket.resume(), 300));
    }
  }

  say(s, out) {
    this.due.push(s);
    this.socket.send(s, out);
  }

  close(code) {
    total.lost += this.due.length;
    if (talking || code !== 1000) {
      total.closed++;
      this.fail(`closed with ${code}`);
    }
  }
}

for (let i = 0; i < Number(number); i++) {
  const t = new Talker(i);
  await once(t.socket, 'open');
  talkers.push(t);
}
console.log('open');
for (const t of talkers) t.rest();
process.stdin.resume();
await once(process.stdin, 'end');
talking = false;
const ends = talkers.map((t) => t.socket.readyState === WebSocket.CLOSED || once(t.socket, 'close'));
await Promise.race([Promise.all(ends), new Promise((done) => setTimeout(done, 20_000).unref())]);
for (const t of talkers) {
  if (t.socket.readyState !== WebSocket.CLOSED) {
    total.lost += t.due.length;
    total.closed++;
    total.errors['does not end'] = (total.errors['does not end'] ?? 0) + 1;
  }
}
console.log(JSON.stringify(total));
process.exit(0);
