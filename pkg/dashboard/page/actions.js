// Actions of an operator, if the sink allows them. Each needs the token, for which a tab asks once.
import {$, images} from './format.js';

let token = sessionStorage.getItem('imagefarm-token') || '';

function ask() {
  const dialog = $('ask'), field = $('token');
  field.value = dialog.returnValue = '';
  dialog.showModal();
  field.focus();
  return new Promise(resolve => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'ok' ? field.value : ''), {once: true}));
}

// act posts to the sink and returns the answer, or null when the operator cancels. It throws the sink's reason.
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

// retry makes the images rejected for a reason, or all, due again. It returns a sentence for the operator; null: cancelled.
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
