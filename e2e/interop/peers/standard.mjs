// The exchange through the WebSocket class of the web platform. The function is also sent into a page: it uses nothing
// from outside. tools.ping, where there is one, sends a ping and waits for its pong, which no page can do.
export async function exchange(url, WebSocket, tools = {}) {
  const did = [];

  async function open() {
    const socket = new WebSocket(url, tools.options ?? []);
    socket.binaryType = 'arraybuffer';
    const inbox = [];
    let wake = () => {};
    const put = (event) => { inbox.push(event); wake(); };
    socket.onmessage = put;
    socket.onclose = put;
    const next = async () => {
      while (inbox.length === 0) await new Promise((resolve) => { wake = resolve; });
      return inbox.shift();
    };
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error('open: the connection failed'));
    });
    socket.onerror = null;
    return { socket, next };
  }

  function same(sent, got) {
    if (typeof sent === 'string') return sent === got;
    if (!(got instanceof ArrayBuffer) || got.byteLength !== sent.byteLength) return false;
    const bytes = new Uint8Array(got);
    return sent.every((b, i) => b === bytes[i]);
  }

  function random(size) {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
    return bytes;
  }

  const { socket, next } = await open();
  async function echo(what, data) {
    socket.send(data);
    if (!same(data, (await next()).data)) throw new Error(`${what}: the echo is wrong`);
  }
  await echo('text', 'Grüße, 世界 🌍');
  did.push('text');
  await echo('binary', new Uint8Array([0, 255, 1, 254]));
  did.push('binary');
  await echo('empty', '');
  await echo('empty', new Uint8Array(0));
  did.push('empty');
  const again = Array.from(random(1024), (b) => b.toString(16).padStart(2, '0')).join('');
  for (let i = 0; i < 3; i++) await echo('repeated', again);
  did.push('repeated');
  await echo('large', random(1 << 20));
  did.push('large');
  if (tools.ping) {
    await tools.ping(socket);
    did.push('ping');
  }
  socket.send('ping');
  if ((await next()).data !== 'pinged') throw new Error('pong: the server did not ping');
  socket.send('ponged?');
  if ((await next()).data !== 'true') throw new Error('pong: the server saw no pong');
  did.push('pong');
  socket.close(4001, 'goodbye');
  const ended = await next();
  if (ended.code !== 4001) throw new Error(`close: sent 4001, got ${ended.code}`);
  did.push('close');

  const second = await open();
  second.socket.send('close 4002 see you');
  const left = await second.next();
  if (left.code !== 4002 || left.reason !== 'see you') throw new Error(`closed: got ${left.code} ${left.reason}`);
  did.push('closed');
  return { did, extensions: socket.extensions };
}
