// The workers: a table, and a map with a square for each when they are many.
import {$, put, make, keep, count, rate, percent, portion, ago, plain} from './format.js';

const LOST = 1, DRAINING = 2, STRANGER = 4, LEFT = 8;
const few = 12; // rows shown at first
const mapAbove = 24; // the map is shown for more workers than this
const manySlots = 16; // more slots than this are shown as a gauge
let all = false, last = null;

const worker = r => ({name: r[0], slots: r[1], busy: r[2], rate: r[3], images: r[4], share: r[5] / 1000, idle: r[6] < 0 ? null : r[6] / 1000,
  seen: r[7], lost: !!(r[8] & LOST), left: !!(r[8] & LEFT), draining: !!(r[8] & DRAINING), stranger: !!(r[8] & STRANGER)});

export function showCrew(message) {
  last = message;
  const workers = message.rows.map(worker);
  const lost = workers.filter(w => w.lost).length, left = workers.filter(w => w.left).length;
  const there = workers.length - lost - left + message.more;
  put($('workers-sum'), workers.length ? [`${count(there)} connected`, left && `${count(left)} left`, lost && `${count(lost)} lost`].filter(Boolean).join(', ') : '');
  $('workers-none').hidden = workers.length > 0;
  $('workers').hidden = workers.length === 0;
  showMap(workers);
  // A few workers keep their places. Of many, lost workers come first, then the idlest.
  if (workers.length > few) workers.sort((a, b) => b.lost - a.lost || (all ? 0 : (b.idle ?? 0) - (a.idle ?? 0)) || (a.name < b.name ? -1 : 1));
  const rows = all ? workers : workers.slice(0, few);
  keep($('workers').tBodies[0], rows, w => w.name, createRow, updateRow);
  const more = $('workers-more');
  more.hidden = workers.length <= few;
  put(more, all ? `Show the ${few} idlest` : `Show all ${count(workers.length)}`);
}

export function beginCrew() {
  $('workers-more').addEventListener('click', () => {
    all = !all;
    if (last) showCrew(last);
  });
}

function showMap(workers) {
  const map = $('map');
  map.hidden = workers.length <= mapAbove;
  if (map.hidden) {
    map.replaceChildren();
    return;
  }
  map.setAttribute('role', 'img');
  map.setAttribute('aria-label', `${count(workers.length)} workers; the fuller a square, the busier`);
  keep(map, workers, w => w.name, () => make('i'), (e, w) => {
    const level = w.lost ? 'lost' : w.left ? 'left' : String(Math.round(4 * (w.idle === null ? (w.slots ? w.busy / w.slots : 0) : 1 - w.idle)));
    if (e.dataset.level !== level) e.dataset.level = level;
    const text = plain(w.lost || w.left ? `${w.name}: ${level}` : `${w.name}: ${rate(w.rate)} images/s`);
    if (e.title !== text) e.title = text;
  });
}

function createRow() {
  const cells = ['', 'Images/s', 'Busy', 'Idle', 'Share', 'Seen'].map((label, i) => {
    const td = make('td', i === 1 || i > 2 ? 'num' : '');
    if (label) td.dataset.label = label;
    return td;
  });
  cells[0].append(make('span'), make('span', 'tag'));
  cells[2].append(make('span', 'slots'));
  return make('tr', '', ...cells);
}

function updateRow(row, w) {
  const [name, speed, busy, idle, share, seen] = row.cells;
  row.classList.toggle('lost', w.lost);
  row.classList.toggle('left', w.left);
  put(name.firstChild, w.name);
  const tag = name.lastChild, word = w.lost ? 'lost' : w.left ? 'left' : w.draining ? 'draining' : w.stranger ? 'stranger' : '';
  tag.hidden = !word;
  tag.classList.toggle('bad', w.lost);
  put(tag, word);
  put(speed, w.lost || w.left ? '–' : rate(w.rate));
  showSlots(busy.firstChild, w);
  put(idle, w.idle === null || w.lost || w.left ? '–' : percent(w.idle));
  put(share, portion(w.share));
  share.title = `${count(w.images)} images`;
  put(seen, ago(w.seen));
}

function showSlots(e, w) {
  const text = w.lost || w.left ? '–' : `${w.busy} of ${w.slots}`;
  if (e.dataset.text === text) return;
  e.dataset.text = text;
  e.setAttribute('aria-label', text);
  e.setAttribute('role', 'img');
  if (w.lost || w.left || !w.slots) {
    e.replaceChildren('–');
  } else if (w.slots > manySlots) {
    const gauge = make('i', 'gauge', make('b'));
    gauge.firstChild.style.width = `${100 * w.busy / w.slots}%`;
    e.replaceChildren(gauge, make('span', '', text));
  } else {
    e.replaceChildren(...Array.from({length: w.slots}, (_, i) => make('i', i < w.busy ? 'on' : '')));
  }
}
