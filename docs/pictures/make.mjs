// Draws the pictures of docs/wizard.md and of the README from a real run: tmux is the terminal, the keys are those of
// the page, and what stands on the screen becomes an SVG.
//
//	go build -o /tmp/rolemgr ./cmd/rolemgr && node docs/pictures/make.mjs /tmp/rolemgr
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const program = resolve(process.argv[2] ?? 'rolemgr');
const socket = `pictures-${process.pid}`;
const columns = 100, lines = 30;
const work = mkdtempSync(join(tmpdir(), 'pictures-'));
const home = join(tmpdir(), 'web01');
if (existsSync(home)) throw new Error(`${home} is in the way`);

function tmux(...args) {
  return execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], { encoding: 'utf8' });
}

const screen = () => tmux('capture-pane', '-t', 'p', '-p');

// until waits for a text on the screen.
async function until(text) {
  for (let end = Date.now() + 15000; Date.now() < end;) {
    if (screen().includes(text)) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`${JSON.stringify(text)} did not appear on\n${screen()}`);
}

// press sends keys and waits for what they lead to.
async function press(keys, text) {
  for (const k of keys) tmux('send-keys', '-t', 'p', k);
  await until(text);
}

// The colours of xterm: 16 named ones, a cube, a ramp of greys.
function color(n) {
  const named = ['#1d1f21', '#cc6666', '#8fbf6f', '#d9a441', '#6f9fd8', '#b294bb', '#70b8b0', '#c5c8c6',
    '#666a70', '#e07b7b', '#a8d98a', '#f0bd5e', '#8ab8f0', '#c9aad2', '#8ad0c8', '#f2f4f3'];
  if (n < 16) return named[n];
  if (n > 231) return `rgb(${[1, 1, 1].map(() => 8 + (n - 232) * 10)})`;
  const level = (v) => (v === 0 ? 0 : 55 + 40 * v);
  n -= 16;
  return `rgb(${[Math.floor(n / 36), Math.floor(n / 6) % 6, n % 6].map(level)})`;
}

const escape = (s) => s.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);

