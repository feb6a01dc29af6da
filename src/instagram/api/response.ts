import { type Json, type Node, describeJson, isNode } from '../../engine/json.ts';
import { DeadLetterError, FailError, RetryError } from '../../engine/errors.ts';
import { translate } from './errors.ts';
import { type GraphFailure, readEnvelope } from './failure.ts';
import { parseJsonBody } from './json-body.ts';
import type { Redact } from '../../engine/redaction.ts';
import type { Answer } from './transport.ts';

export interface AnswerContext extends Omit<GraphFailure, 'status' | 'headers' | 'envelope'> {
  /** Replaces the token in a stored body. */
  readonly redactBody: Redact;
}

/** The number of characters that a dead letter keeps of a body that is not JSON. */
const rawLength = 2_000;

/**
 * Returns the node of an answer.
 * @throws by the table of `errors.ts` for an API error; RetryError `graph.server` for a success
 * with HTML, gzip or nothing, and `graph.too-much-data` over the bound; DeadLetterError
 * `graph.bad-body` for another body that is no JSON object, unless the status (429, 5xx) decides;
 * FailError for a redirect
 */
export function readNode(answer: Answer, context: AnswerContext): Node {
  const { status, headers } = answer;
  if (status >= 300 && status < 400) throw redirected(answer, context);
  if (answer.body === null) {
    throw new RetryError(
      'graph.too-much-data',
      `${context.request.endpoint}: the answer is over the bound of 32 MB; ask for fewer items (HTTP ${status})`,
    );
  }
  const body = parseBody(answer.body, context);
  if (isNode(body) && isSuccess(status, body)) return body;
  const isClassifiedByStatus = status === 429 || status >= 500;
  if (!isNode(body) && !isClassifiedByStatus)
    throw unusable(answer.body, { answer, context, body });
  throw translate({ ...context, status, headers, envelope: readEnvelope(body ?? null) });
}

/** Returns false for an error wrapped in a 200: no requested node has an object named `error`. */
function isSuccess(status: number, body: Node): boolean {
  return isGood(status) && !isNode(body['error']);
}

function isGood(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Names a transient body that Meta or a proxy sometimes sends in place of JSON. */
function transientBody(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'bare gzip';
  const text = new TextDecoder().decode(bytes).trimStart();
  if (text === '') return 'an empty body';
  return text.startsWith('<') ? 'HTML' : undefined;
}

/** Parses a body; undefined when it is not JSON in UTF-8. */
export function parseBody(bytes: Uint8Array, context: AnswerContext): Json | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return parseJsonBody(context.redactBody(text));
  } catch {
    // Not UTF-8, not JSON, or nested too deeply: all of them a bad body.
    return undefined;
  }
}

function unusable(
  bytes: Uint8Array,
  { answer, context, body }: { answer: Answer; context: AnswerContext; body: Json | undefined },
): RetryError | DeadLetterError {
  const transient = body === undefined && isGood(answer.status) ? transientBody(bytes) : undefined;
  if (transient !== undefined) {
    return new RetryError(
      'graph.server',
      `${context.request.endpoint}: expected a JSON object, got ${transient} (HTTP ${answer.status}); the request is repeated. If this stays, check INSTAGRAM_BASE_URL and the proxies on the way to it`,
    );
  }
  const actual = body === undefined ? 'not JSON' : `JSON, but ${describeJson(body)}`;
  const type = answer.headers.get('content-type') ?? 'no content type';
  const message = `${context.request.endpoint}: expected a JSON object, got ${bytes.byteLength} bytes that are ${actual} (HTTP ${answer.status}, ${context.redact(type).slice(0, 100)}); check INSTAGRAM_BASE_URL and what stands between`;
  // Redacted before it is cut: the redaction does not recognise half a token.
  const raw = context.redact(new TextDecoder().decode(bytes)).slice(0, rawLength);
  return new DeadLetterError('graph.bad-body', message, { path: '', raw });
}

function redirected({ status, headers }: Answer, context: AnswerContext): FailError {
  const target = URL.parse(headers.get('location') ?? '')?.host ?? 'a place that is not named';
  return new FailError(
    'graph.refused',
    `${context.request.endpoint}: answered with a redirect to ${context.redact(target)}, which is not followed because the token would go with it; check INSTAGRAM_BASE_URL (HTTP ${status})`,
  );
}
