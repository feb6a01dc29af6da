import type { Account } from '../../engine/account.ts';
import { StopAccountError } from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import type {
  BatchOutcome,
  Clock,
  GraphRequest,
  GraphTransport,
  OnUsage,
  Telemetry,
} from '../../engine/ports.ts';
import { readNode, type AnswerContext } from './response.ts';
import { batchForm, BatchRejection, readBatch } from './batch.ts';
import { linkSignals } from '../../engine/linked-signal.ts';
import { networkError, timeoutError, withTelemetry } from './network.ts';
import type { GraphOptions } from '../options.ts';
import { proofOf } from './redaction.ts';
import type { TokenRejections } from '../tokens/rejections.ts';
import type { Tokens } from '../tokens/tokens.ts';
import type { Answer, Transport } from './transport.ts';
import { readUsage, worstOf } from './usage.ts';

interface GraphParts {
  readonly options: GraphOptions;
  readonly transport: Transport;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly onUsage: OnUsage;
  readonly tokens: Tokens;
  readonly rejections: Pick<TokenRejections, 'sent'>;
  /** The accounts by id, as the directory listed them last. */
  readonly known: ReadonlyMap<string, Account>;
  /** Aborted when the adapter is closed. */
  readonly closing: AbortSignal;
  /** Receives the pending requests, to be awaited when the adapter is closed. */
  readonly pending: Set<Promise<unknown>>;
}

/**
 * The most requests in one batch, by Meta's documentation. Meta counts each item as a call.
 * @see https://developers.facebook.com/docs/graph-api/batch-requests (read 2026-11)
 */
const maxBatch = 50;
/** The pause of batches after the API has reported that it has none. */
const absentMs = 24 * 3_600_000;

type RequestWithToken = GraphRequest & { readonly token: string };

/** The Graph API over HTTP. An aborted request has no outcome, so it is not reported. */
export class GraphClient implements GraphTransport {
  answeredBy: string | null = null;
  clockAheadMs: number | null = null;
  readonly #parts: GraphParts;
  #absentSinceMs = -Infinity;
  /** The kinds of batch rejections that were reported: absence once, consecutive others once. */
  readonly #reported = { absent: false, unknown: false };

  constructor(parts: GraphParts) {
    this.#parts = parts;
  }

  get batchSize(): number {
    const { options, clock } = this.#parts;
    // graph.instagram.com has no batch: 400 `access_denied` (observed 2026-08).
    if (options.login !== 'facebook') return 1;
    const sinceMs = clock.nowMs() - this.#absentSinceMs;
    // A negative value means that the clock was set back.
    return sinceMs >= 0 && sinceMs < absentMs ? 1 : maxBatch;
  }

