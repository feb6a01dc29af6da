import type { Account } from '../core/account.ts';
import type { Node } from '../core/json.ts';
import type { Clock, Graph, GraphRequest, OnUsage, Telemetry } from '../runtime/ports.ts';
import { judge } from './answer.ts';
import { linkSignals } from './linked-signal.ts';
import { networkError, timeoutError } from './network.ts';
import type { InstagramOptions } from './options.ts';
import { proofOf } from './proof.ts';
import { reported } from './reported.ts';
import type { Tokens } from './tokens.ts';
import type { Answer, Transport } from './transport.ts';
import { readUsage } from './usage.ts';

/** What the Graph port is made of. */
export interface GraphParts {
  readonly options: InstagramOptions;
  readonly transport: Transport;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly onUsage: OnUsage;
  readonly tokens: Tokens;
  /** The accounts by id, as the directory last saw them. */
  readonly known: ReadonlyMap<string, Account>;
  /** Aborted when the adapter is closed. */
  readonly closing: AbortSignal;
}

type Ask<T> = (request: GraphRequest, signal: AbortSignal) => Promise<T>;

/**
 * The Graph API over HTTP: a request is made at once, its timeout covers its body. One that is
 * aborted is not reported, as it has no outcome.
 */
export function createGraph(parts: GraphParts): Graph {
  const ask = createAsk(parts);
  return {
    async get(request, signal) {
      const linked = linkSignals([signal, parts.closing]);
      try {
        linked.signal.throwIfAborted();
        return await ask(request, linked.signal);
      } finally {
        linked.unlink();
      }
    },
  };
}

/** One request and its judgement, reported. */
function createAsk(parts: GraphParts): Ask<Node> {
  const { options, clock, onUsage, known } = parts;
  const { redact, redactBody } = parts.tokens;
  const { login } = options;
  const send = createSend(parts);

  async function askAndJudge(request: GraphRequest, signal: AbortSignal): Promise<Node> {
    const answer = await send(request, signal);
    // An error tells of the usage, too.
    for (const report of readUsage(answer.headers, request)) onUsage(report);
    const pageId = known.get(request.accountId ?? '')?.pageId ?? null;
    const nowMs = clock.nowMs();
    return judge(answer, { request, login, pageId, nowMs, redact, redactBody });
  }

  return (given, signal) => {
    const token = given.token ?? known.get(given.accountId ?? '')?.token ?? '';
    const request = { ...given, token };
    const asked = { endpoint: request.endpoint, ids: idCount(request) };
    return reported(parts, asked, () => askAndJudge(request, signal));
  };
}

/** Objects asked for: Meta may count each id of `?ids=` as a call. */
function idCount(request: GraphRequest): number {
  return request.query['ids']?.split(',').length ?? 1;
}

/** One HTTP exchange within the timeout; what goes wrong with it is in the taxonomy's words. */
function createSend({ options, transport, clock, tokens }: GraphParts): Ask<Answer> {
  const { baseUrl, apiVersion, requestTimeoutMs, clientSecret } = options;
  const { host } = new URL(baseUrl);
  return async (request, signal) => {
    const linked = linkSignals([signal]);
    const timer = new AbortController();
    const late = timeoutError(requestTimeoutMs, { request, host });
    const timeOut = (): void => {
      linked.abort(late);
    };
    // Rejects when the timer is stopped below, which is its usual end.
    clock.sleep(requestTimeoutMs, timer.signal).then(timeOut, () => undefined);
    try {
      const token = tokens.text(request.token ?? '');
      const query = new URLSearchParams(request.query);
      if (clientSecret !== null) query.set('appsecret_proof', proofOf(token, clientSecret));
      const search = query.size === 0 ? '' : `?${query.toString()}`;
      const url = `${baseUrl}/${apiVersion}${request.path}${search}`;
      return await transport.get(url, token, linked.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (linked.signal.reason === late) throw late;
      throw networkError(error, { request, host, redact: tokens.redact });
    } finally {
      timer.abort();
      linked.unlink();
    }
  };
}
