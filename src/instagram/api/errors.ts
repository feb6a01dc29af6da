import {
  type ConnectorError,
  type ErrorCode,
  type Scope,
  FailError,
  RetryError,
  SkipError,
  StopAccountError,
  StopStreamError,
  WaitError,
} from '../../engine/errors.ts';
import { type Failure, explain, limitScope } from './failure.ts';
import { limitWaitMs, retryAfterMs } from './limits.ts';
import {
  namedMetrics,
  requestedMetrics,
  requestsField,
  requestsPeople,
  unlistedMetrics,
} from './requested-names.ts';
import { appAdvice, permissionAdvice, tokenAdvice, twoFactorAdvice } from '../token-advice.ts';

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
  /** The message has a metric that the request asks for, as a word of its own, in any language. */
  readonly namesMetric?: true;
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

const serverFailed = retry('graph.server', "Meta's server failed");

const skip =
  (code: ErrorCode, advice: string): ErrorRow['become'] =>
  (failure, words) =>
    new SkipError(code, explain(failure, advice), words);

/** The rest of a request can be had only where it is known what to leave out of it. */
const skipNamed = (
  code: ErrorCode,
  advice: string,
  namesOf: (failure: Failure) => readonly string[],
): ErrorRow['become'] => {
  return (failure) => {
    const names = namesOf(failure);
    return names.length === 0 ? refused(failure, []) : skip(code, advice)(failure, names);
  };
};

/** Rejections that name no metric: the known culprits, as far as they were requested. */
const skipMetrics = (advice: string, culprits: readonly string[]): ErrorRow['become'] =>
  skipNamed('graph.metric-refused', advice, ({ request }) =>
    requestedMetrics(request).filter((name) => culprits.includes(name)),
  );

const skipFields = (advice: string, culprits: readonly string[]): ErrorRow['become'] =>
  skipNamed('graph.field-refused', advice, ({ request }) =>
    culprits.filter((name) => requestsField(request, name)),
  );

const fail =
  (code: ErrorCode, advice: string): ErrorRow['become'] =>
  (failure) =>
    new FailError(code, explain(failure, advice));

const refused = fail(
  'graph.refused',
  'the request is rejected and is sent again at the next interval; if this stays, check INSTAGRAM_API_VERSION, or report this message as a bug',
);

const retired = fail(
  'graph.retired',
  'Meta has retired this form of request: install a newer version of this program',
);

const adviceOn = ({ login, request }: Failure): string =>
  permissionAdvice(login, requestsPeople(request));

const permission: ErrorRow['become'] = (failure) =>
  new StopStreamError('graph.permission', explain(failure, adviceOn(failure)));

/** May be the rejection of a single object, such as a media that another account owns. */
const denied: ErrorRow['become'] = (failure) =>
  new FailError('graph.permission', explain(failure, adviceOn(failure)));

const token: ErrorRow['become'] = (failure) => {
  const { subcode } = failure.envelope;
  const advice = tokenAdvice(subcode, failure.login);
  const refusesToken = subcode !== noRoleOnPage;
  return new StopAccountError('graph.token', explain(failure, advice), { refusesToken });
};

/** The subcode of 190 that is about one page and its account; the token reaches others. */
const noRoleOnPage = 492;

const appSecret: ErrorRow['become'] = (failure) =>
  new StopAccountError('graph.app-secret', explain(failure, appAdvice), { refusesToken: true });

const twoFactor: ErrorRow['become'] = (failure) =>
  new StopAccountError('graph.token', explain(failure, twoFactorAdvice));

const blocked =
  (advice: string): ErrorRow['become'] =>
  (failure) =>
    new StopAccountError('graph.blocked', explain(failure, advice), { refusesToken: true });

/** An edge that is not there is the path's fault, and no field of ours can be left out for it. */
const nonexistingField: ErrorRow['become'] = (failure, words) =>
  words.every((name) => requestsField(failure.request, name))
    ? skip('graph.field-refused', 'the field does not exist for this object')(failure, words)
    : refused(failure, words);

const metricOutsideEnum: ErrorRow['become'] = (failure, [index = '', listed = '']) =>
  skipNamed('graph.metric-unknown', 'a metric is not one of those that the API has', () =>
    unlistedMetrics(failure.request, index, listed),
  )(failure, []);

const metricsNamed: ErrorRow['become'] = (failure) => {
  const isOfKind = kindWide.test(failure.envelope.message);
  return new SkipError(
    'graph.metric-refused',
    explain(failure, `a metric is not accepted for this object${isOfKind ? ' or its kind' : ''}`),
    namedMetrics(failure.request, failure.envelope.message),
    isOfKind ? 'kind' : 'object',
  );
};

/** The subject is the object that Meta names, if it names one. */
const ambiguous: ErrorRow['become'] = (failure) => {
  const id = namedObject.exec(failure.envelope.message)?.[1];
  const advice = isOfAccount(failure)
    ? "the account is gone, hidden or out of the token's reach, or a limit is near"
    : 'the object is gone or hidden, or a limit is near';
  return skip('graph.ambiguous', advice)(failure, id === undefined ? [] : [id]);
};

/** True when the request is about the account itself, or a list of its. */
function isOfAccount({ request: { endpoint } }: Failure): boolean {
  return endpoint.startsWith('/me') || endpoint.startsWith('/{account}');
}

