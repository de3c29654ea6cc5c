// The page follows the sink's stream of server-sent events. Each message replaces the one before.
import {$, put, make, count, micros, percent, span, clock} from './format.js';
import {showRuns, title} from './run.js';
import {showChart, beginChart} from './chart.js';
import {showCrew, beginCrew} from './crew.js';
import {know, askWho, beginSession} from './actions.js';
import {showAlbum, takeState, beginAlbum} from './album.js';

const silenceLimit = 5000; // ms without a message after which the connection counts as lost
const reading = 8000; // ms for which the page shows why an action failed
let source = null, heard = 0, state = null, again = 0, complained = -reading;

const root = document.documentElement;

function is(word) {
  if (root.dataset.state !== word) root.dataset.state = word;
}

function showState(s) {
  state = s;
  heard = Date.now();
  again = 0;
  is(s.stopping ? 'ended' : 'live');
  const runs = showRuns(s);
  put($('where'), [s.sink.host, s.sink.version].filter(Boolean).join(' · '));
  put($('link'), s.stopping ? 'ended' : 'live');
  put($('store'), `Outputs in ${s.sink.out} · ${count(s.totals.settled)} settled in the ledger`);
  $('report').hidden = !s.report;
  document.title = title(s, runs);
  showStages(s.stages, s.totals);
  takeState(s);
  if (s.actions) know().then(news => { if (news) showState(state); });
  if (Date.now() - complained > reading || s.stopping) showBanner();
}

function showStages(t, totals) {
  const images = totals.done + totals.rejected;
  const parts = [['Decode', t.decode_us, 's1'], ['Transform', t.transform_us, 's2'], ['Encode', t.encode_us, 's3'], ['Write', t.write_us, 's4']]
    .map(([word, us, cls]) => ({word, us: us || 0, cls}));
  const all = parts.reduce((n, p) => n + p.us, 0);
  $('stages-section').hidden = !all || !images;
  document.querySelector('.columns').classList.toggle('two', !!all && !!images);
  if (!all || !images) return;
  const bar = $('stage-bar'), list = $('stages');
  if (!bar.firstChild) {
    for (const p of parts) {
      bar.append(make('i', p.cls));
      list.append(make('div', p.cls, make('dt', '', p.word), make('dd'), make('dd', 'quiet')));
    }
    list.append(make('div', 's5', make('dt', '', 'Waited first'), make('dd'), make('dd')));
  }
  parts.forEach((p, i) => {
    bar.children[i].style.width = `${100 * p.us / all}%`;
    put(list.children[i].children[1], micros(p.us / images));
    put(list.children[i].children[2], percent(p.us / all));
  });
  put(list.lastChild.children[1], micros((t.waited_us || 0) / images));
}

function showBanner(text, calm) {
  const banner = $('banner');
  if (ended() && !text) {
    text = state.once ? 'The run has ended. This is its last state.' : 'The sink has ended. This is its last state.';
    calm = true;
  }
  banner.hidden = !text;
  banner.classList.toggle('calm', !!calm);
  if (text) put(banner, text);
}

// ended reports whether the sink has ended as it should: it said so, or it was to end with its run, and the run has ended.
function ended() {
  return state && (state.stopping || state.once && state.runs.length > 0 && state.runs.every(r => r.ended));
}

// lost says that the page is out of date, unless the sink has ended as it should.
function lost() {
  complained = -reading;
  if (ended()) {
    is('ended');
    put($('link'), 'ended');
    showBanner();
    return;
  }
  is('lost');
  put($('link'), 'not connected');
  if (state) showBanner(`The connection to the sink is lost. This page is of ${clock(heard)}, ${span((Date.now() - heard) / 1000)} ago. Reconnecting…`);
  else showBanner('The sink does not answer. Reconnecting…');
  document.title = 'not connected · imagefarm';
}

const shows = {state: showState, workers: showCrew, album: showAlbum, history: showChart};

function connect() {
  close();
  source = new EventSource('/live');
  for (const [event, show] of Object.entries(shows)) {
    source.addEventListener(event, e => show(JSON.parse(e.data)));
  }
  source.addEventListener('error', () => {
    close();
    lost();
    askWho();
    again = Math.min(again + 1, 5);
    setTimeout(() => { if (!source && !document.hidden) connect(); }, 500 * again);
  });
}

function close() {
  if (source) source.close();
  source = null;
}

setInterval(() => {
  if (document.hidden) return;
  if (!source) {
    if (state) lost();
  } else if (heard && Date.now() - heard > silenceLimit) {
    lost();
  }
}, 1000);

// A hidden tab disconnects, so that it costs the sink nothing.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) close();
  else if (!source) connect();
});
window.addEventListener('trouble', e => {
  complained = Date.now();
  showBanner(`The action failed: ${e.detail}`);
});

beginChart();
beginCrew();
beginAlbum();
beginSession();
connect();
