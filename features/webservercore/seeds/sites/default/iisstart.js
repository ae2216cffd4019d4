// The start page: what the server says of itself, and the controls of the WebSocket console.

import { Connection, byteLength, fromHex, meaning, randomBytes } from './iisstart.console.js';
import { Log, preview } from './iisstart.log.js';

const MIB = 1048576;
const $ = (id) => document.getElementById(id);
const log = new Log($('log'), $('log-note'));

function pill(el, state, text) {
  el.dataset.state = state;
  el.textContent = text;
}

function problem(text) {
  $('problem').textContent = text;
  $('problem').hidden = !text;
}

// --- what the server says of itself ---

function notice(title, text, command, after) {
  $('notice-title').textContent = title;
  $('notice-text').textContent = text;
  $('notice-command').textContent = command;
  $('notice-after').textContent = after;
  $('notice').hidden = false;
}

function showFeatures(features) {
  $('features').replaceChildren(...features.map(({ id, title }) => {
    const item = document.createElement('li');
    const name = document.createElement('span');
    name.textContent = title;
    const code = document.createElement('code');
    code.textContent = id;
    item.append(name, code);
    return item;
  }));
  $('features-note').textContent = features.length === 1 ? '1 feature is installed.' : `${features.length} features are installed.`;
}

function showWebSocket(ws) {
  const install = ws.command || 'rolemgr install websocket';
  if (!ws.installed) {
    pill($('ws-pill'), 'off', 'WebSocket: not installed');
    notice('WebSocket Protocol is not installed', 'The server answers an upgrade request as an ordinary GET. One command installs it, without a restart:',
      install, 'Then load this page again.');
  } else if (!ws.enabled) {
    pill($('ws-pill'), 'off', 'WebSocket: switched off');
    notice('WebSocket Protocol is switched off here', `It is installed (${install} has nothing left to do), but the configuration of this site says enabled="false". Inside <system.webServer> of its web.config, write:`,
      '<webSocket enabled="true" />', 'The change counts from the next request on; nothing needs a restart.');
  } else {
    pill($('ws-pill'), 'on', 'WebSocket: ready');
    if (!ws.endpoint) {
      notice('This site declares no echo endpoint', 'WebSocket Protocol is ready, but no URL of this site sends messages back. Inside <system.webServer> of its web.config, write:',
        '<webSocketEndpoints><add path="/echo" type="echo" /></webSocketEndpoints>', 'The change counts from the next request on; nothing needs a restart.');
    }
  }
  if (ws.endpoint) $('url').value = socketURL(encodeURI(ws.endpoint));
}

function showInfo(info) {
  if (info.name) {
    $('server-name').textContent = info.name;
    document.title = `${info.name} – web server`;
  }
  if (info.program) $('program').textContent = `runs ${info.program} and answers requests.`;
  showFeatures(Array.isArray(info.features) ? info.features : []);
  showWebSocket(info.webSocket ?? {});
}

async function ask() {
  try {
    const answer = await fetch('/server-info.json', { cache: 'no-store', headers: { Accept: 'application/json' } });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    showInfo(await answer.json());
  } catch (err) {
    pill($('ws-pill'), 'unknown', 'WebSocket: not known');
    $('features-note').textContent = `This site does not tell what is installed (/server-info.json: ${err.message}). The console can be tried all the same.`;
  }
}

