// What an operator may do, when the sink allows it: each needs the token, which is asked for once in a tab.
import {$, images} from './format.js';

let token = sessionStorage.getItem('imagefarm-token') || '';

function ask() {
  const dialog = $('ask'), field = $('token');
  field.value = dialog.returnValue = '';
  dialog.showModal();
  field.focus();
  return new Promise(resolve => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'ok' ? field.value : ''), {once: true}));
}

// act posts to the sink; it returns the answer, or throws with the reason in words, or returns null when given up.
async function act(path, body) {
  for (;;) {
    if (!token) token = await ask();
    if (!token) return null;
    const answer = await fetch(path, {method: 'POST', body: JSON.stringify(body),
      headers: {'Content-Type': 'application/json', Authorization: `Bearer ${token}`}});
    const value = await answer.json();
    if (answer.status === 401) {
      token = '';
      sessionStorage.removeItem('imagefarm-token');
      continue;
    }
    if (!answer.ok) throw new Error(value.error);
    sessionStorage.setItem('imagefarm-token', token);
    return value;
  }
}

// retry makes what was refused for that reason (all, without one) due again and says how that went; null: given up.
export async function retry(why) {
  const body = why === 'dead' ? {outcomes: ['dead']} : why ? {reasons: [why]} : {};
  try {
    const value = await act('/api/v1/retry', body);
    return value && `${images(value.count)} ${value.count === 1 ? 'is' : 'are'} due again; the next run takes ${value.count === 1 ? 'it' : 'them'}.`;
  } catch (e) {
    return `The action failed: ${e.message}`;
  }
}

export async function steer(run, state) {
  try {
    await act('/api/v1/steer', {run, state});
  } catch (e) {
    window.dispatchEvent(new CustomEvent('trouble', {detail: e.message}));
  }
}
