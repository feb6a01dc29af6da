import type { Account } from '../../engine/account.ts';
import { StopAccountError } from '../../engine/errors.ts';
import type {
  Clock,
  GraphRequest,
  GraphTransport,
  OnUsage,
  Telemetry,
} from '../../engine/ports.ts';
import { judge, type AnswerContext } from './response.ts';
import { type BatchAnswer, batchForm, BatchRejection, readBatch } from './batch.ts';
import { linkSignals } from './linked-signal.ts';
import { networkError, timeoutError } from './network.ts';
import type { InstagramOptions } from '../options.ts';
import { proofOf } from './proof.ts';
import { reported } from './reported.ts';
import type { TokenRefusals } from '../tokens/refusals.ts';
import type { Tokens } from '../tokens/tokens.ts';
import type { Answer, Transport } from './transport.ts';
import { readUsage, worstOf } from './usage.ts';

/** What the Graph port is made of. */
export interface GraphParts {
  readonly options: InstagramOptions;
  readonly transport: Transport;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly onUsage: OnUsage;
  readonly tokens: Tokens;
  readonly refusals: Pick<TokenRefusals, 'sent'>;
  /** The accounts by id, as the directory last saw them. */
  readonly known: ReadonlyMap<string, Account>;
  /** Aborted when the adapter is closed. */
  readonly closing: AbortSignal;
}

/**
 * The most requests in one batch, by Meta's documentation; a batch counts as its items.
 *
 * @see https://developers.facebook.com/docs/graph-api/batch-requests (read 2026-11)
 */
const maxBatch = 50;
/** After the API has said that it has no batches, the next one is sent this much later. */
const absentMs = 24 * 3_600_000;

/**
 * The Graph API over HTTP: a request is sent at once, its timeout covers its body. One that is
 * aborted is not reported, as it has no outcome.
 */
export function createGraph(parts: GraphParts): GraphTransport {
  const { clock } = parts;
  const batches = createBatchStatus(parts);
  let answeredBy: string | null = null;
  let clockAheadMs: number | null = null;
  const noteHeaders = ({ headers }: Answer): void => {
    const dateMs = Date.parse(headers.get('date') ?? '');
    if (!Number.isNaN(dateMs)) clockAheadMs = clock.nowMs() - dateMs;
    const version = headers.get('facebook-api-version') ?? '';
    if (/^v\d+\.\d+$/.test(version)) answeredBy = version;
  };
  const exchanges = createExchanges(parts, noteHeaders);
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

/** What the process knows of the API's batches. Reports their absence once, and other rejections in a row once. */
function createBatchStatus({ telemetry, options, clock }: GraphParts) {
  let absentSinceMs: number | undefined;
  const reported = { absent: false, unknown: false };
  return {
    get size() {
      // graph.instagram.com has no batch: 400 `access_denied` (observed 2026-08).
      if (options.login !== 'facebook') return 1;
      const sinceMs = absentSinceMs === undefined ? Infinity : clock.nowMs() - absentSinceMs;
      // Below 0: the clock was set back.
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

/** @param onAnswer - is given every answer */
function createExchanges(
  parts: GraphParts,
  onAnswer: (answer: Answer) => void,
): Pick<GraphTransport, 'get' | 'getBatch'> {
  const { onUsage, closing, refusals } = parts;
  const send = createSend(parts);
  const linkedTo = async <T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>) => {
    const linked = linkSignals([signal, closing]);
    try {
      linked.signal.throwIfAborted();
      return await work(linked.signal);
    } finally {
      linked.unlink();
    }
  };
  return {
    get: (given, signal) =>
      linkedTo(signal, (linked) => {
        const request = withToken(given, parts);
        const note = refusals.sent(request.token);
        const exchange = reported(parts, { endpoint: request.endpoint, calls: 1 }, async () => {
          const answer = await send.get(request, linked);
          onAnswer(answer);
          // An error tells of the usage, too.
          for (const report of readUsage(answer.headers, request)) onUsage(report);
          return judge(answer, contextOf(request, parts));
        });
        return noted(exchange, note);
      }),
    getBatch: (given, signal) =>
      linkedTo(signal, async (linked) => {
        const requests = given.map((request) => withToken(request, parts));
        const [first] = requests;
        if (first === undefined) return [];
        const calls = requests.length;
        const note = refusals.sent(first.token);
        const exchange = reported(parts, { endpoint: first.endpoint, calls }, async () => {
          const answer = await send.post(first, batchForm(requests), linked);
          onAnswer(answer);
          const contexts = requests.map((request) => contextOf(request, parts));
          const { outcomes, usage } = readBatch(answer, contexts);
          for (const report of worstOf(usage, calls)) onUsage(report);
          return given.map((request, index) => itemOf(request, outcomes[index]));
        });
        return noted(exchange, note, (items) =>
          items.map(refusalOf).find((error) => error !== undefined),
        );
      }),
  };
}

function itemOf(request: GraphRequest, outcome: BatchAnswer['outcomes'][number] | undefined) {
  return { request, ...(outcome ?? { isUnanswered: true as const }) };
}

/** @param refusalIn - finds the refusal of the token in an answer that is none as a whole */
async function noted<T>(
  exchange: Promise<T>,
  note: (error: unknown) => void,
  refusalIn: (answer: T) => Error | undefined = () => undefined,
): Promise<T> {
  try {
    const answer = await exchange;
    note(refusalIn(answer));
    return answer;
  } catch (error) {
    note(error);
    throw error;
  }
}

function refusalOf(item: object): StopAccountError | undefined {
  const error = 'error' in item ? item.error : undefined;
  return error instanceof StopAccountError && error.refusesToken ? error : undefined;
}

type Tokened = GraphRequest & { readonly token: string };

function withToken(request: GraphRequest, { known }: GraphParts): Tokened {
  return { ...request, token: request.token ?? known.get(request.accountId ?? '')?.token ?? '' };
}

function contextOf(request: Tokened, { known, clock, options, tokens }: GraphParts): AnswerContext {
  const pageId = known.get(request.accountId ?? '')?.pageId ?? null;
  const { redact, redactBody } = tokens;
  return { request, login: options.login, pageId, nowMs: clock.nowMs(), redact, redactBody };
}

/** HTTP exchanges within the timeout; what goes wrong with one is in the taxonomy's words. */
function createSend({ options, transport, clock, tokens }: GraphParts) {
  const { baseUrl, apiVersion, requestTimeoutMs, clientSecret } = options;
  const { host } = new URL(baseUrl);
  const exchange = async (
    request: Tokened,
    signal: AbortSignal,
    work: (token: string, signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> => {
    const linked = linkSignals([signal]);
    const timer = new AbortController();
    const late = timeoutError(requestTimeoutMs, { request, host });
    const timeOut = (): void => {
      linked.abort(late);
    };
    // Rejects when the timer is stopped below, which is its usual end.
    clock.sleep(requestTimeoutMs, timer.signal).then(timeOut, () => undefined);
    try {
      return await work(tokens.text(request.token), linked.signal);
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
    get: (request: Tokened, signal: AbortSignal) =>
      exchange(request, signal, (token, linked) =>
        transport.get(urlOf(request.path, token, request.query), token, linked),
      ),
    /** The token of `request` and its proof stand for all items (observed autumn 2026). */
    post: (request: Tokened, form: URLSearchParams, signal: AbortSignal) =>
      exchange(request, signal, (token, linked) =>
        transport.post(urlOf('/', token, {}), form, token, linked),
      ),
  };
}
