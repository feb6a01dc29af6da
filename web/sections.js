import { makeControlButton } from './control.js';
import { byId, make, makeRow, part, reconcile, setAttribute, setText } from './elements.js';
import { absolute, count, plural, relative, span, stateWord } from './words.js';

/** @import { Status } from '../src/observability/status.ts' */
/** @typedef {Status['quota']['items'][number]} QuotaEntry */
/** @typedef {Status['streams'][number]} StreamSummary */
/** @typedef {Status['trouble'][number]} ErrorItem */

/** @param {Status} status */
export function showProgram(status) {
  const { version, instance } = status.program;
  const since = relative(status.startedAt, status.now).replace(' ago', '');
  setText(byId('program'), `Version ${version} on ${instance}, running for ${since}`);
  const readiness = byId('readiness');
  const word = status.ready ? 'Ready' : 'Not ready';
  setText(readiness, word);
  setAttribute(readiness, 'data-state', status.ready ? 'ok' : 'stopped');
  document.title = `${word} – instagram-kafka-producer`;
}

/** @param {Status} status */
export function showErrors({ ready, reasons, trouble }) {
  const nothing = byId('no-trouble');
  setText(nothing, 'Nothing: every connection is up, and every stream is polled in time.');
  nothing.hidden = !ready || trouble.length > 0;
  reconcile(byId('reasons'), reasons, {
    key: (reason) => reason,
    create: () => make('li'),
    update: (item, reason) => {
      setText(item, reason);
    },
  });
  reconcile(byId('troubles'), trouble, {
    key: ({ code }) => code,
    create: makeErrorItem,
    update: updateErrorItem,
  });
}

function makeErrorItem() {
  return make('li', {}, [
    make('p', {}, [
      make('code', { 'data-part': 'code' }),
      ' ',
      make('span', { 'data-part': 'where' }),
    ]),
    make('p', { 'data-part': 'action' }),
    make('p', { class: 'quiet', 'data-part': 'example' }),
  ]);
}

/**
 * @param {HTMLElement} item
 * @param {ErrorItem} error
 */
function updateErrorItem(item, { code, action, streams, accounts, example }) {
  setText(part(item, 'code'), code);
  setText(part(item, 'where'), `${plural(streams, 'stream')} of ${plural(accounts, 'account')}`);
  setText(part(item, 'action'), action);
  setText(part(item, 'example'), `“${example}”`);
}

/** @type {Readonly<Record<string, string>>} */
const dependencyWords = {
  state: 'State topic',
  kafka: 'Kafka',
  registry: 'Schema registry',
  graph: 'Graph API',
  group: 'Group of instances',
};

/** @param {Status} status */
export function showConnections(status) {
  const facts = [
    ...status.dependencies.map(({ name, ready, reason }) => ({
      name: dependencyWords[name] ?? name,
      state: ready ? 'ok' : 'stopped',
      words: ready ? 'Up' : reason,
    })),
    partitionFact(status),
    ...tokenFacts(status),
    ...versionFact(status),
    ...webhookFact(status),
  ];
  reconcile(byId('connections'), facts, {
    key: ({ name }) => name,
    create: () => make('div', {}, [make('dt'), make('dd')]),
    update: (row, { name, state, words }) => {
      setText(/** @type {Element} */ (row.firstElementChild), name);
      const value = /** @type {Element} */ (row.lastElementChild);
      setText(value, words);
      setAttribute(value, 'data-state', state);
    },
  });
}

/** @param {Status} status */
function partitionFact({ partitions, partitionCount }) {
  const owned = count(partitions.length);
  const words =
    partitionCount === 0 ? 'Not joined yet' : `${owned} of ${count(partitionCount)} owned`;
  return { name: 'Partitions', state: null, words };
}

