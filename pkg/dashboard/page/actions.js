// Who looks at the page, and the actions of an operator. The browser proves by a cookie who asks; scripts never see it.
import {$, images, plain} from './format.js';

let asked = false;
let holder = null; // whose token signed in; null: the sink asks for none, or the page does not know yet

// mayAct reports whether buttons make sense: the sink decides itself.
export const mayAct = () => holder !== null && holder.role === 'operator';

// know asks once who is signed in, at a sink that has tokens. It returns whether that is news.
export async function know() {
  if (asked) return false;
  asked = true;
  await askWho();
  return holder !== null;
}

// askWho asks who is signed in, unless the sink has no tokens. A page whose session has ended shows the form again.
export async function askWho() {
  if (!asked) return;
  const answer = await fetch('/api/v1/me').catch(() => null);
  if (answer && answer.status === 401) location.reload();
  if (!answer || !answer.ok) return;
  holder = await answer.json();
  $('holder').textContent = plain(`${holder.name}, ${holder.role}`);
  $('session').hidden = false;
}

export function beginSession() {
  $('leave').addEventListener('click', async () => {
    await fetch('/logout', {method: 'POST'});
    location.reload();
  });
}

// act posts to the sink and returns the answer. It throws the sink's reason.
async function act(path, body) {
  const answer = await fetch(path, {method: 'POST', body: JSON.stringify(body), headers: {'Content-Type': 'application/json'}});
  const value = await answer.json();
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(value.error);
  return value;
}

// retry makes the images rejected for a reason, or all, due again. It returns a sentence for the operator.
export async function retry(why) {
  const body = why === 'dead' ? {outcomes: ['dead']} : why ? {reasons: [why]} : {};
  try {
    const value = await act('/api/v1/retry', body);
    return `${images(value.count)} ${value.count === 1 ? 'is' : 'are'} due again; the next run takes ${value.count === 1 ? 'it' : 'them'}.`;
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