  get(original: GraphRequest, signal: AbortSignal): Promise<Node> {
    const request = this.#withToken(original);
    return this.#run(request, { calls: 1, signal }, async (linked) => {
      const answer = await this.#send(request, undefined, linked);
      // Errors report the usage too.
      for (const report of readUsage(answer.headers, request)) this.#parts.onUsage(report);
      return readNode(answer, this.#contextOf(request));
    });
  }

  async getBatch(
    originals: readonly GraphRequest[],
    signal: AbortSignal,
  ): Promise<readonly BatchOutcome[]> {
    const requests = originals.map((request) => this.#withToken(request));
    const [first] = requests;
    if (first === undefined) return [];
    const calls = requests.length;
    const request = async (linked: AbortSignal): Promise<readonly BatchOutcome[]> => {
      const answer = await this.#send(first, batchForm(requests), linked);
      const contexts = requests.map((one) => this.#contextOf(one));
      const { outcomes, usage } = readBatch(answer, contexts);
      for (const report of worstOf(usage, calls)) this.#parts.onUsage(report);
      return originals.map((one, index) => ({
        request: one,
        ...(outcomes[index] ?? { isUnanswered: true }),
      }));
    };
    try {
      const items = await this.#run(first, { calls, signal }, request, (all) =>
        all.map(tokenRejectionOf).find((error) => error !== undefined),
      );
      this.#reported.unknown = false;
      return items;
    } catch (error) {
      if (!(error instanceof BatchRejection)) throw error;
      this.#noteRejected(error);
      return originals.map((one) => ({ request: one, isUnanswered: true }));
    }
  }

  #noteRejected({ isAbsent, message }: BatchRejection): void {
    const { clock, telemetry } = this.#parts;
    if (isAbsent) this.#absentSinceMs = clock.nowMs();
    const kind = isAbsent ? 'absent' : 'unknown';
    if (!this.#reported[kind]) telemetry.report({ type: 'batch-rejected', isAbsent, message });
    this.#reported[kind] = true;
  }

  /**
   * Runs a request until it is aborted or the adapter is closed, and reports its outcome.
   * @param findRejection - finds a rejection of the token in a successful answer
   */
  async #run<T>(
    { endpoint, token }: RequestWithToken,
    { calls, signal }: { readonly calls: number; readonly signal: AbortSignal },
    request: (linked: AbortSignal) => Promise<T>,
    findRejection: (answer: T) => Error | undefined = () => undefined,
  ): Promise<T> {
    const { closing, pending, rejections } = this.#parts;
    const linked = linkSignals([signal, closing]);
    const { promise: ended, resolve: end } = Promise.withResolvers<undefined>();
    pending.add(ended);
    try {
      linked.signal.throwIfAborted();
      const onOutcome = rejections.sent(token);
      try {
        const send = (): Promise<T> => request(linked.signal);
        const answer = await withTelemetry(this.#parts, { endpoint, calls }, send);
        onOutcome(findRejection(answer));
        return answer;
      } catch (error) {
        onOutcome(error);
        throw error;
      }
    } finally {
      linked.unlink();
      pending.delete(ended);
      end(undefined);
    }
  }

  #withToken(request: GraphRequest): RequestWithToken {
    const account = this.#parts.known.get(request.accountId ?? '');
    return { ...request, token: request.token ?? account?.token ?? '' };
  }

  #contextOf(request: RequestWithToken): AnswerContext {
    const { known, clock, options, tokens } = this.#parts;
    const pageId = known.get(request.accountId ?? '')?.pageId ?? null;
    const { redact, redactBody } = tokens;
    return { request, login: options.login, pageId, nowMs: clock.nowMs(), redact, redactBody };
  }

  /**
   * Sends a GET, or a batch by its form, with a timeout; failures become classified errors.
   * The token of a batch and its proof apply to all items (observed autumn 2026).
   */
  async #send(
    request: RequestWithToken,
    form: URLSearchParams | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { options, transport, clock, tokens } = this.#parts;
    const { requestTimeoutMs } = options;
    const { host } = new URL(options.baseUrl);
    const token = tokens.text(request.token);
    const linked = linkSignals([signal]);
    const timer = new AbortController();
    const late = timeoutError(requestTimeoutMs, { request, host });
    const timeOut = (): void => {
      linked.abort(late);
    };
    // Rejects when the timer is stopped below: the usual end.
    clock.sleep(requestTimeoutMs, timer.signal).then(timeOut, () => undefined);
    try {
      const url = graphUrl(form === undefined ? request : { path: '/', query: {} }, token, options);
      const answer = await (form === undefined
        ? transport.get(url, token, linked.signal)
        : transport.post(url, form, token, linked.signal));
      this.#readHeaders(answer);
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      if (linked.signal.reason === late) throw late;
      throw networkError(error, { request, host, redact: tokens.redact });
    } finally {
      timer.abort();
      linked.unlink();
    }
  }

  #readHeaders({ headers }: Answer): void {
    const dateMs = Date.parse(headers.get('date') ?? '');
    if (!Number.isNaN(dateMs)) this.clockAheadMs = this.#parts.clock.nowMs() - dateMs;
    const version = headers.get('facebook-api-version') ?? '';
    if (/^v\d+\.\d+$/.test(version)) this.answeredBy = version;
  }
}

/** Returns the URL of a request, with the proof that the app's secret makes of the token. */
export function graphUrl(
  { path, query }: Pick<GraphRequest, 'path' | 'query'>,
  token: string,
  { baseUrl, apiVersion, clientSecret }: GraphOptions,
): string {
  const parameters = new URLSearchParams(query);
  if (clientSecret !== null) parameters.set('appsecret_proof', proofOf(token, clientSecret));
  const search = parameters.size === 0 ? '' : `?${parameters.toString()}`;
  return `${baseUrl}/${apiVersion}${path}${search}`;
}

function tokenRejectionOf(item: BatchOutcome): StopAccountError | undefined {
  const error = 'error' in item ? item.error : undefined;
  return error instanceof StopAccountError && error.rejectsToken ? error : undefined;
}
