import { showAccounts } from './accounts.js';
import { showControl } from './control.js';
import { byId, setAttribute, setText } from './elements.js';
import { showHistory } from './history.js';
import { showConnections, showProgram, showQuota, showStreams, showErrors } from './sections.js';

/** @import { HistoryAnswer } from '../src/observability/history.ts' */
/** @import { Status } from '../src/observability/status.ts' */

const everyMs = 5000;
const historyEveryMs = 60_000;
const timeoutMs = 10_000;
const searchDelayMs = 250;
const accountsPerPage = 25;

const search = /** @type {HTMLInputElement} */ (byId('search'));
const onlyTrouble = /** @type {HTMLInputElement} */ (byId('only-trouble'));

let offset = 0;
let isLive = true;
/** The number of the latest request; the response to an earlier one is not shown. */
let latest = 0;
/** The time of the last request for the history. */
let historyMs = -Infinity;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

async function refresh() {
  clearTimeout(timer);
  latest += 1;
  const current = latest;
  try {
    const status = await requestStatus();
    if (current === latest) show(status);
  } catch (error) {
    if (current === latest) showLost(error);
  }
  if (current === latest && isLive) timer = setTimeout(refreshIfVisible, everyMs);
}

/** A hidden page sends no requests. */
function refreshIfVisible() {
  if (document.visibilityState === 'visible') void refresh();
}

/** @returns {Promise<Status>} */
async function requestStatus() {
  const query = new URLSearchParams({
    offset: String(offset),
    limit: String(accountsPerPage),
    search: search.value,
    trouble: String(onlyTrouble.checked),
  });
  return /** @type {Status} */ (await read(`/status?${query}`));
}

/**
 * Requests a path, and checks that this page knows the version of the response.
 *
 * @param {string} path
 * @returns {Promise<unknown>}
 */
async function read(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  /** @type {unknown} */
  const found = await response.json();
  // A page that was left open outlives an upgrade of the program.
  if (!isKnown(found)) throw new Error('its version has changed: reload the page');
  return found;
}

/** @param {unknown} found */
function isKnown(found) {
  if (typeof found !== 'object' || found === null) return false;
  return 'formatVersion' in found && found.formatVersion === 1;
}

/** @param {Status} status */
async function refreshHistory({ streams }) {
  const lost = byId('plots-lost');
  historyMs = Date.now();
  try {
    const history = /** @type {HistoryAnswer} */ (await read('/status/history'));
    showHistory(
      history,
      streams.map(({ name }) => name),
    );
    setText(lost, '');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    setText(lost, `The plots are not up to date (${reason}).`);
  }
}

/** @param {Status} status */
function show(status) {
  byId('connection').hidden = true;
  showProgram(status);
  showErrors(status);
  showConnections(status);
  showQuota(status);
  showStreams(status);
  showAccounts(status);
  showControl(status);
  showUpdated();
  if (Math.abs(Date.now() - historyMs) >= historyEveryMs) void refreshHistory(status);
}

function showUpdated() {
  const time = new Date().toLocaleTimeString();
  setText(byId('updated'), isLive ? `Updated at ${time}.` : `As it was at ${time}.`);
}

/** @param {unknown} error */
function showLost(error) {
  const lost = byId('connection');
  const reason = error instanceof Error ? error.message : String(error);
  setText(lost, `The program does not answer (${reason}). The page shows the last known status.`);
  lost.hidden = false;
}

/** @param {number} first */
function turnTo(first) {
  offset = Math.max(0, first);
  void refresh();
  byId('accounts').focus();
}

byId('live').addEventListener('click', () => {
  isLive = !isLive;
  setAttribute(byId('live'), 'aria-pressed', String(isLive));
  showUpdated();
  if (isLive) void refresh();
  else clearTimeout(timer);
});
byId('previous').addEventListener('click', () => {
  turnTo(offset - accountsPerPage);
});
byId('next').addEventListener('click', () => {
  turnTo(offset + accountsPerPage);
});
byId('choice').addEventListener('submit', (event) => {
  event.preventDefault();
});
byId('choice').addEventListener('input', () => {
  offset = 0;
  clearTimeout(timer);
  timer = setTimeout(() => void refresh(), searchDelayMs);
});
document.addEventListener('visibilitychange', () => {
  if (isLive) refreshIfVisible();
});
byId('control').addEventListener('done', () => void refresh());
void refresh();
