import { makeControlButton } from './control.js';
import { byId, make, makeRow, part, reconcile, setAttribute, setText } from './elements.js';
import { pausedUntil } from './pause.js';
import { showMoment } from './sections.js';
import { count, plural, relative, span, stateWord } from './words.js';

/** @import { AccountEntry, Status, StreamStatus } from '../src/observability/status.ts' */
/** @import { Target } from './targets.js' */
/** @typedef {NonNullable<AccountEntry['error']>} ErrorEntry */

const columns = [
  { name: 'stream', label: 'Stream' },
  { name: 'state', label: 'State' },
  { name: 'last', label: 'Last success' },
  { name: 'next', label: 'Next poll' },
  { name: 'lag', label: 'Lag' },
  { name: 'records', label: 'Records', isNumber: true },
  { name: 'requests', label: 'Requests', isNumber: true },
  { name: 'dead', label: 'Dead letters', isNumber: true },
  { name: 'control', label: 'Control', className: 'control' },
];

/** @param {Status} status */
export function showAccounts({ accounts, now }) {
  const { total, matching, offset, items } = accounts;
  const last = offset + items.length;
  const shown = items.length === 0 ? 'None' : `${count(offset + 1)} to ${count(last)}`;
  const chosen = matching === total ? '' : ` that match`;
  setText(
    byId('matches'),
    total === 0
      ? 'No account is polled yet.'
      : `${shown} of ${plural(matching, 'account')}${chosen}.`,
  );
  reconcile(byId('account-list'), items, {
    key: ({ id }) => id,
    create: makeAccount,
    update: (element, account) => {
      updateAccount(element, account, now);
    },
  });
  byId('pages').hidden = matching <= items.length && offset === 0;
  /** @type {HTMLButtonElement} */ (byId('previous')).disabled = offset === 0;
  /** @type {HTMLButtonElement} */ (byId('next')).disabled = last >= matching;
}

/** @param {AccountEntry} account */
function makeAccount({ id, username }) {
  const heading = `account-${id}`;
  const name = `all streams of ${accountName(id, username)}`;
  return make('article', { 'aria-labelledby': heading }, [
    make('div', { class: 'head' }, [
      make('h3', { id: heading }, [
        make('span', { 'data-part': 'name' }),
        ' ',
        make('span', { class: 'quiet', 'data-part': 'id' }),
      ]),
      makeControlButton({ account: id, name }, 'Control account'),
    ]),
    make('div', { 'data-part': 'error' }),
    make('table', { role: 'table', 'aria-labelledby': heading }, [
      make('thead', { role: 'rowgroup' }, [
        make(
          'tr',
          { role: 'row' },
          columns.map(({ label, isNumber, className }) =>
            make(
              'th',
              {
                role: 'columnheader',
                scope: 'col',
                class: isNumber ? 'number' : (className ?? ''),
              },
              [label],
            ),
          ),
        ),
      ]),
      make('tbody', { role: 'rowgroup', 'data-part': 'rows' }),
    ]),
  ]);
}

/**
 * @param {string} id
 * @param {string | null} username
 */
function accountName(id, username) {
  return username === null ? `account ${id}` : `@${username}`;
}

/**
 * @param {HTMLElement} element
 * @param {AccountEntry} account
 * @param {string} now
 */
function updateAccount(element, { id, username, streams, error }, now) {
  setText(part(element, 'name'), username === null ? 'Account' : `@${username}`);
  setText(part(element, 'id'), id);
  reconcile(part(element, 'error'), error === null ? [] : [error], {
    key: ({ code }) => code,
    create: makeError,
    update: (box, shown) => {
      updateError(box, shown, now);
    },
  });
  const rows = streams.flatMap((stream) => [
    { stream, isError: false },
    ...(stream.error === null ? [] : [{ stream, isError: true }]),
  ]);
  reconcile(part(element, 'rows'), rows, {
    key: ({ stream, isError }) => `${stream.stream}${isError ? ' error' : ''}`,
    create: ({ stream: { stream }, isError }) => {
      const name = `${stream} of ${accountName(id, username)}`;
      return isError ? makeErrorRow() : makeStreamRow({ stream, account: id, name });
    },
    update: (row, { stream, isError }) => {
      if (isError && stream.error !== null) updateError(row, stream.error, now);
      else if (!isError) updateRow(row, stream, now);
    },
  });
}

/**
 * @param {HTMLElement} row
 * @param {StreamStatus} stream
 * @param {string} now
 */
function updateRow(row, stream, now) {
  setText(part(row, 'stream'), stream.stream);
  const state = part(row, 'badge');
  setText(state, stateWord(stream.state));
  setAttribute(state, 'data-state', stream.state);
  showMoment(part(row, 'last'), stream.lastSuccess, { now, absent: 'never' });
  const isDue = stream.nextPoll !== null && stream.nextPoll <= now;
  const next = isDue ? null : (stream.nextPoll ?? pausedUntil(stream));
  showMoment(part(row, 'next'), next, { now, absent: isDue ? 'due' : absentNext(stream) });
  setText(part(row, 'lag'), stream.lagSeconds === 0 ? 'none' : span(stream.lagSeconds));
  setText(part(row, 'records'), count(stream.records));
  setText(part(row, 'requests'), count(stream.requests));
  setText(part(row, 'dead'), count(stream.deadLetters));
}

/** @param {Target} target */
function makeStreamRow(target) {
  const row = makeRow(columns);
  part(row, 'control').append(makeControlButton(target));
  part(row, 'state').append(make('span', { 'data-part': 'badge' }));
  return row;
}

/** @param {StreamStatus} stream */
function absentNext({ state }) {
  if (state === 'stopped') return 'when fixed';
  if (state === 'paused') return 'when resumed';
  return state === 'starting' ? 'under way' : 'not known';
}

function makeErrorRow() {
  return make('tr', { role: 'row', class: 'error' }, [
    make('td', { role: 'cell', colspan: String(columns.length) }, [makeError()]),
  ]);
}

function makeError() {
  return make('div', { class: 'error-text' }, [
    make('p', {}, [
      make('code', { 'data-part': 'code' }),
      ' ',
      make('span', { 'data-part': 'message' }),
    ]),
    make('p', {}, [make('strong', {}, ['What to do: ']), make('span', { 'data-part': 'action' })]),
    make('p', { class: 'quiet', 'data-part': 'since' }),
  ]);
}

/**
 * @param {HTMLElement} element
 * @param {ErrorEntry} error
 * @param {string} now
 */
function updateError(element, error, now) {
  setText(part(element, 'code'), error.code);
  setText(part(element, 'message'), error.message);
  setText(part(element, 'action'), error.action);
  const tries = `${plural(error.tries, 'try', 'tries')} without success`;
  const [since, last] = [relative(error.since, now), relative(error.at, now)];
  setText(part(element, 'since'), `Since ${since}, ${tries}, the last ${last}`);
}
