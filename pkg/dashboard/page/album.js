// The latest images, and the rejected ones.
import {$, put, make, keep, count, images, clock, ago, address, plain} from './format.js';
import {retry, mayAct} from './actions.js';

const maxRows = 600; // rows of the ledger that a tab keeps
const usual = 12; // rows shown of the latest rejections
let only = '', album = null, ledger = null, state = null, acted = false;

export function showAlbum(message) {
  album = message;
  showRecent();
  showRefused();
}

// takeState takes the state: whether actions are allowed, and how many images were rejected in all.
export function takeState(s) {
  const before = state;
  state = s;
  if (before && before.sink.instance !== s.sink.instance) { // the sink may have another ledger
    ledger = null;
    only = '';
  }
  const refused = x => x && x.totals.rejected + x.totals.dead;
  if (!before || acted !== (s.actions && mayAct()) || before.sink.instance !== s.sink.instance || refused(before) !== refused(s) || before.runs.length !== s.runs.length) showRefused();
  for (const row of $('refused').tBodies[0].rows) put(row.cells[2], ago(Math.max(0, now() - row.dataset.at)));
}

function showRecent() {
  $('recent-section').hidden = album.recent.length === 0;
  keep($('recent'), album.recent, i => `${i.at} ${i.file}`, createImage);
}

// kind is the extension of a name, for a placeholder.
const kind = name => name.includes('.') ? name.split('.').pop().slice(0, 5).toUpperCase() : 'image';

function createImage(i) {
  const frame = make('div', 'frame');
  const text = i.file.split('/').pop();
  const link = make('a', '', frame, make('span', '', text));
  link.title = plain(`${i.file}\n${i.made} ${i.made === 1 ? 'output' : 'outputs'}, ${clock(i.at)}${i.worker ? `, by ${i.worker}` : ''}${i.run ? `\nrun ${i.run}` : ''}${(i.warnings || []).map(w => `\nwarning: ${w}`).join('')}`);
  if (i.warnings) link.classList.add('warned');
  const show = (name, why) => { // a placeholder: the kind of the file, and why there is no picture
    frame.replaceChildren(make('b', '', kind(name)), make('small', '', why));
    frame.classList.add('placeholder');
    link.removeAttribute('href');
  };
  if (!i.name) {
    show(text, 'browsers cannot show it');
    return make('li', '', link);
  }
  if (/^[0-9a-f]{6}$/.test(i.color)) frame.style.backgroundColor = `#${i.color}`; // until the picture is there
  link.href = address(i.name, i.at);
  link.target = '_blank';
  link.rel = 'noopener';
  const img = new Image();
  img.alt = '';
  img.decoding = 'async';
  if (i.width) {
    img.width = i.width;
    img.height = i.height;
  }
  img.addEventListener('error', () => show(i.name, 'not in the sink’s directory'));
  img.src = link.href;
  frame.append(img);
  return make('li', '', link);
}

const words = {'not-an-image': 'not an image', 'too-many-pixels': 'too many pixels', 'too-large': 'too large',
  'preview-too-small': 'preview too small', 'no-such-page': 'no such page', 'animated-too-long': 'animated too long', 'out-of-memory': 'out of memory', dead: 'dead letter'};
const word = why => words[why] || why;

function showRefused() {
  if (!album || !state) return;
  const total = state.totals.rejected + state.totals.dead;
  const inRuns = state.runs.reduce((n, r) => n + r.rejected + r.dead, 0);
  $('refused-section').hidden = album.refused.length === 0 && total === 0 && inRuns === 0 && !ledger;
  const reasons = Object.entries(album.reasons).sort((a, b) => b[1] - a[1]);
  if (only && !album.reasons[only]) only = '';
  put($('refused-sum'), total ? `${images(total)} since this sink started` : inRuns ? `${images(inRuns)} before this sink started` : '');
  $('reasons').hidden = reasons.length < 2;
  keep($('reasons'), reasons, r => r[0], ([why]) => {
    const b = make('button', 'plain');
    b.type = 'button';
    b.addEventListener('click', () => {
      only = only === why ? '' : why;
      ledger = null;
      showRefused();
    });
    return b;
  }, (b, [why, n]) => {
    put(b, `${word(why)} ${count(n)}`);
    b.setAttribute('aria-pressed', String(only === why));
  });
  const chosen = ledger ? ledger.rows : album.refused.filter(r => !only || r.why === only).slice(0, usual);
  keep($('refused').tBodies[0], chosen, r => `${r.at} ${r.file} ${r.why}`, createRow);
  $('refused').hidden = chosen.length === 0;
  const more = $('refused-more');
  $('refused-latest').hidden = ledger === null;
  more.hidden = ledger !== null && !ledger.next;
  put(more, ledger ? 'Show more' : only ? `Show all: ${word(only)}` : 'Show all in the ledger');
  const button = $('retry');
  button.hidden = !(acted = state.actions && mayAct());
  put(button, only ? `Retry ${word(only)} in the next run` : 'Retry all in the next run');
}

const now = () => new Date(state.sink.now).getTime();

function createRow(r) {
  const why = make('td', '', make('span', r.why === 'dead' ? 'why dead' : 'why', word(r.why)));
  if (r.detail) why.append(' ', make('span', 'detail', r.detail));
  const when = make('td', 'num');
  when.title = new Date(r.at).toLocaleString('en-GB');
  const file = make('td', '', r.file);
  if (r.run) file.title = plain(`run ${r.run}`);
  const row = make('tr', '', file, why, when);
  row.dataset.at = r.at;
  put(when, ago(Math.max(0, now() - r.at)));
  return row;
}

// readLedger shows one more page of the ledger.
async function readLedger() {
  const more = $('refused-more');
  more.disabled = true;
  const query = new URLSearchParams({limit: '100'});
  if (ledger && ledger.next) query.set('after', ledger.next);
  if (only === 'dead') query.set('outcome', 'dead');
  else if (only) query.set('reason', only);
  try {
    const answer = await fetch(`/api/v1/rejects?${query}`);
    const page = await answer.json();
    if (!answer.ok) throw new Error(page.error);
    const rows = page.entries.map(r => ({file: r.filename, why: r.outcome === 'dead' ? 'dead' : r.reason, detail: r.detail, run: r.run, at: new Date(r.at).getTime()}));
    const had = ledger ? ledger.rows : [];
    ledger = {rows: had.concat(rows).slice(0, maxRows), next: page.next};
    if (had.length + rows.length >= maxRows) ledger.next = '';
    put($('retry-said'), ledger.rows.length >= maxRows ? `The first ${count(maxRows)}; farm rejects lists them all.` : ledger.rows.length ? '' : 'The ledger holds none.');
  } catch (e) {
    put($('retry-said'), `Cannot read the ledger: ${e.message}`);
  }
  more.disabled = false;
  showRefused();
}

export function beginAlbum() {
  $('refused-more').addEventListener('click', readLedger);
  $('refused-latest').addEventListener('click', () => {
    ledger = null;
    put($('retry-said'), '');
    showRefused();
  });
  $('retry').addEventListener('click', async () => {
    const said = await retry(only);
    ledger = null;
    put($('retry-said'), said);
    showRefused();
  });
}
