// The runs: progress and time left, and the figures of the whole farm.
import {$, put, make, keep, count, rate, progress, percent, images, span, about, plain} from './format.js';
import {steer, mayAct} from './actions.js';

const isLive = r => !r.ended;
const settledOf = r => r.done + r.skipped + r.rejected + r.dead;

// shown picks the runs to show: the live runs, otherwise the one that ended last.
export function shown(state) {
  const live = state.runs.filter(isLive);
  if (live.length) return live.sort((a, b) => a.started < b.started ? -1 : 1);
  return state.runs.slice().sort((a, b) => a.ended < b.ended ? 1 : -1).slice(0, 1);
}

export function showRuns(state) {
  const runs = shown(state);
  keep($('runs'), runs, r => r.id, createRun, (e, r) => updateRun(e, r, state, runs.length));
  const verdict = $('verdict');
  put(verdict, state.bottleneck.text.replace(/ %/g, '\u00a0%'));
  verdict.classList.toggle('bad', state.bottleneck.bad);
  const none = state.runs.length === 0 && state.totals.done + state.totals.rejected === 0;
  $('empty').hidden = !none;
  $('workers-section').hidden = none && state.workers.connected + state.workers.lost === 0;
  $('empty-worker').hidden = $('empty-worker-code').hidden = state.workers.connected > 0;
  showFigures(state, runs, none);
  return runs;
}

function createRun() {
  const e = make('article', 'run');
  e.append(
    make('p', 'name'),
    make('div', 'line', make('p', 'percent'), make('p', 'eta')),
    make('div', 'bar', make('i', 'done'), make('i', 'skipped'), make('i', 'rejected'), make('i', 'dead')),
    make('p', 'keys'));
  const bar = e.querySelector('.bar');
  bar.setAttribute('role', 'progressbar');
  bar.setAttribute('aria-valuemin', '0');
  bar.setAttribute('aria-valuemax', '100');
  return e;
}

function updateRun(e, r, state, runs) {
  e.classList.toggle('small', runs > 1);
  const total = Math.max(r.total, r.found), settled = settledOf(r);
  const share = total ? settled / total : isLive(r) ? 0 : 1;
  showName(e.querySelector('.name'), r, state);
  const big = e.querySelector('.percent');
  if (!big.firstChild) big.append('', make('small', '', '%'));
  const digits = progress(share);
  if (big.firstChild.data !== digits) big.firstChild.data = digits;
  const eta = e.querySelector('.eta');
  if (!eta.firstChild) eta.append(make('span', 'left'), ' ', make('span', 'count'));
  put(eta.firstChild, left(r, share, state.bottleneck.kind === 'waiting'));
  put(eta.lastChild, `${count(settled)} of ${images(total)}`);
  const bar = e.querySelector('.bar');
  bar.setAttribute('aria-valuenow', digits);
  bar.setAttribute('aria-label', plain(`Run ${r.id}: ${count(settled)} of ${images(total)} settled`));
  for (const part of bar.children) part.style.width = `${total ? 100 * r[part.className] / total : 0}%`;
  showKeys(e.querySelector('.keys'), r, total, settled);
}

function showName(e, r, state) {
  if (!e.firstChild) e.append(make('b'), make('span'));
  put(e.children[0], (r.inputs && r.inputs.join(', ')) || r.id);
  e.children[0].title = plain(r.id);
  put(e.children[1], [`run ${r.id}`, r.host && `from ${r.host}`, !['running', 'finished'].includes(r.state) && r.state, r.new > 0 && `${count(r.new)} new`].filter(Boolean).join(' · '));
  const wanted = state.actions && mayAct() && isLive(r) && r.state !== 'draining';
  let button = e.querySelector('button');
  if (!wanted) {
    if (button) button.remove();
    return;
  }
  if (!button) {
    button = make('button', 'plain');
    button.type = 'button';
    button.addEventListener('click', () => steer(r.id, button.dataset.to));
    e.append(button);
  }
  const paused = r.state === 'paused';
  button.dataset.to = paused ? 'running' : 'paused';
  put(button, paused ? 'Resume' : 'Pause');
}

function left(r, share, waits) {
  if (!isLive(r)) return `took ${span((new Date(r.ended) - new Date(r.started)) / 1000)} ·`;
  if (r.state === 'paused') return 'paused ·';
  if (share >= 1) return 'ending ·';
  if (r.eta_seconds === null) return r.waiting || waits ? 'waiting ·' : 'estimating ·';
  return `about ${about(r.eta_seconds)} left ·`;
}

// showKeys names the parts of the bar. At the end it shows that every image found is accounted for.
function showKeys(e, r, total, settled) {
  const parts = [['done', r.done], ['skipped', r.skipped], ['rejected', r.rejected], ['dead', r.dead]]
    .filter(([word, n]) => n > 0 || word === 'done')
    .map(([word, n]) => ({cls: word, n, word: {skipped: 'unchanged', dead: n === 1 ? 'dead letter' : 'dead letters'}[word] || word}));
  if (isLive(r)) {
    parts.push({cls: 'left', n: total - settled, word: 'left'});
    if (r.redeliveries) parts.push({cls: 'none', n: r.redeliveries, word: r.redeliveries === 1 ? 'redelivery' : 'redeliveries'});
  }
  keep(e, parts, p => p.cls, p => make('span', `key ${p.cls}`, make('b'), ' ', make('span')), (k, p) => {
    put(k.firstChild, count(p.n));
    put(k.lastChild, p.word);
  });
  if (!isLive(r)) {
    const sum = r.state !== 'finished' && total > settled ? `${count(total - settled)} left for the next run`
      : r.unsettled === 0 ? `✓ ${count(r.found)} found, all accounted for`
      : `${count(r.unsettled)} of ${count(r.found)} found are unaccounted for`;
    e.append(make('span', 'key equal', sum));
    e.lastChild.dataset.key = 'sum';
  }
}

function showFigures(state, runs, none) {
  $('figures').hidden = none && state.workers.connected === 0;
  const live = runs.filter(isLive);
  const now = state.throughput.images_per_second;
  put($('f-now'), rate(now));
  let worked = 0, settled = 0, seconds = 0, refused = 0, dead = 0;
  for (const r of runs) {
    settled += settledOf(r);
    worked += settledOf(r) - r.earlier;
    seconds = Math.max(seconds, r.working_seconds);
    refused += r.rejected;
    dead += r.dead;
  }
  put($('f-mean'), seconds > 1 ? rate(worked / seconds) : seconds > 0 && !live.length ? rate(worked / seconds) : '–');
  put($('f-bytes'), rate(state.throughput.bytes_per_second / 1e6));
  put($('f-workers'), count(state.workers.connected));
  put($('f-slots'), state.workers.connected ? `${count(state.workers.busy)}/${count(state.workers.slots)} slots busy` : '');
  put($('f-refused'), count(runs.length ? refused : state.totals.rejected));
  put($('f-dead'), dead ? `and ${count(dead)} dead letters` : refused ? `${percent(refused / Math.max(settled, 1))} of all` : '');
}

export function title(state, runs) {
  const live = runs.filter(isLive);
  if (!live.length) return runs.length ? plain(`${runs[0].state} · imagefarm`) : 'imagefarm';
  const total = live.reduce((n, r) => n + Math.max(r.total, r.found), 0);
  return `${progress(total ? live.reduce((n, r) => n + settledOf(r), 0) / total : 0)} % · imagefarm`;
}
