import {
  type ClassifiedError,
  type ErrorCode,
  type Scope,
  FailError,
  RetryError,
  SkipError,
  StopAccountError,
  StopStreamError,
  WaitError,
} from '../../engine/errors.ts';
import {
  type GraphFailure,
  explain,
  limitScope,
  namedMetrics,
  requestedMetrics,
  requestsBusinesses,
  requestsField,
  requestsHashtags,
  requestsPeople,
  unlistedMetrics,
} from './failure.ts';
import { appAdvice, permissionAdvice, tokenAdvice, twoFactorAdvice } from '../token-advice.ts';
import { limitWaitMs, retryAfterMs } from './usage.ts';

/**
 * The conditions of a row; all of them must hold. `message` is matched against Meta's fixed English
 * `message`, with or without its `(#code) ` prefix, never against the localised user texts.
 */
interface ErrorMatch {
  readonly code?: number | readonly [from: number, to: number];
  readonly subcode?: number;
  readonly message?: RegExp;
  readonly status?: number | readonly [from: number, to: number];
  readonly transient?: true;
  /** The message names a requested metric as a separate word, in any language. */
  readonly namesMetric?: true;
}

interface ErrorRow {
  readonly when: ErrorMatch;
  /** Recorded and documented facts were read 2026-08 to 2026-10. */
  readonly source: string;
  /** @param words - the capture groups of `when.message` */
  readonly toError: (failure: GraphFailure, words: readonly string[]) => ClassifiedError;
}

const limit =
  (kind: Scope['kind']): ErrorRow['toError'] =>
  (failure) => {
    const scope = limitScope(failure, kind);
    const retryAfterMs = limitWaitMs(failure.headers, failure.request.accountId, failure.nowMs);
    const minutes = Math.ceil(retryAfterMs / 60_000);
    const advice = `the ${scope.kind}'s request limit is reached; nothing in it is asked for ${minutes} min`;
    return new WaitError('graph.rate-limited', explain(failure, advice), { scope, retryAfterMs });
  };

const retry =
  (code: ErrorCode, advice: string): ErrorRow['toError'] =>
  (failure) => {
    const waitMs = retryAfterMs(failure.headers, failure.nowMs);
    const options = waitMs === undefined ? {} : { retryAfterMs: waitMs };
    return new RetryError(code, explain(failure, advice), options);
  };

const serverFailed = retry('graph.server', "Meta's server failed");

const skip =
  (code: ErrorCode, advice: string): ErrorRow['toError'] =>
  (failure, words) =>
    new SkipError(code, explain(failure, advice), words);

/** Skips named metrics or fields; without a name the whole request is rejected. */
const skipNamed = (
  code: ErrorCode,
  advice: string,
  namesOf: (failure: GraphFailure) => readonly string[],
): ErrorRow['toError'] => {
  return (failure) => {
    const names = namesOf(failure);
    return names.length === 0 ? rejected(failure, []) : skip(code, advice)(failure, names);
  };
};

const skipFields = (advice: string, culprits: readonly string[]): ErrorRow['toError'] =>
  skipNamed('graph.field-refused', advice, ({ request }) =>
    culprits.filter((name) => requestsField(request, name)),
  );

const fail =
  (code: ErrorCode, advice: string): ErrorRow['toError'] =>
  (failure) =>
    new FailError(code, explain(failure, advice));

const rejected = fail(
  'graph.refused',
  'the request is rejected and is sent again at the next interval; if this stays, check INSTAGRAM_API_VERSION, or report this message as a bug',
);

const retired = fail(
  'graph.retired',
  'Meta has retired this form of request: install a newer version of this program',
);

const lacksPermission =
  (Kind: typeof StopStreamError | typeof FailError): ErrorRow['toError'] =>
  (failure) => {
    const { login, request } = failure;
    const use = {
      login,
      readsPeople: requestsPeople(request),
      listsBusinesses: requestsBusinesses(request),
      readsHashtags: requestsHashtags(request),
    };
    const advice = permissionAdvice(use, request.endpoint === '/{media}/insights');
    return new Kind('graph.permission', explain(failure, advice));
  };

const permission = lacksPermission(StopStreamError);
/** Fails the poll only: the rejection may concern a single object, such as a media of another account. */
const denied = lacksPermission(FailError);

const token: ErrorRow['toError'] = (failure) => {
  const { subcode } = failure.envelope;
  const advice = tokenAdvice(subcode, failure.login);
  const rejectsToken = subcode !== noRoleOnPage;
  return new StopAccountError('graph.token', explain(failure, advice), { rejectsToken });
};

/** The subcode of 190 about one page and its account; the token stays valid for other accounts. */
const noRoleOnPage = 492;

const stopAccount =
  (code: ErrorCode, advice: string, rejectsToken = true): ErrorRow['toError'] =>
  (failure) =>
    new StopAccountError(code, explain(failure, advice), { rejectsToken });

const appSecret = stopAccount('graph.app-secret', appAdvice);
const twoFactor = stopAccount('graph.token', twoFactorAdvice, false);

