import type { Account } from '../../engine/account.ts';
import { StopAccountError } from '../../engine/errors.ts';
import type {
  Clock,
  GraphRequest,
  GraphTransport,
  OnUsage,
  Telemetry,
} from '../../engine/ports.ts';
import { readNode, type AnswerContext } from './response.ts';
import { type BatchAnswer, batchForm, BatchRejection, readBatch } from './batch.ts';
import { linkSignals } from './linked-signal.ts';
import { networkError, timeoutError } from './network.ts';
import type { InstagramOptions } from '../options.ts';
import { proofOf } from './proof.ts';
import { withTelemetry } from './request-telemetry.ts';
import type { TokenRejections } from '../tokens/rejections.ts';
import type { Tokens } from '../tokens/tokens.ts';
import type { Answer, Transport } from './transport.ts';
import { readUsage, worstOf } from './usage.ts';

/** The dependencies of the Graph port. */
interface GraphParts {
  readonly options: InstagramOptions;
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
 *
 * @see https://developers.facebook.com/docs/graph-api/batch-requests (read 2026-11)
 */
const maxBatch = 50;
/** The pause of batches after the API has reported that it has none. */
const absentMs = 24 * 3_600_000;

/**
 * Creates the Graph API over HTTP. A request is sent at once; its timeout covers the body. An aborted
 * request has no outcome, so it is not reported.
 */
export function createGraph(parts: GraphParts): GraphTransport {
  const { clock } = parts;
  const batches = createBatchStatus(parts);
  let answeredBy: string | null = null;
  let clockAheadMs: number | null = null;
  const readHeaders = ({ headers }: Answer): void => {
    const dateMs = Date.parse(headers.get('date') ?? '');
    if (!Number.isNaN(dateMs)) clockAheadMs = clock.nowMs() - dateMs;
    const version = headers.get('facebook-api-version') ?? '';
    if (/^v\d+\.\d+$/.test(version)) answeredBy = version;
  };
  const exchanges = createExchanges(parts, readHeaders);
  return {
    get batchSize() {
      return batches.size;
    },
    get answeredBy() {
      return answeredBy;
    },
    get clockAheadMs() {
      return clockAheadMs;
    },
    get: exchanges.get,
    async getBatch(requests, signal) {
      try {
        const outcomes = await exchanges.getBatch(requests, signal);
        batches.noteAccepted();
        return outcomes;
      } catch (error) {
        if (!(error instanceof BatchRejection)) throw error;
        batches.noteRejected(error);
        return requests.map((request) => ({ request, isUnanswered: true }));
      }
    },
  };
}

/** Tracks the API's support of batches. Reports their absence once, and consecutive other rejections once. */
function createBatchStatus({ telemetry, options, clock }: GraphParts) {
  let absentSinceMs: number | undefined;
  const reported = { absent: false, unknown: false };
  return {
    get size() {
      // graph.instagram.com has no batch: 400 `access_denied` (observed 2026-08).
      if (options.login !== 'facebook') return 1;
      const sinceMs = absentSinceMs === undefined ? Infinity : clock.nowMs() - absentSinceMs;
      // A negative value means that the clock was set back.
      return sinceMs >= 0 && sinceMs < absentMs ? 1 : maxBatch;
    },
    noteAccepted() {
      reported.unknown = false;
    },
    noteRejected({ isAbsent, message }: BatchRejection) {
      if (isAbsent) absentSinceMs = clock.nowMs();
      const kind = isAbsent ? 'absent' : 'unknown';
      if (!reported[kind]) telemetry.report({ type: 'batch-refused', isAbsent, message });
      reported[kind] = true;
    },
  };
}

/** @param onAnswer - receives every answer */
function createExchanges(
  parts: GraphParts,
  onAnswer: (answer: Answer) => void,
): Pick<GraphTransport, 'get' | 'getBatch'> {
  const { onUsage, rejections } = parts;
  const send = createSend(parts);
  return {
    get: (original, signal) =>
      withSignal(signal, parts, (linked) => {
        const request = withToken(original, parts);
        const { endpoint, token } = request;
        const onOutcome = rejections.sent(token);
        const exchange = withTelemetry(parts, { endpoint, calls: 1 }, async () => {
          const answer = await send.get(request, linked);
          onAnswer(answer);
          // Errors report the usage too.
          for (const report of readUsage(answer.headers, request)) onUsage(report);
          return readNode(answer, contextOf(request, parts));
        });
        return withOutcome(exchange, onOutcome);
      }),
    getBatch: (originals, signal) =>
      withSignal(signal, parts, async (linked) => {
        const requests = originals.map((request) => withToken(request, parts));
        const [first] = requests;
        if (first === undefined) return [];
        const calls = requests.length;
        const onOutcome = rejections.sent(first.token);
        const exchange = withTelemetry(parts, { endpoint: first.endpoint, calls }, async () => {
          const answer = await send.post(first, batchForm(requests), linked);
          onAnswer(answer);
          const contexts = requests.map((request) => contextOf(request, parts));
          const { outcomes, usage } = readBatch(answer, contexts);
          for (const report of worstOf(usage, calls)) onUsage(report);
          return originals.map((request, index) => itemOf(request, outcomes[index]));
        });
        return withOutcome(exchange, onOutcome, (items) =>
          items.map(tokenRejectionOf).find((error) => error !== undefined),
        );
      }),
  };
}

/** Runs a request until it is aborted or the adapter is closed. */
async function withSignal<T>(
  signal: AbortSignal,
  { closing, pending }: GraphParts,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const linked = linkSignals([signal, closing]);
  const { promise: ended, resolve: end } = Promise.withResolvers<undefined>();
  pending.add(ended);
  try {
    linked.signal.throwIfAborted();
    return await run(linked.signal);
  } finally {
    linked.unlink();
    pending.delete(ended);
    end(undefined);
  }
}

function itemOf(request: GraphRequest, outcome: BatchAnswer['outcomes'][number] | undefined) {
  return { request, ...(outcome ?? { isUnanswered: true as const }) };
}

/** @param findRejection - finds a rejection of the token among the items of a successful answer */
async function withOutcome<T>(
  exchange: Promise<T>,
  onOutcome: (error: unknown) => void,
  findRejection: (answer: T) => Error | undefined = () => undefined,
): Promise<T> {
  try {
    const answer = await exchange;
    onOutcome(findRejection(answer));
    return answer;
  } catch (error) {
    onOutcome(error);
    throw error;
  }
}

function tokenRejectionOf(item: object): StopAccountError | undefined {
  const error = 'error' in item ? item.error : undefined;
  return error instanceof StopAccountError && error.refusesToken ? error : undefined;
}

type RequestWithToken = GraphRequest & { readonly token: string };

function withToken(request: GraphRequest, { known }: GraphParts): RequestWithToken {
  return { ...request, token: request.token ?? known.get(request.accountId ?? '')?.token ?? '' };
}

function contextOf(
  request: RequestWithToken,
  { known, clock, options, tokens }: GraphParts,
): AnswerContext {
  const pageId = known.get(request.accountId ?? '')?.pageId ?? null;
  const { redact, redactBody } = tokens;
  return { request, login: options.login, pageId, nowMs: clock.nowMs(), redact, redactBody };
}

/** Creates HTTP exchanges with a timeout; their failures become errors of the taxonomy. */
function createSend({ options, transport, clock, tokens }: GraphParts) {
  const { baseUrl, apiVersion, requestTimeoutMs, clientSecret } = options;
  const { host } = new URL(baseUrl);
  const exchange = async (
    request: RequestWithToken,
    signal: AbortSignal,
    operation: (token: string, signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> => {
    const linked = linkSignals([signal]);
    const timer = new AbortController();
    const late = timeoutError(requestTimeoutMs, { request, host });
    const timeOut = (): void => {
      linked.abort(late);
    };
    // Rejects when the timer is stopped below: the usual end.
    clock.sleep(requestTimeoutMs, timer.signal).then(timeOut, () => undefined);
    try {
      return await operation(tokens.text(request.token), linked.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (linked.signal.reason === late) throw late;
      throw networkError(error, { request, host, redact: tokens.redact });
    } finally {
      timer.abort();
      linked.unlink();
    }
  };
  const urlOf = (path: string, token: string, query: Readonly<Record<string, string>>): string => {
    const parameters = new URLSearchParams(query);
    if (clientSecret !== null) parameters.set('appsecret_proof', proofOf(token, clientSecret));
    const search = parameters.size === 0 ? '' : `?${parameters.toString()}`;
    return `${baseUrl}/${apiVersion}${path}${search}`;
  };
  return {
    get: (request: RequestWithToken, signal: AbortSignal) =>
      exchange(request, signal, (token, linked) =>
        transport.get(urlOf(request.path, token, request.query), token, linked),
      ),
    /** Sends a batch; the token of `request` and its proof apply to all items (observed autumn 2026). */
    post: (request: RequestWithToken, form: URLSearchParams, signal: AbortSignal) =>
      exchange(request, signal, (token, linked) =>
        transport.post(urlOf('/', token, {}), form, token, linked),
      ),
  };
}
