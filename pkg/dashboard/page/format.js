// How numbers, times and sizes are written (as in pkg/numfmt), and how elements are made. Data becomes text, never markup.
import {dangerous} from './printable.js';

const whole = new Intl.NumberFormat('en', {maximumFractionDigits: 0});
const tenth = new Intl.NumberFormat('en', {minimumFractionDigits: 1, maximumFractionDigits: 1});

export const count = n => whole.format(n);
export const rate = n => n >= 99.95 ? whole.format(n) : n === 0 ? '0' : tenth.format(n);
export const percent = share => `${Math.round(100 * share)}\u00a0%`;
export const portion = share => share > 0 && share < 0.0995 ? `${tenth.format(100 * share)}\u00a0%` : percent(share);
export const images = n => `${count(n)} ${n === 1 ? 'image' : 'images'}`;

// progress is 100 only when every image is settled, and 0 only when none is.
export function progress(share) {
  if (share >= 1) return '100';
  if (share > 0 && share < 0.01) return (Math.max(1, Math.floor(share * 1000)) / 10).toString();
  return Math.min(99, Math.floor(share * 100)).toString();
}

export function span(seconds) {
  if (seconds < 1) return 'less than a second';
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return s < 600 && s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.round(s / 60)} min`;
  const h = Math.floor(s / 3600), m = Math.round(s % 3600 / 60);
  return h < 48 ? (m ? `${h} h ${m} min` : `${h} h`) : `${Math.round(s / 86400)} days`;
}

// about is an estimated span, rounded so that it does not change each second.
export function about(seconds) {
  if (seconds < 10) return 'a few seconds';
  if (seconds < 60) return `${Math.ceil(seconds / 10) * 10} s`;
  if (seconds < 600) return `${(Math.ceil(seconds / 30) / 2).toString().replace('.5', '½').replace(/^0½/, '½')} min`;
  return span(Math.ceil(seconds / 60) * 60);
}

export const clock = ms => new Date(ms).toLocaleTimeString('en-GB');

export function ago(ms) {
  if (ms < 2000) return 'now';
  if (ms < 60e3) return `${Math.round(ms / 1000)} s ago`;
  if (ms < 3600e3) return `${Math.round(ms / 60e3)} min ago`;
  return `${Math.round(ms / 3600e3)} h ago`;
}

export function micros(us) {
  if (us >= 1e6) return `${tenth.format(us / 1e6)} s`;
  if (us >= 1e4) return `${whole.format(us / 1e3)} ms`;
  return `${tenth.format(us / 1e3)} ms`;
}

export const $ = id => document.getElementById(id);

// plain returns a text in which the characters are escaped that pkg/printable calls dangerous.
export const plain = text => String(text).replace(dangerous, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

// put sets the text of an element if it differs, so that browsers do not redraw unchanged text.
export function put(element, text) {
  text = plain(text);
  if (element.textContent !== text) element.textContent = text;
}

// make returns an element with a class and children, which are elements or text.
export function make(tag, cls, ...children) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  e.append(...children.map(c => c instanceof Node ? c : plain(c)));
  return e;
}

// keep gives parent one child for each item, by key, in order. It reuses children whose key stays.
export function keep(parent, items, key, create, update) {
  const old = new Map([...parent.children].map(c => [c.dataset.key, c]));
  let at = parent.firstElementChild;
  for (const item of items) {
    const k = String(key(item));
    let child = old.get(k);
    old.delete(k);
    if (!child) {
      child = create(item);
      child.dataset.key = k;
    }
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
    if (update) update(child, item);
  }
  for (const gone of old.values()) gone.remove();
}

// address is the URL of an output. v names its version, so that browsers may cache it.
export const address = (name, v) => `/outputs/${name.split('/').map(encodeURIComponent).join('/')}?v=${v}`;
