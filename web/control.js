import { byId, make, reconcile, setAttribute, setText } from './elements.js';
import { dayAndTime, endOfPause, fieldValue, tomorrowMorning, zoneName } from './pause.js';
import { outcome, request, Unauthorized } from './requests.js';
import { isLogLevel, isSingle, pathOf, statesOf } from './targets.js';
import { count, stateWord } from './words.js';

/** @import { Status } from '../src/observability/status.ts' */
/** @import { Target } from './targets.js' */

const dialog = /** @type {HTMLDialogElement} */ (byId('control'));
const tokenField = /** @type {HTMLInputElement} */ (byId('token'));
const endField = /** @type {HTMLInputElement} */ (byId('end'));
const level = /** @type {HTMLSelectElement} */ (byId('level'));
const results = ['token-result', 'act-result', 'pause-result', 'level-result'];

/** The control token, once the program has accepted it. It is kept in this variable alone. */
let token = '';
/** @type {Target} */
let target = { name: '' };
let isSending = false;
/** @type {Status | null} */
let status = null;
let receivedMs = 0;

/**
 * Makes the button that opens the dialog.
 *
 * @param {Target} opened
 * @param {string} [text]
 */
export function makeControlButton(opened, text) {
  const button = make('button', {
    type: 'button',
    class: text === undefined ? 'control more' : 'control',
    'aria-haspopup': 'dialog',
    'aria-label': `${text ?? 'Control'}: ${opened.name}`,
  });
  button.textContent = text ?? '⋯';
  button.addEventListener('click', () => {
    open(opened);
  });
  return button;
}

/** @param {Status} latest */
export function showControl(latest) {
  status = latest;
  receivedMs = Date.now();
  setAttribute(document.body, 'data-control', latest.controlEnabled ? 'on' : 'off');
  byId('control-off').hidden = latest.controlEnabled;
  if (dialog.open) showTarget();
}

/** The time of the server: this machine's clock may be wrong. */
function serverNowMs() {
  return (status === null ? 0 : Date.parse(status.now)) + Date.now() - receivedMs;
}

/** @param {Target} opened */
function open(opened) {
  target = opened;
  for (const id of results) setText(byId(id), '');
  /** @type {HTMLFormElement} */ (byId('pause-form')).reset();
  setText(byId('control-heading'), opened.name);
  showTarget();
  showForms();
  dialog.showModal();
  focusFirst();
  if (token !== '' && isLogLevel(target)) void carryOut('level-result', () => readLevel(token));
}

/** Shows the form for the token until the program has accepted one, then the actions. */
function showForms() {
  byId('token-form').hidden = token !== '';
  byId('acts').hidden = token === '' || isLogLevel(target);
  byId('level-form').hidden = token === '' || !isLogLevel(target);
}

function focusFirst() {
  if (token === '') tokenField.focus();
  else if (isLogLevel(target)) level.focus();
  else byId('poll').focus();
}

/** Shows the state of the target; the fields of the forms stay as they are. */
function showTarget() {
  const nowMs = serverNowMs();
  setText(byId('tomorrow'), dayAndTime(tomorrowMorning(nowMs)));
  setText(byId('zone'), `In the time zone of this browser: ${zoneName()}.`);
  setAttribute(endField, 'min', fieldValue(new Date(nowMs)));
  const states = status === null ? null : statesOf(target, status);
  byId('control-state').hidden = states === null;
  if (states === null) return;
  reconcile(byId('control-state'), Object.entries(states), {
    key: ([state]) => state,
    create: ([state]) => make('span', { class: 'badge', 'data-state': state }),
    update: (badge, [state, number]) => {
      setText(badge, `${isSingle(target) ? '' : `${count(number)} `}${stateWord(state)}`);
    },
  });
  const { paused = 0, stopped = 0, ...polled } = states;
  setDisabled('resume', paused + stopped === 0);
  setDisabled('poll', Object.keys(polled).length === 0);
}

/**
 * Disables or enables a button. Unlike one with `disabled`, it keeps the focus.
 *
 * @param {string} id
 * @param {boolean} isDisabled
 */
function setDisabled(id, isDisabled) {
  setAttribute(byId(id), 'aria-disabled', isDisabled ? 'true' : null);
}

