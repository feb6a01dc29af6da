import type { Login } from '../../engine/account.ts';
import type { Scope } from '../../engine/errors.ts';
import { type Json, isNode } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { Redact } from '../../engine/redaction.ts';

/** The members of Meta's error that have the right type. */
export interface ErrorEnvelope {
  /** Always English; `error_user_title` and `error_user_msg` follow the caller's locale. */
  readonly message: string;
  readonly code: number | null;
  readonly subcode: number | null;
  readonly transient: boolean;
  /** Meta's id of this answer; Meta's support requests it. */
  readonly traceId: string | null;
}

/** Reads `{"error": {…}}`; a member of the wrong type counts as absent, a text is the message. */
export function readEnvelope(body: Json): ErrorEnvelope {
  const outer = isNode(body) ? body : {};
  const error = isNode(outer['error']) ? outer['error'] : {};
  const message = isNode(outer['error'])
    ? error['message']
    : (text(outer['error']) ?? outer['error_message']);
  return {
    message: text(message) ?? '',
    code: integer(error['code']),
    subcode: integer(error['error_subcode']),
    transient: error['is_transient'] === true,
    traceId: text(error['fbtrace_id']),
  };
}

function text(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function integer(value: Json | undefined): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null;
}

export interface GraphFailure {
  readonly request: GraphRequest;
  readonly status: number;
  readonly headers: Headers;
  readonly envelope: ErrorEnvelope;
  readonly login: Login;
  /** The Facebook page of the request's account, when it is known. */
  readonly pageId: string | null;
  readonly nowMs: number;
  readonly redact: Redact;
}

/** The bound of a quoted message. Meta's longest known message (the enum of metrics) has 800 characters. */
const longestQuote = 1_000;

/**
 * Returns a message for people, without token and URL. @param advice - a clause without a full stop
 */
export function explain(failure: GraphFailure, advice: string): string {
  const { request, envelope, redact } = failure;
  const account = request.accountId === null ? '' : ` for account ${request.accountId}`;
  const quote =
    envelope.message === ''
      ? 'Meta gave no message'
      : `Meta says "${redact(envelope.message).slice(0, longestQuote)}"`;
  const { code, subcode, traceId } = envelope;
  const parts = [`HTTP ${failure.status}`];
  if (code !== null) parts.push(`code ${code}`);
  if (subcode !== null) parts.push(`subcode ${subcode}`);
  if (traceId !== null) parts.push(`fbtrace_id ${redact(traceId).slice(0, 100)}`);
  return `${request.endpoint}${account}: ${advice}. ${quote} (${parts.join(', ')})`;
}

/**
 * Returns the narrowest known scope of a limit: the account's page or the account, else the app. A
 * request that spends another limit has reached that one, whatever the code.
 */
export function limitScope(failure: GraphFailure, kind: Scope['kind']): Scope {
  const { accountId, token: id = '', limit } = failure.request;
  if (limit !== undefined) return { kind: limit, id };
  if (kind === 'user') return { kind, id };
  if (kind === 'app' || accountId === null) return { kind: 'app', id };
  if (kind === 'page' && failure.pageId !== null) return { kind, id: failure.pageId };
  return { kind: 'account', id: accountId };
}

/** Returns the metrics of a request: `metric=a,b`, and `insights.metric(a,b)` of an expansion. */
export function requestedMetrics(request: GraphRequest): readonly string[] {
  const expanded = [...(request.query['fields'] ?? '').matchAll(/\.metric\(([^)]*)\)/g)];
  return [request.query['metric'] ?? '', ...expanded.map((match) => match[1] ?? '')]
    .flatMap((names) => names.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Returns the metrics of a request that a message contains as separate words, in any language. */
export function namedMetrics(request: GraphRequest, message: string): readonly string[] {
  const words = new Set(message.match(/[\p{L}\p{N}_]+/gu));
  return requestedMetrics(request).filter((name) => words.has(name));
}

/** Returns true when a request names the field, at any depth of its `fields=`. */
export function requestsField(request: GraphRequest, field: string): boolean {
  const names: readonly string[] = (request.query['fields'] ?? '').match(/\w+/g) ?? [];
  return names.includes(field);
}

/** Returns true for a request of other people's content: comments, replies or tags. */
export function requestsPeople({ path, query }: GraphRequest): boolean {
  return (
    /\/(?:comments|replies|tags)$/.test(path) || /\bcomments\.limit\(/.test(query['fields'] ?? '')
  );
}

/** Returns true for a request that needs the feature Instagram Public Content Access. */
export function requestsHashtags({ endpoint }: GraphRequest): boolean {
  return endpoint.includes('hashtag');
}

/** Returns true for a request of businesses or of their pages. */
export function requestsBusinesses({ endpoint }: GraphRequest): boolean {
  return /^\/(?:me\/businesses|\{business\})/.test(endpoint);
}

/** Returns the requested metrics that the enum lacks; the one at `index` if it is unreadable. */
export function unlistedMetrics(request: GraphRequest, index: string, listed: string): string[] {
  const known = new Set(listed.split(',').map((name) => name.trim()));
  const metrics = requestedMetrics(request);
  const unlisted = metrics.filter((metric) => !known.has(metric));
  const rejectedMetric = metrics[Number(index)];
  return unlisted.length > 0 || rejectedMetric === undefined ? unlisted : [rejectedMetric];
}
