import type { Login } from '../../engine/account.ts';
import type { Scope } from '../../engine/errors.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { ErrorEnvelope } from './envelope.ts';
import type { Redact } from './redaction.ts';

/** An answer that is an error, and all that its translation may look at. */
export interface Failure {
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

/** Meta's messages run to 800 characters (the enum of metrics); a longer one is not one. */
const longestQuote = 1_000;

/**
 * A message for people: what was asked, what is wrong and what to do, and Meta's own words. It holds
 * no token and no URL of ours.
 *
 * @param advice - the middle of a sentence
 */
export function explain(failure: Failure, advice: string): string {
  const { request, envelope, redact } = failure;
  const whose = request.accountId === null ? '' : ` for account ${request.accountId}`;
  const said =
    envelope.message === ''
      ? 'Meta gave no message'
      : `Meta says "${redact(envelope.message).slice(0, longestQuote)}"`;
  return `${request.endpoint}${whose}: ${advice}. ${said} (${identity(failure)})`;
}

function identity({ status, envelope, redact }: Failure): string {
  const { code, subcode, traceId } = envelope;
  const parts = [`HTTP ${status}`];
  if (code !== null) parts.push(`code ${code}`);
  if (subcode !== null) parts.push(`subcode ${subcode}`);
  if (traceId !== null) parts.push(`fbtrace_id ${redact(traceId).slice(0, 100)}`);
  return parts.join(', ');
}

/**
 * What a reached limit holds for. The narrowest that is known: the account's page or the account
 * for `page`, the app when the request was no single account's.
 */
export function limitScope(failure: Failure, kind: Scope['kind']): Scope {
  const { accountId, token: id = '' } = failure.request;
  if (kind === 'user') return { kind, id };
  if (kind === 'app' || accountId === null) return { kind: 'app', id };
  if (kind === 'page' && failure.pageId !== null) return { kind, id: failure.pageId };
  return { kind: 'account', id: accountId };
}
