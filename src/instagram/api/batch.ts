import {
  type ClassifiedError,
  type ErrorCode,
  DeadLetterError,
  isClassifiedError,
} from '../../engine/errors.ts';
import { type Json, type Node, isNode } from '../../engine/json.ts';
import type { GraphRequest, UsageReport } from '../../engine/ports.ts';
import { type AnswerContext, readNode, parseBody } from './response.ts';
import { type ErrorEnvelope, explain, readEnvelope } from './failure.ts';
import type { Answer } from './transport.ts';
import { readUsage } from './usage.ts';

/**
 * Creates the form of a synchronous batch. Item URLs are relative to the version in the batch's
 * URL. Item headers are requested, because each item reports the usage of its own account.
 * @see https://developers.facebook.com/docs/graph-api/batch-requests (read 2026-11)
 */
export function batchForm(requests: readonly GraphRequest[]): URLSearchParams {
  const items = requests.map(({ path, query }) => {
    const parameters = new URLSearchParams(query);
    const search = parameters.size === 0 ? '' : `?${parameters.toString()}`;
    return { method: 'GET', relative_url: `${path.slice(1)}${search}` };
  });
  return new URLSearchParams({ include_headers: 'true', batch: JSON.stringify(items) });
}

/** The outcome of an item; null when its answer is missing or unusable. */
type ItemOutcome = { readonly node: Node } | { readonly error: ClassifiedError } | null;

/**
 * Reads the answer to a batch; each item by its own status, headers and body. The outcome is null
 * for an item that is missing, null (not finished in time) or unreadable.
 * @throws as `readNode` for a limit, the token, the process or the server; else BatchRejection
 */
export function readBatch(answer: Answer, contexts: readonly AnswerContext[]) {
  const [first] = contexts;
  const isAnswered = answer.status >= 200 && answer.status < 300 && answer.body !== null;
  const body = first === undefined || !isAnswered ? undefined : parseBody(answer.body, first);
  // An object is an error of the whole batch. Other statuses are classified like a single request's.
  if (first !== undefined && (!isAnswered || isNode(body))) throwBatchError(answer, first);
  const items: readonly Json[] = Array.isArray(body) ? (body as readonly Json[]) : [];
  const usage: UsageReport[] =
    first === undefined ? [] : [...readUsage(answer.headers, first.request)];
  const outcomes = contexts.map((context, index) => {
    const item = itemAnswer(items[index]);
    if (item === undefined) return null;
    for (const report of readUsage(item.headers, context.request)) usage.push(report);
    return outcomeOf(item, context);
  });
  return { outcomes, usage };
}

function outcomeOf(item: Answer, context: AnswerContext): ItemOutcome {
  try {
    return { node: readNode(item, context) };
  } catch (error) {
    if (!isClassifiedError(error)) throw error;
    // The body is no JSON object. The item is requested again singly, and that request reports it.
    return error instanceof DeadLetterError ? null : { error };
  }
}

/** Converts an item to the answer of a single request; undefined when it is unreadable. */
function itemAnswer(item: Json | undefined): Answer | undefined {
  if (!isNode(item) || typeof item['body'] !== 'string') return undefined;
  const { code, body } = item;
  return {
    // An item of unknown status is classified by its body: `readNode` detects an error in a 200.
    status: Number.isSafeInteger(code) ? (code as number) : 200,
    headers: headersOf(item['headers']),
    body: Buffer.from(body),
  };
}

/** Reads `[{"name": …, "value": …}, …]`; excludes unreadable headers. */
function headersOf(listed: Json | undefined): Headers {
  const headers = new Headers();
  for (const entry of Array.isArray(listed) ? (listed as readonly Json[]) : []) {
    if (!isNode(entry)) continue;
    const { name, value } = entry;
    if (typeof name !== 'string' || typeof value !== 'string') continue;
    try {
      headers.append(name, value);
    } catch {
      // HTTP does not allow this header.
    }
  }
  return headers;
}

/** The rejection of a whole batch; its items may still be valid. */
export class BatchRejection extends Error {
  override readonly name = 'BatchRejection';
  readonly code: ErrorCode;
  /** True when the API reports that it has no batches; false for an unknown reason. */
  readonly isAbsent: boolean;
  constructor(code: ErrorCode, message: string, isAbsent: boolean) {
    super(message);
    this.code = code;
    this.isAbsent = isAbsent;
  }
}

/** The dispositions of errors about the request itself; single requests may still succeed. */
const requestDispositions = ['skip', 'dead-letter', 'fail', 'stop-stream'];

function throwBatchError(answer: Answer, context: AnswerContext): void {
  try {
    readNode(answer, context);
  } catch (error) {
    if (!isClassifiedError(error) || !requestDispositions.includes(error.disposition)) throw error;
    throw rejectionOf(answer, context, error.code);
  }
}

function rejectionOf(answer: Answer, context: AnswerContext, code: ErrorCode): BatchRejection {
  const { status, headers, body } = answer;
  const envelope = readEnvelope((body === null ? null : parseBody(body, context)) ?? null);
  const isAbsent = hasNoBatches(answer, envelope);
  const request = { endpoint: batchEndpoint, path: '/', query: {}, accountId: null };
  const advice = isAbsent
    ? 'the API takes no batches, so each object is requested by itself: more HTTP requests, the same calls and the same data. Batches are tried again in a day'
    : 'the batch is rejected for a reason that is not known, so each of its objects is requested by itself; the next batch is sent as a batch';
  const message = explain({ ...context, request, status, headers, envelope }, advice);
  return new BatchRejection(code, message, isAbsent);
}

/** The endpoint of batches in metrics and messages. */
export const batchEndpoint = '/batch';

/**
 * Returns true when the API has no batches: the method or the path is unknown, retired or closed.
 * Sources: code 3, Graph API, "Handling errors", read 2026-10; 2500, the deprecation wording and
 * Instagram's header, observed 2026. The other wordings are guesses, which cost single requests.
 */
function hasNoBatches({ status, headers }: Answer, { code, message }: ErrorEnvelope): boolean {
  // Instagram's host reports it in this header (observed 2026-08).
  const text = `${message} ${headers.get('www-authenticate') ?? ''}`;
  return status === 405 || status === 410 || code === 2500 || code === 3 || noBatches.test(text);
}

const noBatches =
  /unsupported post request|unknown (?:method|path)|deprecated|no longer (?:supported|available)|batch\b.*\bnot (?:supported|available)|cannot call API for app/i;
