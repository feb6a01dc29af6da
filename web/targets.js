/** @import { Status } from '../src/observability/status.ts' */

/**
 * The target of a control request: a stream of an account, all streams of an account, or a stream of
 * all accounts. The log level has neither.
 *
 * @typedef {object} Target
 * @property {string} name as in the heading of the dialog
 * @property {string} [stream]
 * @property {string} [account]
 */

/** @param {Target} target */
export function isSingle({ stream, account }) {
  return stream !== undefined && account !== undefined;
}

/** @param {Target} target */
export function isLogLevel({ stream, account }) {
  return stream === undefined && account === undefined;
}

/**
 * The path of a target, such as `/streams/media/accounts/1`.
 *
 * @param {Target} target
 */
export function pathOf({ stream, account }) {
  const names = Object.entries({ streams: stream, accounts: account });
  return names
    .flatMap(([kind, name]) => (name === undefined ? [] : [`/${kind}/${encodeURIComponent(name)}`]))
    .join('');
}

/**
 * The number of streams or accounts in each state; null when the status does not hold them.
 *
 * @param {Target} target
 * @param {Status} status
 * @returns {Readonly<Record<string, number>> | null}
 */
export function statesOf({ stream, account }, { streams, accounts }) {
  if (account === undefined) return streams.find(({ name }) => name === stream)?.states ?? null;
  const found = accounts.items.find(({ id }) => id === account);
  if (found === undefined) return null;
  const chosen = found.streams.filter((one) => stream === undefined || one.stream === stream);
  /** @type {Record<string, number>} */
  const states = {};
  for (const { state } of chosen) states[state] = (states[state] ?? 0) + 1;
  return states;
}
