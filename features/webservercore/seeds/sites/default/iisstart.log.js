// The list of what went over the connection: bounded, on the page and as text.

const MAX_ENTRIES = 500;
const PREVIEW_CHARS = 160;
const PREVIEW_BYTES = 32;

const signs = { out: '→', in: '←', note: '•' };
const words = { out: 'sent', in: 'received', note: '' };

/** size says how many bytes in a form for people: "12 B", "1.0 MiB (1,048,576 B)". */
export function size(bytes) {
  const exact = `${bytes.toLocaleString('en')} B`;
  if (bytes < 1024) return exact;
  const unit = bytes < 1048576 ? 'KiB' : 'MiB';
  return `${(bytes / (unit === 'KiB' ? 1024 : 1048576)).toFixed(1)} ${unit} (${exact})`;
}

/** preview shows the beginning of a message: text as it is, bytes in hex. */
export function preview(data) {
  if (typeof data === 'string') {
    return data.length > PREVIEW_CHARS ? `${data.slice(0, PREVIEW_CHARS)}…` : data;
  }
  const head = Array.from(data.subarray(0, PREVIEW_BYTES), (b) => b.toString(16).padStart(2, '0')).join(' ');
  return data.length > PREVIEW_BYTES ? `${head} …` : head;
}

function clock(date) {
  const two = (n) => String(n).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function cell(name, text) {
  const el = document.createElement('span');
  el.className = name;
  el.textContent = text;
  return el;
}

/** Log keeps the newest entries; older ones are dropped and counted. */
export class Log {
  constructor(list, note) {
    this.list = list;
    this.note = note;
    this.clear();
  }

  clear() {
    this.entries = [];
    this.dropped = 0;
    this.list.replaceChildren();
    this.tell();
  }

  /**
   * add enters one line. direction is "out", "in" or "note"; kind is "text", "binary", "open", "close" or "error";
   * bytes is undefined where there is no size; verdict is "", "ok" or "bad".
   */
  add({ direction, kind, bytes, detail, verdict = '', remark = '' }) {
    const entry = { at: new Date(), direction, kind, bytes, detail, remark };
    this.entries.push(entry);
    const follow = this.list.scrollTop + this.list.clientHeight >= this.list.scrollHeight - 24;
    this.list.append(this.render(entry, verdict));
    if (this.entries.length > MAX_ENTRIES) {
      this.entries.shift();
      this.list.firstElementChild.remove();
      this.dropped++;
    }
    if (follow) this.list.scrollTop = this.list.scrollHeight;
    this.tell();
  }

  render(entry, verdict) {
    const item = document.createElement('li');
    item.dataset.direction = entry.direction;
    item.dataset.kind = entry.kind;
    if (verdict) item.dataset.verdict = verdict;
    const sign = cell('sign', signs[entry.direction]);
    sign.setAttribute('aria-hidden', 'true');
    item.append(sign, cell('at', clock(entry.at)), cell('kind', entry.kind));
    if (words[entry.direction]) item.append(cell('sr', words[entry.direction]));
    if (entry.bytes !== undefined) item.append(cell('size', size(entry.bytes)));
    if (entry.remark) item.append(cell('remark', entry.remark));
    if (entry.detail) item.append(cell('detail', entry.detail));
    return item;
  }

  tell() {
    const n = this.entries.length;
    if (n === 0) this.note.textContent = 'Nothing sent or received yet.';
    else if (this.dropped === 0) this.note.textContent = `${n} ${n === 1 ? 'entry' : 'entries'}.`;
    else this.note.textContent = `The newest ${n} entries; ${this.dropped} older ones were dropped.`;
  }

  /** text returns the entries as lines: time, direction, kind, size, remark, detail, separated by tabs. */
  text() {
    const lines = this.entries.map((e) => [
      e.at.toISOString(), words[e.direction] || 'note', e.kind, e.bytes === undefined ? '' : `${e.bytes} B`, e.remark,
      JSON.stringify(e.detail ?? ''),
    ].join('\t'));
    return `${lines.join('\n')}\n`;
  }
}