/** Skips the named fields only if all were requested; otherwise the name is an edge in the path. */
const nonexistingField: ErrorRow['toError'] = (failure, words) =>
  words.every((name) => requestsField(failure.request, name))
    ? skip('graph.field-refused', 'the field does not exist for this object')(failure, words)
    : rejected(failure, words);

const metricOutsideEnum: ErrorRow['toError'] = (failure, [index = '', listed = '']) =>
  skipNamed('graph.metric-unknown', 'a metric is not one of those that the API has', () =>
    unlistedMetrics(failure.request, index, listed),
  )(failure, []);

const namedMetricsRejected: ErrorRow['toError'] = (failure) => {
  const isOfKind = kindWide.test(failure.envelope.message);
  return new SkipError(
    'graph.metric-refused',
    explain(failure, `a metric is not accepted for this object${isOfKind ? ' or its kind' : ''}`),
    namedMetrics(failure.request, failure.envelope.message),
    isOfKind ? 'kind' : 'object',
  );
};

/** Skips an object; the subject is the object that Meta names, if any. */
const ambiguous: ErrorRow['toError'] = (failure) => {
  const id = namedObject.exec(failure.envelope.message)?.[1];
  // A request of the account itself or of one of its lists.
  const advice = /^\/(?:me|\{account\})/.test(failure.request.endpoint)
    ? "the account is gone, hidden or out of the token's reach, or a limit is near"
    : 'the object is gone or hidden, or a limit is near';
  return skip('graph.ambiguous', advice)(failure, id === undefined ? [] : [id]);
};

