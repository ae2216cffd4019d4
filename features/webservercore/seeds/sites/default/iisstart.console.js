// One WebSocket connection as the page sees it: connecting, sending, comparing echoes, round-trip times, closing.
// It knows nothing of the page: what happens is handed to the functions in "on".

const RTT_KEPT = 1000;
const RTT_MAX_BYTES = 1024; // larger messages measure the bandwidth, not the way

/** meaning says in words what a close code stands for (RFC 6455, section 7.4.1, and the IANA registry). */
export function meaning(code) {
  const known = {
    1000: 'normal closure', 1001: 'the server or the page is going away', 1002: 'protocol error',
    1003: 'a kind of data that is not accepted', 1005: 'closed without a code',
    1006: 'the connection was lost without a closing handshake', 1007: 'the data did not fit its kind, as text that is not UTF-8',
    1008: 'policy violation', 1009: 'the message was too big', 1010: 'a needed extension was not agreed',
    1011: 'the server met an unexpected condition', 1012: 'the server restarts', 1013: 'try again later',
    1014: 'bad gateway', 1015: 'the TLS handshake failed',
  };
  if (known[code]) return known[code];
  if (code >= 3000 && code <= 3999) return 'a registered code of a library or framework';
  if (code >= 4000 && code <= 4999) return 'a private code of the application';
  return 'a code that has no agreed meaning';
}

/** fromHex turns hex digits, with or without blanks, into bytes. It throws with the place of the first fault. */
export function fromHex(text) {
  const digits = text.replace(/[\s,:]|0x/gi, '');
  const wrong = digits.search(/[^0-9a-f]/i);
  if (wrong >= 0) throw new Error(`“${digits[wrong]}” is not a hex digit`);
  if (digits.length % 2) throw new Error('hex needs two digits for every byte; one is missing');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** difference compares what was sent with what came back; "" means that they are the same. */
export function difference(sent, got) {
  if (typeof sent !== typeof got) {
    return `sent as ${typeof sent === 'string' ? 'text' : 'binary'}, came back as ${typeof got === 'string' ? 'text' : 'binary'}`;
  }
  const n = Math.min(sent.length, got.length);
  for (let i = 0; i < n; i++) {
    if (sent[i] !== got[i]) return `differs at ${typeof sent === 'string' ? 'character' : 'byte'} ${i.toLocaleString('en')}`;
  }
  if (sent.length !== got.length) return `sent ${sent.length.toLocaleString('en')}, came back ${got.length.toLocaleString('en')} long`;
  return '';
}

/** randomBytes returns n unpredictable bytes, so that no answer can be prepared. */
export function randomBytes(n) {
  const bytes = new Uint8Array(n);
  for (let at = 0; at < n; at += 65536) crypto.getRandomValues(bytes.subarray(at, Math.min(n, at + 65536)));
  return bytes;
}

/** byteLength is the size of a message on the wire, before compression. */
export function byteLength(data) {
  return typeof data === 'string' ? new TextEncoder().encode(data).length : data.length;
}

/** Connection wraps one WebSocket at a time. */
export class Connection {
  constructor(on) {
    this.on = on;
    this.socket = null;
    this.checking = true;
    this.reset();
  }

  reset() {
    this.waiting = [];
    this.times = [];
    this.right = 0;
    this.wrong = 0;
  }

  get connected() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** open connects; it throws when the URL or a subprotocol cannot be used. */
  open(url, subprotocols) {
    const socket = new WebSocket(url, subprotocols);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.reset();
    socket.onopen = () => this.on.open(socket);
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => {
      if (this.socket === socket) this.socket = null;
      this.on.close(event);
    };
  }

  /** close starts the closing handshake, or gives up connecting; it throws when code or reason are not allowed. */
  close(code, reason) {
    if (this.socket?.readyState === WebSocket.CONNECTING) this.socket.close();
    else this.socket?.close(code, reason);
  }

  send(data) {
    if (!this.connected) return false;
    if (this.checking) this.waiting.push({ data, at: performance.now() });
    this.socket.send(data);
    this.on.sent(data);
    return true;
  }

  receive(raw) {
    const data = typeof raw === 'string' ? raw : new Uint8Array(raw);
    const expected = this.waiting.shift();
    if (!expected) {
      this.on.received(data, null);
      return;
    }
    const ms = performance.now() - expected.at;
    const fault = difference(expected.data, data);
    if (fault) this.wrong++;
    else this.right++;
    if (!fault && byteLength(data) <= RTT_MAX_BYTES) {
      this.times.push(ms);
      if (this.times.length > RTT_KEPT) this.times.shift();
    }
    this.on.received(data, { fault, ms });
  }

  /** stats returns the round-trip times in milliseconds, or null before the first echo. */
  stats() {
    if (this.times.length === 0) return null;
    const sorted = [...this.times].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return { last: this.times[this.times.length - 1], median, min: sorted[0] };
  }
}