/**
 * Shows a result beside its button.
 *
 * @param {string} id
 * @param {string} text
 * @param {'ok' | 'stopped' | 'waiting'} state
 */
function showResult(id, text, state) {
  for (const other of results) if (other !== id) setText(byId(other), '');
  setAttribute(byId(id), 'data-state', state);
  setText(byId(id), text);
}

/**
 * Carries out one action at a time, and shows its result beside its button.
 *
 * @param {string} result the id of the text beside the button
 * @param {() => Promise<string>} act returns the text for its success
 */
async function carryOut(result, act) {
  if (isSending) return;
  isSending = true;
  setAttribute(dialog, 'aria-busy', 'true');
  showResult(result, 'Sending …', 'waiting');
  try {
    showResult(result, await act(), 'ok');
    dialog.dispatchEvent(new Event('done'));
  } catch (error) {
    if (error instanceof Unauthorized) requireToken(error.message);
    else showResult(result, error instanceof Error ? error.message : String(error), 'stopped');
  } finally {
    isSending = false;
    setAttribute(dialog, 'aria-busy', null);
  }
}

/** @param {string} reason */
function requireToken(reason) {
  token = '';
  showForms();
  showResult('token-result', `The program rejects the token: ${reason}`, 'stopped');
  tokenField.focus();
}

/**
 * Reads the log level, which needs the token and changes nothing.
 *
 * @param {string} carried
 */
async function readLevel(carried) {
  level.value = (await request('GET', '/log-level', { token: carried })).level ?? '';
  return '';
}

/** @returns {Promise<string>} */
async function pause() {
  const { value } = /** @type {RadioNodeList} */ (
    /** @type {HTMLFormElement} */ (byId('pause-form')).elements.namedItem('end-choice')
  );
  const end = endOfPause(value, { nowMs: serverNowMs(), chosen: endField.value });
  const body = end === null ? {} : { body: { until: end.toISOString() } };
  const answer = await request('POST', `${pathOf(target)}/pause`, { token, ...body });
  return `Paused until ${end === null ? 'resumed' : dayAndTime(end)}. ${outcome(answer)}`;
}

/**
 * Runs a listener when an enabled button is pressed.
 *
 * @param {string} id
 * @param {() => void} listener
 */
function onClick(id, listener) {
  byId(id).addEventListener('click', () => {
    if (byId(id).getAttribute('aria-disabled') !== 'true') listener();
  });
}

/**
 * Runs a listener instead of sending a form.
 *
 * @param {string} id
 * @param {() => void} listener
 */
function onSubmit(id, listener) {
  byId(id).addEventListener('submit', (event) => {
    event.preventDefault();
    listener();
  });
}

// The second click of a double click does nothing.
dialog.addEventListener(
  'click',
  (event) => {
    if (event.detail < 2 || !(event.target instanceof HTMLButtonElement)) return;
    event.preventDefault();
    event.stopPropagation();
  },
  { capture: true },
);
dialog.addEventListener('close', () => {
  tokenField.value = '';
});
endField.addEventListener('input', () => {
  /** @type {HTMLInputElement} */ (byId('end-chosen')).checked = true;
});
onClick('control-close', () => {
  dialog.close();
});
onClick('log-level', () => {
  open({ name: 'Log level' });
});
onClick('poll', () => {
  void carryOut('act-result', async () => {
    const answer = await request('POST', `${pathOf(target)}/poll`, { token });
    return `Accepted: polled now, or right after the running poll. ${outcome(answer)}`;
  });
});
onClick('resume', () => {
  void carryOut('act-result', async () => {
    return `Resumed. ${outcome(await request('POST', `${pathOf(target)}/resume`, { token }))}`;
  });
});
onSubmit('pause-form', () => {
  void carryOut('pause-result', pause);
});
onSubmit('level-form', () => {
  void carryOut('level-result', async () => {
    await request('PUT', '/log-level', { token, body: { level: level.value } });
    return `From now on ${level.value} and above is logged.`;
  });
});
onSubmit('token-form', () => {
  const entered = tokenField.value.trim();
  if (isSending) return;
  tokenField.value = '';
  void carryOut('token-result', async () => {
    if (!/^[!-~]+$/.test(entered)) throw new Error('Enter the token: letters, digits and signs.');
    await readLevel(entered);
    token = entered;
    showForms();
    focusFirst();
    return '';
  });
});
