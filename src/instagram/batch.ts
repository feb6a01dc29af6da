import type { ConnectorError } from '../core/errors.ts';
import { DeadLetterError, isConnectorError } from '../core/errors.ts';
import type { Json, Node } from '../core/json.ts';
import { isNode } from '../core/json.ts';
import type { GraphRequest, UsageReport } from '../runtime/ports.ts';
import type { AnswerContext } from './answer.ts';
import { judge, parseBody } from './answer.ts';
import type { Answer } from './transport.ts';
import { readUsage } from './usage.ts';

/**
 * The form of a synchronous batch. Items are relative to the version of the batch's own URL; their
 * headers are asked for, because each item carries the usage of its own account.
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

/** The outcome of an item; null where the API gave no usable answer to it. */
type ItemOutcome = { readonly node: Node } | { readonly error: ConnectorError } | null;

/** A batch's answer, item by item, and the usage that it and its items report. */
export interface BatchAnswer {
  readonly outcomes: readonly ItemOutcome[];
  readonly usage: readonly UsageReport[];
}

/**
 * Reads the answer to a batch. Every item is judged by its own status, headers and body; an item
 * that is missing, null (it did not finish in time) or no usable answer has no outcome.
 *
 * @param contexts - one a request, in order
 * @throws as `judge`, where the answer is one error for the whole batch
 */
export function readBatch(answer: Answer, contexts: readonly AnswerContext[]): BatchAnswer {
  const [first] = contexts;
  const isAnswered = answer.status >= 200 && answer.status < 300 && answer.body !== null;
  const body = first === undefined || !isAnswered ? undefined : parseBody(answer.body, first);
  // An object is an error of the envelope; any other status is judged as that of a single request.
  if (first !== undefined && (!isAnswered || isNode(body))) judge(answer, first);
  const items: readonly Json[] = Array.isArray(body) ? (body as readonly Json[]) : [];
  const usage = first === undefined ? [] : [...readUsage(answer.headers, first.request)];
  const outcomes = contexts.map((context, index) => {
    const item = answerOf(items[index]);
    if (item === undefined) return null;
    usage.push(...readUsage(item.headers, context.request));
    return outcomeOf(item, context);
  });
  return { outcomes, usage };
}

function outcomeOf(item: Answer, context: AnswerContext): ItemOutcome {
  try {
    return { node: judge(item, context) };
  } catch (error) {
    if (!isConnectorError(error)) throw error;
    // No JSON object: requested alone, it is reported as any other bad body is.
    return error instanceof DeadLetterError ? null : { error };
  }
}

/** An item as the answer that it would have been alone; undefined where it is none. */
function answerOf(item: Json | undefined): Answer | undefined {
  if (!isNode(item) || typeof item['body'] !== 'string') return undefined;
  const { code, body } = item;
  return {
    // An item of unknown status is judged by its body: `judge` finds an error within a 200.
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
 * Whether an error of the whole batch means that the host does not take batches: anything but a
 * limit, a token, or what passes by itself. Single requests then show what is really wrong.
 */
export function batchIsRefused(error: unknown): error is ConnectorError {
  if (!isConnectorError(error)) return false;
  return ['skip', 'dead-letter', 'fail', 'stop-stream'].includes(error.disposition);
}