const namedObject = /(?:Object with ID '|aliases you requested do not exist: )(\d+)/;
const reduceAmount = /reduce the amount of data/i;
const batchTooBig = /^(?:\(#\d+\) )?Too many requests in batch message/;
const fewViewers = /^(?:\(#10\) )?Not enough viewers/;
const unsupportedGet = /^(?:\(#100\) )?Unsupported get request\. Object with ID/;
const outsideEnum = /\bmetric\[(\d+)\][^:]*:\s*(.*)$/s;
const kindWide = /does not support the .+ metrics? for this media product type/;
const noSuchField = /^(?:\(#100\) )?Tried accessing nonexisting field \((\w+)\)/;
const missingPermission = /missing permission or reviewable feature/;
const clientSecret = /validating client secret/;
const secretProof = /appsecret_proof/;
const apiBlocked = /deactivated|API access blocked/i;
const retiredForm = /ids query parameter is deprecated|is deprecated in v/i;
/** True when a message of Meta's, or a text that quotes one, says that a form of request is retired. */
export function saysRetired(message: string): boolean {
  return retiredForm.test(message);
}

const systemError = /system error|temporar|try again/i;
const activeToken = /active access token/i;

const pages: readonly string[] = ['crossposted_views', 'facebook_views'];

/**
 * The map from Graph errors to the taxonomy; the first row that matches decides. Limits and tokens
 * come first, whatever the HTTP status and `is_transient` say (code 4 comes as a transient 403), then
 * what is permanent though it may come as a 500; then what passes by itself; then what cannot be had;
 * the request's own faults last. What no row places fails the poll and nothing more.
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
  { when: { code: 415 }, source: 'documented: Business Manager', become: twoFactor },
  {
    when: { code: 368 },
    source: 'documented: policies',
    become: blocked(
      'Meta has blocked the app or its user for a breach of policy: settle it in the app dashboard, then resume the stream, or restart',
    ),
  },
  {
    when: { code: 200, message: apiBlocked },
    source: 'observed',
    become: blocked(
      "Meta has deactivated the app's access to the API: open the app's dashboard at Meta for Developers, complete its required actions, then resume the stream, or restart",
    ),
  },
  { when: { status: 429 }, source: 'HTTP; not seen from Graph itself', become: limit('app') },
  // Permanent, whatever the HTTP status
  {
    // The message is in the account's language with Instagram Login.
    when: { subcode: 2108006 },
    source: 'recorded on both logins',
    become: skip(
      'graph.media-before-conversion',
      'the media is older than the business account and has no insights',
    ),
  },
  {
    when: { code: 100, message: retiredForm, namesMetric: true },
    source: 'as the next, of a metric',
    become: metricsNamed,
  },
  {
    when: { code: 100, message: retiredForm },
    source: 'observed on both logins, HTTP 500, since 2026-07-29',
    become: retired,
  },
  // Passing trouble
  {
    when: { code: 1, message: clientSecret },
    source: 'observed at the exchange of tokens',
    become: appSecret,
  },
  { when: { code: 101, message: systemError }, source: 'observed', become: serverFailed },
  { when: { code: 101 }, source: 'documented: no such app', become: appSecret },
  {
    when: { code: 1, message: reduceAmount },
    source: 'observed, HTTP 500, subcode 99 or none',
    become: retry('graph.too-much-data', 'the answer is too large for Meta; ask for fewer items'),
  },
  {
    when: { message: batchTooBig },
    source: 'observed, type GraphBatchException',
    become: retry('graph.too-much-data', 'the batch has more items than Meta takes'),
  },
  { when: { code: [1, 2] }, source: 'documented', become: serverFailed },
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
  { when: { code: 100, subcode: 33 }, source: 'observed', become: ambiguous },
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
  { when: { code: 100, message: noSuchField }, source: 'recorded', become: nonexistingField },
  // Names permissions, not metrics, and comes with codes 10 and 100.
  { when: { message: missingPermission }, source: 'observed', become: permission },
  // Quotes the request, its metrics included.
  { when: { code: 2500 }, source: 'recorded: our path or fields are wrong', become: refused },
  { when: { namesMetric: true }, source: 'observed in six wordings', become: metricsNamed },
  { when: { code: 803 }, source: 'observed', become: ambiguous },
  { when: { code: 12 }, source: 'documented', become: ambiguous },
  { when: { code: 110 }, source: 'observed, subcode 2207013', become: ambiguous },
  // Permissions and requests that are wrong
  { when: { code: 10 }, source: 'recorded; observed of single media', become: denied },
  { when: { code: 3 }, source: 'documented: capability', become: permission },
  { when: { code: [200, 299] }, source: 'documented', become: permission },
  { when: {}, source: 'parameters, unknown codes, broken envelopes', become: refused },
];

/** Whether a row's conditions hold for a failure. */
export function rowMatches(row: ErrorRow, failure: Failure): boolean {
  const { code, subcode, message, status, transient, namesMetric } = row.when;
  const { envelope, request } = failure;
  return (
    within(code, envelope.code) &&
    within(subcode, envelope.subcode) &&
    within(status, failure.status) &&
    (message?.test(envelope.message) ?? true) &&
    (!transient || envelope.transient) &&
    (!namesMetric || namedMetrics(request, envelope.message).length > 0)
  );
}

function within(
  range: number | readonly [number, number] | undefined,
  value: number | null,
): boolean {
  if (range === undefined) return true;
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
