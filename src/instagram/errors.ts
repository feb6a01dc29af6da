import type { ConnectorError, ErrorCode, Scope } from '../core/errors.ts';
import {
  RetryError,
  SkipError,
  StopAccountError,
  StopStreamError,
  WaitError,
} from '../core/errors.ts';
import type { Failure } from './failure.ts';
import { explain, limitScope } from './failure.ts';
import { limitWaitMs, retryAfterMs } from './limits.ts';
import {
  requestedMetrics,
  requestsField,
  requestsPeople,
  unlistedMetrics,
} from './requested-names.ts';
import { appAdvice, peoplePermission, permissions, tokenAdvice } from './token-advice.ts';

/**
 * What a row is for; every condition given must hold. `message` is matched against Meta's fixed
 * English `message`, with or without its `(#code) ` prefix, never against the localised user texts.
 */
export interface ErrorMatch {
  readonly code?: number | readonly [from: number, to: number];
  readonly subcode?: number;
  readonly message?: RegExp;
  readonly status?: number | readonly [from: number, to: number];
  readonly transient?: true;
}

/** One line of the map from Graph errors to the taxonomy. */
export interface ErrorRow {
  readonly when: ErrorMatch;
  /** Where it is known from; recorded and documented facts read 2026-08 to 2026-10. */
  readonly source: string;
  /** @param words - what `when.message` captured */
  readonly become: (failure: Failure, words: readonly string[]) => ConnectorError;
}

const limit =
  (kind: Scope['kind']): ErrorRow['become'] =>
  (failure) => {
    const scope = limitScope(failure, kind);
    const retryAfterMs = limitWaitMs(failure.headers, failure.request.accountId, failure.nowMs);
    const minutes = Math.ceil(retryAfterMs / 60_000);
    const advice = `the ${scope.kind}'s request limit is reached; nothing in it is asked for ${minutes} min`;
    return new WaitError('graph.rate-limited', explain(failure, advice), { scope, retryAfterMs });
  };

const retry =
  (code: ErrorCode, advice: string): ErrorRow['become'] =>
  (failure) => {
    const waitMs = retryAfterMs(failure.headers, failure.nowMs);
    return new RetryError(
      code,
      explain(failure, advice),
      waitMs === undefined ? {} : { retryAfterMs: waitMs },
    );
  };

const skip =
  (code: ErrorCode, advice: string): ErrorRow['become'] =>
  (failure, words) =>
    new SkipError(code, explain(failure, advice), words);

/** Refusals that do not say whom they mean: the known culprits, as far as they were asked for. */
const skipMetrics =
  (advice: string, culprits: readonly string[]): ErrorRow['become'] =>
  (failure) => {
    const asked = requestedMetrics(failure.request).filter((name) => culprits.includes(name));
    return skip('graph.metric-refused', advice)(failure, asked);
  };

const skipFields =
  (advice: string, culprits: readonly string[]): ErrorRow['become'] =>
  (failure) => {
    const asked = culprits.filter((name) => requestsField(failure.request, name));
    return skip('graph.field-refused', advice)(failure, asked);
  };

const refused: ErrorRow['become'] = (failure) =>
  new StopStreamError('graph.refused', explain(failure, 'the request is refused as it is'));

const permission: ErrorRow['become'] = (failure) => {
  const people = requestsPeople(failure.request) ? [peoplePermission[failure.login]] : [];
  const needed = [...permissions[failure.login], ...people].join(', ');
  const advice = `the token lacks a permission: give the app and the token ${needed}, and the token's user a role on the account`;
  return new StopStreamError('graph.permission', explain(failure, advice));
};

const token: ErrorRow['become'] = (failure) => {
  const advice = tokenAdvice(failure.envelope.subcode, failure.login);
  return new StopAccountError('graph.token', explain(failure, advice));
};

const appSecret: ErrorRow['become'] = (failure) =>
  new StopAccountError('graph.app-secret', explain(failure, appAdvice));

const blocked: ErrorRow['become'] = (failure) => {
  const advice =
    'Meta has blocked the app or its user for a breach of policy: settle it in the app dashboard, then restart';
  return new StopAccountError('graph.blocked', explain(failure, advice));
};