// draw makes an SVG of a screen with its styles. Each run of one style is a text of its own at its own column, so that
// the columns stand whatever font there is.
function draw(name, title) {
  const [cw, ch, pad, bar] = [8.4, 18, 14, 30];
  const rows = tmux('capture-pane', '-t', 'p', '-p', '-e').replace(/\n$/, '').split('\n');
  const [width, height] = [columns * cw + 2 * pad, lines * ch + 2 * pad + bar];
  const paper = '#16181d', ink = '#d7dae0';
  const out = [];
  rows.slice(0, lines).forEach((row, y) => {
    let x = 0, style = {};
    for (const part of row.split(/(\x1b\[[0-9;]*m)/)) {
      const codes = /^\x1b\[([0-9;]*)m$/.exec(part);
      if (codes) {
        style = restyle(style, codes[1]);
        continue;
      }
      const n = [...part].length;
      if (n > 0) out.push(run(part, x, y, n, style));
      x += n;
    }
  });
  function run(text, x, y, n, s) {
    let fg = s.fg ?? ink, bg = s.bg;
    if (s.reverse) [fg, bg] = [bg ?? paper, fg];
    const [px, py] = [pad + x * cw, bar + pad + y * ch];
    const rect = bg ? `<rect x="${px.toFixed(1)}" y="${py}" width="${(n * cw).toFixed(1)}" height="${ch}" fill="${bg}"/>` : '';
    if (!text.trim()) return rect;
    const attrs = [`x="${px.toFixed(1)}"`, `y="${py + 13.5}"`, `textLength="${(n * cw).toFixed(1)}"`, `fill="${fg}"`];
    if (s.bold) attrs.push('font-weight="bold"');
    if (s.dim) attrs.push('opacity="0.55"');
    if (s.underline) attrs.push('text-decoration="underline"');
    return `${rect}<text ${attrs.join(' ')} xml:space="preserve">${escape(text)}</text>`;
  }
  writeFileSync(join(here, `${name}.svg`), `<svg xmlns="http://www.w3.org/2000/svg" width="${width.toFixed(0)}" height="${height}" viewBox="0 0 ${width.toFixed(0)} ${height}" role="img" font-family="'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace" font-size="14">
<title>${escape(title)}</title>
<rect width="100%" height="100%" rx="8" fill="${paper}"/>
<circle cx="20" cy="17" r="5" fill="#5a5e66"/><circle cx="38" cy="17" r="5" fill="#5a5e66"/><circle cx="56" cy="17" r="5" fill="#5a5e66"/>
${out.filter(Boolean).join('\n')}
</svg>
`);
  console.log(`${name}.svg  ${title}`);
}

// restyle applies the codes of one escape sequence (ECMA-48, select graphic rendition).
function restyle(style, text) {
  const s = { ...style }, codes = text === '' ? [0] : text.split(';').map(Number);
  for (let i = 0; i < codes.length; i++) {
    const c = codes[i];
    if (c === 0) for (const k of Object.keys(s)) delete s[k];
    else if (c === 1) s.bold = true;
    else if (c === 2) s.dim = true;
    else if (c === 4) s.underline = true;
    else if (c === 7) s.reverse = true;
    else if (c === 22) s.bold = s.dim = false;
    else if (c === 24) s.underline = false;
    else if (c === 27) s.reverse = false;
    else if (c >= 30 && c <= 37) s.fg = color(c - 30);
    else if (c >= 90 && c <= 97) s.fg = color(c - 82);
    else if (c >= 40 && c <= 47) s.bg = color(c - 40);
    else if (c === 38 && codes[i + 1] === 5) { s.fg = color(codes[i + 2]); i += 2; }
    else if (c === 48 && codes[i + 1] === 5) { s.bg = color(codes[i + 2]); i += 2; }
    else if (c === 39) delete s.fg;
    else if (c === 49) delete s.bg;
  }
  return s;
}

function start(args) {
  // Root can have the host name of the pictures.
  const named = process.getuid() === 0 ? ['unshare --uts sh -c "hostname web01 && exec', '"'] : ['', ''];
  tmux('new-session', '-d', '-s', 'p', '-x', String(columns), '-y', String(lines),
    `env LANG=C.UTF-8 TERM=xterm-256color NO_COLOR= COLORFGBG='15;0' XDG_STATE_HOME=${work} ROLEMGR_HOME=${home} ${named[0]} ${program} ${args}${named[1]}`);
  tmux('set', '-g', 'status', 'off');
}

async function road() {
  start('');
  await until('Dashboard');
  await until('Add roles and features');
  draw('dashboard-empty', 'Server Manager on a server on which nothing is installed');
  await press(['M-m'], 'Remove Roles and Features');
  draw('menu', 'The menu Manage');
  await press(['Enter'], 'Before you begin');
  draw('before', 'Before you begin');
  await press(['n'], 'Select installation type');
  draw('type', 'Select installation type');
  await press(['n'], 'Select destination server');
  draw('server', 'Select destination server');
  await press(['n'], 'Web Server (IIS)');
  await press(['Right', 'Down', 'Right', '/', 'w', 'e', 'b', 's', 'o', 'c', 'k', 'e', 't', 'Enter', 'Escape'], 'WebSocket Protocol');
  draw('roles', 'Select server roles: WebSocket Protocol under Application Development');
  await press(['Space'], 'Add features that are required');
  draw('required', 'Add features that are required for WebSocket Protocol?');
  await press(['Enter'], 'required or by default');
  draw('roles-ticked', 'Select server roles: ticked, with what it needs');
  await press(['n'], 'Select features');
  draw('features', 'Select features');
  await press(['n'], 'Things to note');
  draw('role-info', 'Web Server Role (IIS)');
  await press(['n'], 'Select role services');
  await press(['/', 'w', 'e', 'b', 's', 'o', 'c', 'k', 'e', 't', 'Enter', 'Escape'], 'WebSocket Protocol');
  draw('services', 'Select role services');
  await press(['n'], 'Same thing as a command');
  draw('confirm', 'Confirm installation selections');
  await press(['i'], 'Installation succeeded');
  draw('results', 'Installation progress');
  await press(['c'], 'Roles 1');
  host = spawn(program, ['serve'], { env: { ...process.env, ROLEMGR_HOME: home }, stdio: 'ignore' });
  for (let tries = 0; !screen().match(/● Services +running/); tries++) {
    if (tries > 100) throw new Error(`the host does not run\n${screen()}`);
    await new Promise((done) => setTimeout(done, 100));
    tmux('send-keys', '-t', 'p', 'F5');
  }
  draw('dashboard', 'Server Manager with the web server installed');
}

let host;
try {
  await road();
} finally {
  host?.kill();
  try {
    tmux('kill-server');
  } catch { /* it ended with its program */ }
  for (const dir of [work, home]) rmSync(dir, { recursive: true, force: true });
}
