import type { ConnectorError } from '../../engine/errors.ts';
import { DeadLetterError, isConnectorError } from '../../engine/errors.ts';
import type { Json, Node } from '../../engine/json.ts';
import { isNode } from '../../engine/json.ts';
import type { GraphRequest, UsageReport } from '../../engine/ports.ts';
import type { AnswerContext } from './response.ts';
import { judge, parseBody } from './response.ts';
import type { Answer } from './transport.ts';
import { readUsage } from './usage.ts';

/**
 * The form of a synchronous batch. Items are relative to the version of the batch's own URL. Their
 * headers are requested, because each item reports the usage of its own account.
 *
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

/** The outcome of an item; null where its answer is missing or unusable. */
type ItemOutcome = { readonly node: Node } | { readonly error: ConnectorError } | null;

/** A batch's answer, item by item, and the usage that it and its items report. */
export interface BatchAnswer {
  readonly outcomes: readonly ItemOutcome[];
  readonly usage: readonly UsageReport[];
}

/**
 * Reads the answer to a batch. Every item is classified by its own status, headers and body. The
 * outcome of an item is null when it is missing, null (not finished in time) or not readable.
 *
 * @param contexts - one for each request, in order
 * @throws as `judge`, where the answer is one error for the whole batch
 */
export function readBatch(answer: Answer, contexts: readonly AnswerContext[]): BatchAnswer {
  const [first] = contexts;
  const isAnswered = answer.status >= 200 && answer.status < 300 && answer.body !== null;
  const body = first === undefined || !isAnswered ? undefined : parseBody(answer.body, first);
  // An object is an error of the whole batch; other statuses are classified as of a single request.
  if (first !== undefined && (!isAnswered || isNode(body))) judge(answer, first);
  const items: readonly Json[] = Array.isArray(body) ? (body as readonly Json[]) : [];
  const usage = first === undefined ? [] : [...readUsage(answer.headers, first.request)];
  const outcomes = contexts.map((context, index) => {
    const item = answerOf(items[index]);
    if (item === undefined) return null;
    for (const report of readUsage(item.headers, context.request)) usage.push(report);
    return outcomeOf(item, context);
  });
  return { outcomes, usage };
}

function outcomeOf(item: Answer, context: AnswerContext): ItemOutcome {
  try {
    return { node: judge(item, context) };
  } catch (error) {
    if (!isConnectorError(error)) throw error;
    // No JSON object: the item is requested again by itself, which reports a bad body.
    return error instanceof DeadLetterError ? null : { error };
  }
}

/** An item in the form of a single request's answer; undefined where it is not readable. */
function answerOf(item: Json | undefined): Answer | undefined {
  if (!isNode(item) || typeof item['body'] !== 'string') return undefined;
  const { code, body } = item;
  return {
    // An item of unknown status is classified by its body: `judge` finds an error within a 200.
    status: Number.isSafeInteger(code) ? (code as number) : 200,
    headers: headersOf(item['headers']),
    body: Buffer.from(body),
  };
}

/** `[{"name": …, "value": …}, …]`; a header that cannot be read is left out. */
function headersOf(listed: Json | undefined): Headers {
  const headers = new Headers();
  for (const entry of Array.isArray(listed) ? (listed as readonly Json[]) : []) {
    if (!isNode(entry)) continue;
    const { name, value } = entry;
    if (typeof name !== 'string' || typeof value !== 'string') continue;
    try {
      headers.append(name, value);
    } catch {
      // Not a header that HTTP allows.
    }
  }
  return headers;
}

/**
 * True when an error of the whole batch means that the host rejects batches: any error but one of a
 * limit, the token or the process, or a transient one. Single requests then show the actual error.
 */
export function batchIsRefused(error: unknown): error is ConnectorError {
  if (!isConnectorError(error)) return false;
  return ['skip', 'dead-letter', 'fail', 'stop-stream'].includes(error.disposition);
}