/** An edge that is not there is the path's fault, and no field of ours can be left out for it. */
const nonexistingField: ErrorRow['become'] = (failure, words) =>
  words.every((name) => requestsField(failure.request, name))
    ? skip('graph.field-refused', 'the field does not exist for this object')(failure, words)
    : refused(failure, words);

const metricOutsideEnum: ErrorRow['become'] = (failure, [index = '', listed = '']) =>
  skip('graph.metric-unknown', 'a metric is not one of those that the API has')(
    failure,
    unlistedMetrics(failure.request, index, listed),
  );

const metricsNamed =
  (advice: string): ErrorRow['become'] =>
  (failure, [names = '']) =>
    skip('graph.metric-refused', advice)(
      failure,
      names.split(',').map((name) => name.trim()),
    );

/** Names the object that Meta names, which is the one at fault among many ids. */
const ambiguous: ErrorRow['become'] = (failure) => {
  const id = namedObject.exec(failure.envelope.message)?.[1];
  const advice = 'the object is gone or hidden, or a limit is near';
  return skip('graph.ambiguous', advice)(failure, id === undefined ? [] : [id]);
};

const namedObject = /Object with ID '(\d+)'/;
const reduceAmount = /reduce the amount of data/i;
const fewViewers = /^(?:\(#10\) )?Not enough viewers/;
const unsupportedGet = /^(?:\(#100\) )?Unsupported get request\. Object with ID/;
const outsideEnum = /^(?:\(#100\) )?metric\[(\d+)\] must be one of the following values: (.*)$/s;
const unsupportedMetrics = /does not support the ([\w, ]+?) metrics? for this media product type/;
const retiredMetric =
  /^(?:\(#100\) )?Starting from version .* the (\w+) metric is no longer supported/;
const retiredMetrics = /metrics? (?:is|are) no longer supported: ([\w, ]+?)\./;
const noSuchField = /^(?:\(#100\) )?Tried accessing nonexisting field \((\w+)\)/;
const missingPermission = /missing permission or reviewable feature/;
const clientSecret = /validating client secret/;
const secretProof = /appsecret_proof/;
const activeToken = /active access token/i;

const pages: readonly string[] = ['crossposted_views', 'facebook_views'];

/**
 * The map from Graph errors to the taxonomy; the first row that matches decides. Limits and tokens
 * come first, whatever the HTTP status and `is_transient` say (code 4 comes as a transient 403);
 * then what passes by itself; then what cannot be had; the request's own faults last.
 */
export const errorRows: readonly ErrorRow[] = [
  // Limits
  { when: { code: 4 }, source: 'observed, HTTP 403, is_transient', become: limit('app') },
  { when: { code: 17 }, source: 'documented, subcode 2446079', become: limit('user') },
  { when: { code: 32 }, source: 'documented', become: limit('page') },
  { when: { code: 341 }, source: 'documented', become: limit('app') },
  { when: { code: 613 }, source: 'documented, subcode 1996', become: limit('app') },
  { when: { code: 80001 }, source: 'documented: pages', become: limit('page') },
  { when: { code: 80002 }, source: 'documented: Instagram', become: limit('account') },
  { when: { code: [80000, 80014] }, source: 'documented: others', become: limit('account') },
  // Tokens and blocks
  { when: { code: 190 }, source: 'documented, with seven subcodes', become: token },
  { when: { code: 102 }, source: 'documented: session', become: token },
  { when: { code: 104 }, source: 'observed: no token arrived', become: token },
  { when: { code: 2500, message: activeToken }, source: 'observed', become: token },
  { when: { code: 100, message: secretProof }, source: 'observed', become: appSecret },
  { when: { code: 368 }, source: 'documented: policies', become: blocked },
  { when: { status: 429 }, source: 'HTTP; not seen from Graph itself', become: limit('app') },
  // Passing trouble
  {
    when: { code: 1, message: clientSecret },
    source: 'observed at the exchange of tokens',
    become: appSecret,
  },
  { when: { code: 101 }, source: 'documented: no such app', become: appSecret },
  {
    when: { code: 1, message: reduceAmount },
    source: 'observed, HTTP 500, subcode 99 or none',
    become: retry('graph.too-much-data', 'the answer is too large for Meta; ask for fewer items'),
  },
  {
    when: { code: 1 },
    source: 'documented',
    become: retry('graph.server', "Meta's server failed"),
  },
  {
    when: { code: 2 },
    source: 'documented',
    become: retry('graph.server', "Meta's server failed"),
  },
  {
    when: { transient: true },
    source: 'documented: is_transient',
    become: retry('graph.server', 'Meta calls the failure transient'),
  },
  {
    when: { status: [500, 599] },
    source: 'HTTP',
    become: retry('graph.server', 'the server failed'),
  },
  // What cannot be had
  {
    when: { code: 100, subcode: 2108006 },
    source: 'observed, four reports',
    become: skip(
      'graph.media-before-conversion',
      'the media is older than the business account and has no insights',
    ),
  },
  {
    when: { code: 100, subcode: 33 },
    source: 'observed',
    become: ambiguous,
  },
  {
    when: { code: 100, message: unsupportedGet },
    source: 'observed in a batch, without its subcode 33',
    become: ambiguous,
  },
  { when: { code: 24 }, source: 'observed', become: skip('graph.gone', 'the object is gone') },
  {
    when: { code: 10, message: fewViewers },
    source: 'documented and observed',
    become: skip('graph.not-enough-viewers', 'the story has fewer than five viewers'),
  },
  {
    when: { code: 3006 },
    source: 'recorded, subcode 2874010',
    become: skip('graph.not-enough-users', 'the account has too few followers for demographics'),
  },
  {
    when: { code: -1, subcode: 2207086 },
    source: 'observed',
    become: skipMetrics('the media is not on Facebook, so it has no such views', pages),
  },
  {
    when: { code: 9005 },
    source: 'observed, subcode 1452042',
    become: skipFields('the field cannot be read of this media', ['copyright_check_information']),
  },
  {
    when: { code: 36104 },
    source: 'observed',
    become: skipFields('the field is for Business Discovery only', ['view_count']),
  },
  { when: { code: 100, message: outsideEnum }, source: 'recorded', become: metricOutsideEnum },
  {
    when: { code: 100, message: unsupportedMetrics },
    source: 'observed on both logins',
    become: metricsNamed('the media has no such metric'),
  },
  {
    // Before the next, which would take `following` for the metric's name.
    when: { code: 100, message: retiredMetrics },
    source: 'observed, v21.0',
    become: metricsNamed('Meta has retired the metric'),
  },
  {
    when: { code: 100, message: retiredMetric },
    source: 'observed, v22.0',
    become: metricsNamed('Meta has retired the metric'),
  },
  { when: { code: 100, message: noSuchField }, source: 'recorded', become: nonexistingField },
  // Permissions and requests that are wrong
  { when: { code: 100, message: missingPermission }, source: 'observed', become: permission },
  { when: { code: 10 }, source: 'recorded', become: permission },
  { when: { code: 3 }, source: 'documented: capability', become: permission },
  { when: { code: [200, 299] }, source: 'documented', become: permission },
  { when: { code: 100 }, source: 'recorded: our parameters are wrong', become: refused },
  { when: { code: 2500 }, source: 'recorded: our path or fields are wrong', become: refused },
  { when: {}, source: 'unknown codes, broken envelopes, redirects', become: refused },
];

/** Whether a row's conditions hold for a failure. */
export function rowMatches(row: ErrorRow, failure: Failure): boolean {
  const { code, subcode, message, status, transient } = row.when;
  const { envelope } = failure;
  return (
    (code === undefined || within(code, envelope.code)) &&
    (subcode === undefined || subcode === envelope.subcode) &&
    (message === undefined || message.test(envelope.message)) &&
    (status === undefined || within(status, failure.status)) &&
    (transient === undefined || envelope.transient)
  );
}

function within(range: number | readonly [number, number], value: number | null): boolean {
  if (typeof range === 'number') return range === value;
  return value !== null && value >= range[0] && value <= range[1];
}

/** The error of the taxonomy for an answer that is an error. */
export function translate(failure: Failure): ConnectorError {
  const row = errorRows.find((candidate) => rowMatches(candidate, failure));
  if (row === undefined) return refused(failure, []);
  const match = row.when.message?.exec(failure.envelope.message);
  return row.become(failure, match?.slice(1) ?? []);
}
