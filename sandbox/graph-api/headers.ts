import { createHash } from 'node:crypto';
import { type Json, isObject } from './json.ts';

/** The input of an answer's headers. */
export interface AnswerFacts {
  readonly status: number;
  readonly version: string;
  readonly body: Json;
}

/** Creates an id in the form of Meta's trace ids: `A` and 22 characters. */
export function traceId(number: number): string {
  return `A${hash(`trace/${number}`, 'base64url').slice(0, 22)}`;
}

/** Returns the headers that Meta sends with every answer. */
export function traceHeaders(
  { status, version, body }: AnswerFacts,
  number: number,
): Record<string, string> {
  const failed = status >= 400;
  return {
    'Content-Type': 'application/json; charset=UTF-8',
    'Facebook-API-Version': version,
    'x-fb-request-id': traceId(number),
    'x-fb-trace-id': traceId(number).slice(1, 12),
    'x-fb-rev': '1031245678',
    'X-FB-Debug': hash(`debug/${number}`, 'base64'),
    'Cache-Control': failed ? 'no-store' : 'private, no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    Expires: 'Sat, 01 Jan 2000 00:00:00 GMT',
    Vary: 'Origin, Accept-Encoding',
    'Strict-Transport-Security': 'max-age=15552000; preload',
    ...(failed ? { 'WWW-Authenticate': challenge(body) } : {}),
  };
}

function challenge(body: Json): string {
  const error = isObject(body) && isObject(body['error']) ? body['error'] : {};
  const message = typeof error['message'] === 'string' ? error['message'] : '';
  const reason = error['code'] === 190 ? 'invalid_token' : reasonOf(message);
  // A header holds Latin characters only, and no quote within quotes.
  const plain = message.replace(/[^\x20-\x7e]|"/g, "'");
  return `OAuth "Facebook Platform" "${reason}" "${plain}"`;
}

/** The third reason was recorded with this message alone. */
function reasonOf(message: string): string {
  return message.startsWith('Cannot call API for app') ? 'access_denied' : 'invalid_request';
}

function hash(text: string, encoding: 'base64' | 'base64url'): string {
  return createHash('sha256').update(text).digest(encoding);
}