/** @param {Status} status */
function tokenFacts({ tokens }) {
  if (tokens.length === 0) return [{ name: 'Token', state: null, words: 'Expiry unknown' }];
  return tokens.map(({ name, expiresAt, daysLeft, action, refusal }) => {
    const label = name === 'default' ? 'Token' : `Token ${name}`;
    if (refusal !== null) {
      const words = `Refused (${refusal.code}): ${refusal.message}. What to do: ${action ?? ''}`;
      return { name: label, state: 'stopped', words };
    }
    if (expiresAt === null || daysLeft === null) {
      return { name: label, state: 'ok', words: 'Never expires' };
    }
    const at = absolute(expiresAt);
    const todo = action === null ? '' : `. What to do: ${action}`;
    if (daysLeft < 0) return { name: label, state: 'stopped', words: `Expired on ${at}${todo}` };
    const state = daysLeft < 14 ? 'late' : 'ok';
    return { name: label, state, words: `${plural(daysLeft, 'day')} left, until ${at}${todo}` };
  });
}

/** @param {Status} status */
function versionFact({ apiVersion }) {
  if (apiVersion === null) return [];
  const { version, endsAt, warning } = apiVersion;
  const end = endsAt === null ? 'no end known' : `until ${absolute(endsAt)}`;
  const words = warning ?? `${version}, ${end}`;
  return [{ name: 'API version', state: warning === null ? 'ok' : 'late', words }];
}

/** @param {Status} status */
function webhookFact({ webhooks }) {
  if (webhooks === null) return [];
  const { lastAccepted, lastRefused } = webhooks;
  const accepted =
    lastAccepted === null ? 'None accepted yet' : `Last accepted at ${absolute(lastAccepted)}`;
  const isRefused = lastRefused !== null && lastRefused.at > (lastAccepted ?? '');
  const refused =
    lastRefused === null
      ? ''
      : `. Last refused at ${absolute(lastRefused.at)}: ${lastRefused.reason}`;
  const state = lastAccepted === null ? null : 'ok';
  return [{ name: 'Webhooks', state: isRefused ? 'late' : state, words: `${accepted}${refused}` }];
}

/** @param {Status} status */
export function showQuota({ quota, overLimit, now }) {
  reconcile(byId('over-limit'), overLimit.items, {
    key: ({ id }) => id,
    create: () => make('li', { 'data-state': 'late' }),
    update: (item, account) => {
      setText(item, describeOver(account));
    },
  });
  const { total, items } = quota;
  const more =
    total > items.length ? ` The ${items.length} fullest of ${count(total)} are shown.` : '';
  const note =
    total === 0 ? 'The API has reported no usage yet.' : `Used, of what Meta allows.${more}`;
  setText(byId('quota-note'), note);
  reconcile(byId('quota'), items, {
    key: ({ scope, id }) => `${scope} ${id ?? ''}`,
    create: () =>
      make('li', { class: 'quota' }, [
        make('span', { 'data-part': 'name' }),
        make('meter', {
          'data-part': 'bar',
          min: '0',
          max: '100',
          low: '75',
          high: '95',
          optimum: '0',
        }),
        make('span', { 'data-part': 'words' }),
      ]),
    update: (item, entry) => {
      updateQuota(item, entry, now);
    },
  });
}

/** @param {Status['overLimit']['items'][number]} account */
function describeOver({ id, username, perDay, limit, fittingInterval }) {
  const over = `${username ?? id}: ${count(perDay ?? 0)} calls a day do not fit in its limit of ${count(limit ?? 0)}`;
  if (fittingInterval === null) return `${over}. What to do: enable fewer streams`;
  const { stream, seconds } = fittingInterval;
  return `${over}. What to do: poll ${stream} every ${span(seconds)}`;
}

/**
 * @param {HTMLElement} item
 * @param {QuotaEntry} entry
 * @param {string} now
 */