const namedObject = /(?:Object with ID '|aliases you requested do not exist: )(\d+)/;
const reduceAmount = /reduce the amount of data/i;
const batchTooBig = /^(?:\(#\d+\) )?Too many requests in batch message/;
const fewViewers = /^(?:\(#10\) )?Not enough viewers/;
const unsupportedGet = /^(?:\(#100\) )?Unsupported get request\. Object with ID/;
const outsideEnum = /\bmetric\[(\d+)\][^:]*:\s*(.*)$/s;
const kindWide = /does not support the .+ metrics? for this media product type/;
const noSuchField = /^(?:\(#100\) )?Tried accessing nonexisting field \((\w+)\)/;
const missingPermission =
  /missing permission or reviewable feature|^\(#100\) Missing Permissions?$/i;
const clientSecret = /validating client secret/;
const secretProof = /appsecret_proof/;
const apiBlocked = /deactivated|API access blocked/i;
const retiredForm = /ids query parameter is deprecated|is deprecated in v/i;
/** Returns true when a message of Meta, or a text that quotes one, reports a retired form of request. */
export function saysRetired(message: string): boolean {
  return retiredForm.test(message);
}

const systemError = /system error|temporar|try again/i;
const activeToken = /active access token/i;

const viewsOnFacebook: readonly string[] = ['crossposted_views', 'facebook_views'];

/**
 * The map from Graph errors to the error classes; the first matching row decides. Limits and tokens come
 * first, whatever the HTTP status and `is_transient` (code 4 is a transient 403), then permanent
 * errors, some of which have status 500, transient ones, unavailable data, and errors of the
 * request itself. An unknown error fails the poll and nothing else.
 */
export const errorRows: readonly ErrorRow[] = [
  // Limits
  { when: { code: 4 }, source: 'observed, HTTP 403, is_transient', toError: limit('app') },
  { when: { code: 17 }, source: 'documented, subcode 2446079', toError: limit('user') },
  { when: { code: 32 }, source: 'documented', toError: limit('page') },
  { when: { code: 341 }, source: 'documented', toError: limit('app') },
  { when: { code: 613 }, source: 'documented, subcode 1996', toError: limit('app') },
  { when: { code: 80001 }, source: 'documented: pages', toError: limit('page') },
  { when: { code: 80002 }, source: 'documented: Instagram', toError: limit('account') },
  { when: { code: [80000, 80014] }, source: 'documented: others', toError: limit('account') },
  // Tokens and blocks
  { when: { code: 190 }, source: 'documented, with seven subcodes', toError: token },
  { when: { code: 102 }, source: 'documented: session', toError: token },
  { when: { code: 104 }, source: 'observed: no token arrived', toError: token },
  { when: { code: 2500, message: activeToken }, source: 'observed', toError: token },
  { when: { code: 100, message: secretProof }, source: 'observed', toError: appSecret },
  { when: { code: 415 }, source: 'documented: Business Manager', toError: twoFactor },
  {
    when: { code: 368 },
    source: 'documented: policies',
    toError: stopAccount(
      'graph.blocked',
      'Meta has blocked the app or its user for a breach of policy: resolve it in the app dashboard, then resume the stream, or restart',
    ),
  },
  {
    when: { code: 200, message: apiBlocked },
    source: 'observed',
    toError: stopAccount(
      'graph.blocked',
      "Meta has deactivated the app's access to the API: open the app's dashboard at Meta for Developers, complete its required actions, then resume the stream, or restart",
    ),
  },
  { when: { status: 429 }, source: 'HTTP; not seen from Graph itself', toError: limit('app') },
  // Permanent, whatever the HTTP status
  {
    // The message is in the account's language with Instagram Login.
    when: { subcode: 2108006 },
    source: 'recorded on both logins',
    toError: skip(
      'graph.media-before-conversion',
      'the media is older than the business account and has no insights',
    ),
  },
  {
    when: { code: 100, message: retiredForm, namesMetric: true },
    source: 'as the next, of a metric',
    toError: namedMetricsRejected,
  },
  {
    when: { code: 100, message: retiredForm },
    source: 'observed on both logins, HTTP 500, since 2026-07-29',
    toError: retired,
  },
  // Transient errors
  {
    when: { code: 1, message: clientSecret },
    source: 'observed at the exchange of tokens',
    toError: appSecret,
  },
  { when: { code: 101, message: systemError }, source: 'observed', toError: serverFailed },
  { when: { code: 101 }, source: 'documented: no such app', toError: appSecret },
  {
    when: { code: 1, message: reduceAmount },
    source: 'observed, HTTP 500, subcode 99 or none',
    toError: retry('graph.too-much-data', 'the answer is too large for Meta; ask for fewer items'),
  },
  {
    when: { message: batchTooBig },
    source: 'observed, type GraphBatchException',
    toError: retry('graph.too-much-data', 'the batch has more items than Meta takes'),
  },
  { when: { code: [1, 2] }, source: 'documented', toError: serverFailed },
  {
    when: { transient: true },
    source: 'documented: is_transient',
    toError: retry('graph.server', 'Meta calls the failure transient'),
  },
  {
    when: { status: [500, 599] },
    source: 'HTTP',
    toError: retry('graph.server', 'the server failed'),
  },
  // Unavailable data
  { when: { code: 100, subcode: 33 }, source: 'observed', toError: ambiguous },
  {
    when: { code: 100, message: unsupportedGet },
    source: 'observed in a batch, without its subcode 33',
    toError: ambiguous,
  },
  { when: { code: 24 }, source: 'observed', toError: skip('graph.gone', 'the object is gone') },
  {
    when: { code: 10, message: fewViewers },
    source: 'documented and observed',
    toError: skip('graph.not-enough-viewers', 'the story has fewer than five viewers'),
  },
  {
    when: { code: 3006 },
    source: 'recorded, subcode 2874010',
    toError: skip('graph.not-enough-users', 'the account has too few followers for demographics'),
  },
  {
    when: { code: -1, subcode: 2207086 },
    source: 'observed',
    toError: skipNamed(
      'graph.metric-refused',
      'the media is not on Facebook, so it has no such views',
      ({ request }) => requestedMetrics(request).filter((name) => viewsOnFacebook.includes(name)),
    ),
  },
  {
    when: { code: 9005 },
    source: 'observed, subcode 1452042',
    toError: skipFields('the field cannot be read of this media', ['copyright_check_information']),
  },
  {
    when: { code: 36104 },
    source: 'observed',
    toError: skipFields('the field is for Business Discovery only', ['view_count']),
  },
  { when: { code: 100, message: outsideEnum }, source: 'recorded', toError: metricOutsideEnum },
  { when: { code: 100, message: noSuchField }, source: 'recorded', toError: nonexistingField },
  // The message names permissions, not metrics; the codes are 10 and 100.
  { when: { message: missingPermission }, source: 'observed', toError: permission },
  // The message quotes the request, its metrics included.
  { when: { code: 2500 }, source: 'recorded: our path or fields are wrong', toError: rejected },
  {
    when: { namesMetric: true },
    source: 'observed in six wordings',
    toError: namedMetricsRejected,
  },
  { when: { code: 803 }, source: 'observed', toError: ambiguous },
  { when: { code: 12 }, source: 'documented', toError: ambiguous },
  {
    when: { code: 110, subcode: 2207013 },
    source: 'observed of business discovery, 2026-09',
    toError: skip(
      'graph.user-not-public',
      'the user name is that of a personal or private account, or of none',
    ),
  },
  { when: { code: 110 }, source: 'as the former, without its subcode', toError: ambiguous },
  // Permissions and invalid requests
  { when: { code: 10 }, source: 'recorded; observed of single media', toError: denied },
  { when: { code: 3 }, source: 'documented: capability', toError: permission },
  { when: { code: [200, 299] }, source: 'documented', toError: permission },
  { when: {}, source: 'parameters, unknown codes, broken envelopes', toError: rejected },
];

export function rowMatches(row: ErrorRow, failure: GraphFailure): boolean {
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

export function translate(failure: GraphFailure): ClassifiedError {
  const row = errorRows.find((candidate) => rowMatches(candidate, failure));
  if (row === undefined) return rejected(failure, []);
  const match = row.when.message?.exec(failure.envelope.message);
  return row.toError(failure, match?.slice(1) ?? []);
}
