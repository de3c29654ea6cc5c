// The throughput over the run, as a line chart.
import {$, put, count, rate, clock, span} from './format.js';

const svg = 'http://www.w3.org/2000/svg';
const width = 1000, height = 200;
let past = null, top = 1;

// ceiling is the next round number above n: 1, 2 or 5 times a power of ten.
function ceiling(n) {
  const power = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return [1, 2, 5, 10].map(f => f * power).find(v => v >= n) || 10 * power;
}

export function showChart(history) {
  past = history;
  const rates = history.rates;
  $('chart-section').hidden = rates.length < 2;
  if (rates.length < 2) return;
  top = ceiling(Math.max(...rates) * 1.02);
  const x = i => (width * i / (rates.length - 1)).toFixed(1);
  const y = v => (height * (1 - v / top)).toFixed(1);
  const line = rates.map((v, i) => `${i ? 'L' : 'M'}${x(i)},${y(v)}`).join('');
  $('chart-line').setAttribute('d', line);
  $('chart-area').setAttribute('d', `${line}L${width},${height}L0,${height}Z`);
  const marks = [0, 0.5, 1];
  $('chart-grid').replaceChildren(...marks.map(m => {
    const l = document.createElementNS(svg, 'line');
    l.setAttribute('x2', width);
    l.setAttribute('y1', height * (1 - m));
    l.setAttribute('y2', height * (1 - m));
    return l;
  }));
  $('chart-y').replaceChildren(...marks.map(m => {
    const s = document.createElement('span');
    const mark = top * m;
    s.textContent = Number.isInteger(mark) ? count(mark) : rate(mark);
    s.style.top = `${100 * (1 - m)}%`;
    return s;
  }));
  const seconds = history.step * (rates.length - 1);
  const ends = [clock(history.start), span(seconds), clock(history.start + 1000 * seconds)];
  const axis = $('chart-x');
  while (axis.children.length < 3) axis.append(document.createElement('span'));
  ends.forEach((text, i) => put(axis.children[i], text));
  const last = rates[rates.length - 1], highest = Math.max(...rates);
  $('chart').setAttribute('aria-label', `Throughput over the last ${span(seconds)}: now ${rate(last)}, at most ${rate(highest)} images a second`);
  if (at === null) put($('chart-now'), 'images a second');
  else point(at);
}

let at = null; // index of the point under the pointer

function point(i) {
  if (!past || past.rates.length < 2) return;
  at = Math.max(0, Math.min(past.rates.length - 1, i));
  const x = width * at / (past.rates.length - 1);
  const cursor = $('chart-cursor');
  cursor.setAttribute('x1', x);
  cursor.setAttribute('x2', x);
  cursor.removeAttribute('hidden');
  put($('chart-now'), `${rate(past.rates[at])} images a second at ${clock(past.start + 1000 * past.step * at)}`);
}

function leave() {
  at = null;
  $('chart-cursor').setAttribute('hidden', '');
  put($('chart-now'), 'images a second');
}

export function beginChart() {
  const chart = $('chart');
  chart.addEventListener('pointermove', e => {
    const box = chart.getBoundingClientRect();
    if (past) point(Math.round((e.clientX - box.left) / box.width * (past.rates.length - 1)));
  });
  chart.addEventListener('pointerleave', leave);
  chart.addEventListener('blur', leave);
  chart.addEventListener('keydown', e => {
    const by = {ArrowLeft: -1, ArrowRight: 1, Home: -1e6, End: 1e6}[e.key];
    if (by === undefined || !past) return;
    e.preventDefault();
    point((at ?? past.rates.length - 1) + by);
  });
}
