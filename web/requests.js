import { plural } from './words.js';

const timeoutMs = 15_000;

/** The program rejects the token. */
export class Unauthorized extends Error {}

/**
 * The response to an accepted control request.
 *
 * @typedef {object} Answer
 * @property {string} [level]
 * @property {number} [streams] the streams of the account that it was carried out for
 * @property {number} [accounts] the accounts of the stream that it was carried out for
 * @property {boolean} [saved] false until the state topic has it
 * @property {readonly { owner: string | null, accounts: number }[]} [elsewhere] the accounts of
 * other instances
 * @property {string} [error]
 * @property {string | null} [owner]
 */

/**
 * Sends a control request that must succeed.
 *
 * @param {string} method
 * @param {string} path
 * @param {{ token: string, body?: object }} options
 * @returns {Promise<Answer>}
 * @throws {Error} with the program’s own message; {@link Unauthorized} for a wrong token
 */
export async function request(method, path, options) {
  const { status, body } = await send(method, path, options).catch(
    (/** @type {unknown} */ error) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`The program does not answer (${reason}). It may have received the request.`);
    },
  );
  if (status < 300) return body;
  const owner = typeof body.owner === 'string' ? ` Its instance: ${body.owner}.` : '';
  const words = `${body.error ?? `HTTP ${status}`}${owner}`;
  throw status === 401 ? new Unauthorized(words) : new Error(words);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{ token: string, body?: object }} options
 */
async function send(method, path, { token, body }) {
  const response = await fetch(path, {
    method,
    headers: { Authorization: `Bearer ${token}` },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  /** @type {unknown} */
  const answer = await response.json();
  return { status: response.status, body: /** @type {Answer} */ (answer) };
}

/**
 * Describes for how many streams or accounts a request was carried out, and for which it was not.
 *
 * @param {Answer} answer
 */
export function outcome({ streams, accounts, saved, elsewhere = [] }) {
  const others = elsewhere.map(
    ({ owner, accounts: some }) =>
      `Not carried out for ${plural(some, 'account')} of ${owner ?? 'another instance'}.`,
  );
  return [
    ...(streams === undefined ? [] : [`${plural(streams, 'stream')}.`]),
    ...(accounts === undefined ? [] : [`${plural(accounts, 'account')} of this instance.`]),
    ...others,
    ...(saved === false ? ['Not saved yet: a crash now would lose it.'] : []),
  ].join(' ');
}
