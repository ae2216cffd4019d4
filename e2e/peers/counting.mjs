// Clients of the counting application. Usage: node counting.mjs URL CLIENTS
// Every client counts up, one acknowledged message after the other. A line on standard input is a command:
//   report   write what has happened so far as one line of JSON
//   end      finish what is under way, report, and exit
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { io } from 'socket.io-client';

const [url, clients] = [process.argv[2], Number(process.argv[3])];
const total = { clients, counted: 0, wrong: 0, lost: 0, reconnects: 0, errors: [], pids: {} };
let ending = false;

class Client {
  constructor() {
    this.n = 0;
    this.socket = io(url, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200 });
    this.socket.on('connect', () => { if (this.was) total.reconnects++; this.was = true; this.n = 0; });
    this.socket.on('connect_error', (err) => this.note(`connect: ${err.message} ${err.description ?? ''}`));
    this.socket.on('disconnect', (reason) => this.note(`disconnect: ${reason}`));
    this.done = this.count();
  }

  note(text) { if (total.errors.length < 50) total.errors.push(text); }

  get transport() { return this.socket.io.engine?.transport?.name ?? 'none'; }

  async count() {
    while (!ending) {
      if (!this.socket.connected) { await pause(10); continue; }
      const n = ++this.n;
      const id = this.socket.id;
      try {
        const answer = await this.socket.timeout(20_000).emitWithAck('count', n);
        if (id !== this.socket.id) continue; // it counts anew
        if (answer.n !== n || !answer.ok) { total.wrong++; this.note(`sent ${n}, got ${JSON.stringify(answer)}`); }
        total.counted++;
        total.pids[answer.pid] = (total.pids[answer.pid] ?? 0) + 1;
      } catch (err) {
        if (id === this.socket.id) { total.lost++; this.note(`no answer to ${n}: ${err.message}`); }
      }
      await pause(20 + Math.random() * 20);
    }
  }
}

const all = Array.from({ length: clients }, () => new Client());

function report() {
  const transports = {};
  for (const c of all) transports[c.transport] = (transports[c.transport] ?? 0) + 1;
  console.log(JSON.stringify({ ...total, transports, connected: all.filter((c) => c.socket.connected).length }));
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'report') report();
  if (line === 'end') break;
}
ending = true;
await Promise.all(all.map((c) => c.done));
report();
process.exit(0);