function updateQuota(item, { scope, id, percent, state, until }, now) {
  const name = id === null ? scope : `${scope} ${id}`;
  setText(part(item, 'name'), name);
  const bar = part(item, 'bar');
  setAttribute(bar, 'value', String(Math.min(percent, 100)));
  setAttribute(bar, 'aria-label', `Quota used of ${name}`);
  const words = part(item, 'words');
  const back = until === null ? '' : `, free again ${relative(until, now)}`;
  setText(words, `${percent} % · ${stateWord(state)}${back}`);
  setAttribute(words, 'data-state', { free: 'ok', slowed: 'late', stopped: 'stopped' }[state]);
}

const streamColumns = [
  { name: 'stream', label: 'Stream' },
  { name: 'states', label: 'Accounts' },
  { name: 'every', label: 'Every' },
  { name: 'oldest', label: 'Oldest success' },
  { name: 'records', label: 'Records', isNumber: true },
  { name: 'requests', label: 'Requests', isNumber: true },
  { name: 'calls', label: 'Calls a day', isNumber: true },
  { name: 'nothing', label: 'Found nothing', isNumber: true },
  { name: 'dead', label: 'Dead letters', isNumber: true },
  { name: 'control', label: 'Control', className: 'control' },
];

/** @param {Status} status */
export function showStreams({ streams, now }) {
  reconcile(byId('streams'), streams, {
    key: ({ name }) => name,
    create: ({ name: stream }) => {
      const row = makeRow(streamColumns);
      const target = { stream, name: `${stream} of all accounts` };
      part(row, 'control').append(makeControlButton(target));
      return row;
    },
    update: (row, stream) => {
      updateStream(row, stream, now);
    },
  });
}

/**
 * @param {HTMLElement} row
 * @param {StreamSummary} stream
 * @param {string} now
 */
function updateStream(row, stream, now) {
  setText(part(row, 'stream'), stream.name);
  reconcile(part(row, 'states'), Object.entries(stream.states), {
    key: ([state]) => state,
    create: ([state]) => make('span', { class: 'badge', 'data-state': state }),
    update: (badge, [state, accounts]) => {
      setText(badge, `${count(accounts)} ${stateWord(state)}`);
    },
  });
  setText(part(row, 'every'), span(stream.intervalSeconds));
  showMoment(part(row, 'oldest'), stream.oldestSuccess, { now, absent: 'never' });
  setText(part(row, 'records'), count(stream.records));
  setText(part(row, 'requests'), count(stream.requests));
  setText(part(row, 'dead'), count(stream.deadLetters));
  const { perDay, foundNothingShare, byAge } = stream.calls;
  setText(part(row, 'calls'), perDay === null ? '–' : count(perDay));
  const nothing = part(row, 'nothing');
  setText(nothing, foundNothingShare === null ? '–' : percent(foundNothingShare));
  setAttribute(nothing, 'title', byAge.map(describeAge).join(', '));
}

/** @type {Readonly<Record<string, string>>} */
const ageWords = {
  new: 'new media',
  recent: 'recent media',
  old: 'old media',
  none: 'other calls',
};

/** @param {StreamSummary['calls']['byAge'][number]} counts */
function describeAge({ age, calls, foundNothing }) {
  return `${ageWords[age] ?? age} ${percent(foundNothing / calls)} of ${count(calls)}`;
}

/** @param {number} share */
function percent(share) {
  return `${Math.round(share * 100)} %`;
}

/**
 * Shows a time as a distance, with date and time for who points at it.
 *
 * @param {HTMLElement} cell
 * @param {string | null} moment
 * @param {{ now: string, absent: string }} options
 */
export function showMoment(cell, moment, { now, absent }) {
  if (moment === null) {
    setText(cell, absent);
    return;
  }
  const time = cell.querySelector('time') ?? make('time');
  if (time.parentElement !== cell) cell.replaceChildren(time);
  setAttribute(time, 'datetime', moment);
  setAttribute(time, 'title', absolute(moment));
  setText(time, relative(moment, now));
}
