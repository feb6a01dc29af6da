import { type Json, type Node, isNode } from '../../engine/json.ts';
import type { Clock } from '../../engine/ports.ts';
import { parseJsonBody } from '../api/json-body.ts';
import type { Answer, Transport } from '../api/transport.ts';

/** One request of the Graph API and its answer, as `verify:recordings` reads them. */
export interface Exchange {
  /** ISO 8601 */
  readonly time: string;
  readonly request: {
    readonly method: 'GET' | 'POST';
    /** Path with the version: `/v25.0/17841…/media`. */
    readonly path: string;
    readonly query: Readonly<Record<string, string>>;
  };
  readonly response: { readonly status: number; readonly body: Node };
}

/** Receives exchanges as they were, tokens in links included; null stands for one that is no JSON object. */
export type OnExchange = (exchange: Exchange | null) => void;

/**
 * Wraps a transport so that each answer is passed on as exchanges: an item of a batch is one of its
 * own, as the single request that it stands for. A request without an answer is none.
 */
export function recordedTransport(
  transport: Transport,
  onExchange: OnExchange,
  clock: Pick<Clock, 'nowMs'>,
): Transport {
  const report = (exchanges: readonly (Omit<Exchange, 'time'> | null)[]): void => {
    const time = new Date(clock.nowMs()).toISOString();
    for (const one of exchanges) onExchange(one && { time, ...one });
  };
  return {
    async get(url, accessToken, signal) {
      const answer = await transport.get(url, accessToken, signal);
      report([exchangeOf('GET', new URL(url), answer.status, bodyOf(answer))]);
      return answer;
    },
    async post(url, form, accessToken, signal) {
      const answer = await transport.post(url, form, accessToken, signal);
      report(exchangesOfBatch(new URL(url), form, answer));
      return answer;
    },
    // No poll deletes anything.
    delete: (url, accessToken, signal) => transport.delete(url, accessToken, signal),
  };
}

type Untimed = Omit<Exchange, 'time'>;

function exchangeOf(
  method: 'GET' | 'POST',
  url: URL,
  status: number,
  body: Json | undefined,
): Untimed | null {
  if (!isNode(body)) return null;
  const query = Object.fromEntries(url.searchParams);
  return { request: { method, path: url.pathname, query }, response: { status, body } };
}

/** The items of a batch; the batch itself where it was rejected as a whole. */
function exchangesOfBatch(
  url: URL,
  form: URLSearchParams,
  answer: Answer,
): readonly (Untimed | null)[] {
  const body = bodyOf(answer);
  if (!Array.isArray(body)) {
    const whole = new URL(`${url.origin}${url.pathname}?${form.toString()}`);
    return [exchangeOf('POST', whole, answer.status, body)];
  }
  const answers = body as readonly Json[];
  const requests = JSON.parse(form.get('batch') ?? '[]') as readonly { relative_url: string }[];
  return requests.flatMap(({ relative_url }, index) => {
    const item = answers[index];
    // An item without an answer is requested again by itself.
    if (!isNode(item) || typeof item['body'] !== 'string') return [];
    const { code } = item;
    const status = typeof code === 'number' ? code : 200;
    // The items' URLs are relative to the version in the batch's URL.
    const itemUrl = new URL(`${url.origin}${url.pathname}${relative_url}`);
    return [exchangeOf('GET', itemUrl, status, parsed(item['body']))];
  });
}

function bodyOf({ body }: Answer): Json | undefined {
  return body === null ? undefined : parsed(new TextDecoder().decode(body));
}

function parsed(text: string): Json | undefined {
  try {
    return parseJsonBody(text);
  } catch {
    return undefined;
  }
}