function socketURL(path) {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`;
}

// --- the connection ---

const connection = new Connection({
  open(socket) {
    showState();
    const agreed = [socket.protocol && `subprotocol ${socket.protocol}`, socket.extensions && `extensions ${socket.extensions}`].filter(Boolean);
    log.add({ direction: 'note', kind: 'open', detail: [socket.url, ...agreed].join(', ') });
  },
  sent(data) {
    log.add({ direction: 'out', kind: typeof data === 'string' ? 'text' : 'binary', bytes: byteLength(data), detail: preview(data) });
  },
  received(data, check) {
    const remark = check && (check.fault ? `not the echo: ${check.fault}` : `echo, ${ms(check.ms)}`);
    log.add({
      direction: 'in', kind: typeof data === 'string' ? 'text' : 'binary', bytes: byteLength(data), detail: preview(data),
      verdict: check ? (check.fault ? 'bad' : 'ok') : '', remark: remark || '',
    });
    showNumbers();
  },
  close(event) {
    showState();
    const lost = connection.waiting.length;
    const unanswered = lost ? `; ${lost} sent without an answer` : '';
    log.add({
      direction: 'note', kind: 'close', verdict: event.wasClean ? '' : 'bad',
      remark: `${event.code}, ${meaning(event.code)}${unanswered}`, detail: event.reason,
    });
    if (!event.wasClean && event.code === 1006) problem('The connection failed or was lost. Is the URL right, and is WebSocket Protocol installed and switched on there?');
  },
});

function ms(value) {
  return value < 10 ? `${value.toFixed(2)} ms` : `${value.toFixed(1)} ms`;
}

function showNumbers() {
  const stats = connection.stats();
  $('rtt-last').textContent = stats ? ms(stats.last) : '–';
  $('rtt-median').textContent = stats ? ms(stats.median) : '–';
  $('rtt-min').textContent = stats ? ms(stats.min) : '–';
  $('echo-ok').textContent = connection.right;
  $('echo-bad').textContent = connection.wrong;
  $('echo-bad').parentElement.dataset.bad = connection.wrong > 0;
}

function showState() {
  const state = connection.socket?.readyState;
  const connecting = state === WebSocket.CONNECTING;
  $('live').disabled = state !== WebSocket.OPEN;
  $('connect').textContent = connecting ? 'Give up' : 'Connect';
  $('connect').disabled = state === WebSocket.OPEN || state === WebSocket.CLOSING;
  if (state === WebSocket.OPEN) pill($('conn-state'), 'open', 'Connected');
  else if (connecting) pill($('conn-state'), 'wait', 'Connecting…');
  else if (state === WebSocket.CLOSING) pill($('conn-state'), 'wait', 'Closing…');
  else pill($('conn-state'), 'closed', 'Not connected');
}

// on runs f for an event and shows what goes wrong, instead of the browser's own handling of the event.
function on(id, event, f) {
  $(id).addEventListener(event, async (e) => {
    e.preventDefault();
    problem('');
    try {
      await f();
    } catch (err) {
      problem(err.message.replace(/^Failed to \w+ '\w+'( on '\w+')?: /, ''));
    }
  });
}

on('open-form', 'submit', () => {
  if (connection.socket) {
    connection.close();
    return;
  }
  const subprotocols = $('subprotocol').value.split(',').map((s) => s.trim()).filter(Boolean);
  connection.open($('url').value.trim(), subprotocols);
  showState();
  showNumbers();
});

on('close-form', 'submit', () => {
  connection.close(Number($('close-code').value), $('close-reason').value);
  showState();
});

on('text-form', 'submit', () => connection.send($('text').value));

on('binary-form', 'submit', async () => {
  const [file] = $('file').files;
  if (!file) {
    connection.send(fromHex($('hex').value));
    return;
  }
  if (file.size > 16 * MIB) throw new Error('that file is larger than 16 MiB, the most that this page sends at once');
  connection.send(new Uint8Array(await file.arrayBuffer()));
  $('file').value = '';
});

on('ping', 'click', () => connection.send(randomBytes(16)));
on('send-mib', 'click', () => connection.send(randomBytes(MIB)));

$('check-echo').addEventListener('change', (e) => {
  connection.checking = e.target.checked;
  connection.waiting = [];
});

// Enter sends, as in every chat; Shift+Enter makes a new line.
$('text').addEventListener('keydown', (e) => {
  if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  $('text-form').requestSubmit();
});

// --- the log and the clipboard ---

on('clear', 'click', () => log.clear());

on('export', 'click', () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([log.text()], { type: 'text/plain' }));
  link.download = 'websocket-log.txt';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});

on('copy-command', 'click', async () => {
  try {
    await navigator.clipboard.writeText($('notice-command').textContent);
    $('copy-command').textContent = 'Copied';
  } catch {
    // A page that was not loaded over https or from this machine has no clipboard: select the text instead.
    getSelection().selectAllChildren($('notice-command'));
    $('copy-command').textContent = 'Selected: press Ctrl+C';
  }
  setTimeout(() => { $('copy-command').textContent = 'Copy'; }, 2000);
});

$('url').value = socketURL('/echo');
showState();
ask();
