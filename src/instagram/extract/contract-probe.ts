import { type Account, isPolled } from '../../engine/account.ts';
import { slept } from '../../engine/clock.ts';
import {
  type ClassifiedError,
  type Disposition,
  type ErrorCode,
  isClassifiedError,
} from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import type { PollerTools } from '../../engine/poller.ts';
import type { Graph, GraphRequest, ProbedForm } from '../../engine/ports.ts';
import type { OnWait } from '../../engine/rate-limit/rate-limiter.ts';
import { emptyCheckpoint } from '../../engine/state.ts';
import { extraMetrics } from '../model/insight-metrics.ts';
import type { InstagramStream } from '../streams/stream.ts';
import { extract, type InstagramSource } from './extract.ts';
import { type ExtractContext, createListCaches } from './extraction.ts';
import { nodesOf, requestOf } from './requests.ts';
import { readListed } from './rejections.ts';

const dayMs = 86_400_000;

interface ContractProbe {
  /** The first is probed; streams of public content through the one that polls them. */
  readonly accounts: readonly [Account, ...(readonly Account[])];
  readonly streams: readonly InstagramStream[];
  /** As `OnWait` of the rate limiter; absent: a wait is not reported. */
  readonly onWait?: OnWait;
}

interface ProbeTools extends Pick<PollerTools, 'clock' | 'rateLimiter' | 'graph' | 'settings'> {
  readonly source: InstagramSource;
}

/**
 * Sends each form of request that the streams use once, for one account, through the streams' own
 * extractors: one or two calls for each form. Nothing is published.
 * @returns the result for each stream and endpoint, and one for the batch with Facebook Login
 */
export async function probeContract(
  { accounts, streams, onWait }: ContractProbe,
  tools: ProbeTools,
  signal: AbortSignal,
): Promise<readonly ProbedForm[]> {
  const nowMs = tools.clock.nowMs();
  const graphOf = (account: Account): Graph =>
    tools.rateLimiter.limit(tools.graph, {
      account,
      priority: 'backfill',
      permit: { yieldWhile: (wait) => wait },
      onWait,
    });
  const caches = createListCaches(1);
  const forms: ProbedForm[] = [];
  const common: Omit<ExtractContext, 'graph' | 'account'> = {
    ...tools.source.settings,
    checkpoint: { ...emptyCheckpoint, cursorMs: nowMs - dayMs },
    nowMs,
    cycleMs: nowMs,
    nextPollMs: null,
    startDateMs: null,
    lookbackMs: dayMs,
    pageSize: 1,
    publicContent: { ...tools.source.settings.publicContent, hashtagPages: 1 },
    caches,
    maxBatchRecords: tools.settings.maxBatchRecords,
    sleep: (ms) => tools.clock.sleep(ms, signal),
    signal,
  };
  for (const stream of streams) {
    const { request, limit } = stream;
    const account =
      limit === undefined ? accounts[0] : accounts.find((one) => isPolled(one, stream.name));
    if (account === undefined) continue;
    const edge =
      request.kind === 'comments' ? 'media' : request.kind === 'insights' && request.edge;
    const recording = record(graphOf(account));
    const context = { ...common, account, graph: recording.graph };
    await attempt(async () => {
      if (edge !== false) await noteSample(edge, context);
      const pages = extract(stream, context);
      // The first page needs every form of request; further pages repeat them.
      await pages.next();
      await pages.return();
    }, signal);
    for (const form of recording.forms(stream.name)) forms.push(form);
  }
  const [account] = accounts;
  return [...forms, ...(await probeBatch(account, graphOf(account), { tools, signal }))];
}

const firstProbeMs = 3_600_000;

interface ContractWatch {
  readonly streams: readonly { readonly stream: InstagramStream }[];
  readonly apiVersion: string | null;
  /** An account that this instance polls now; undefined for none. */
  readonly account: () => Account | undefined;
}

/** Probes an hour after the start and then daily, and reports to telemetry; until aborted. */
export async function watchContract(
  { streams, apiVersion: version, account: accountNow }: ContractWatch,
  tools: ProbeTools & Pick<PollerTools, 'telemetry'>,
  signal: AbortSignal,
): Promise<void> {
  if (version === null) return;
  for (let waitMs = firstProbeMs; await slept(waitMs, tools.clock, signal); waitMs = dayMs) {
    const account = accountNow();
    if (account === undefined) continue;
    try {
      const all = streams.map(({ stream }) => stream);
      const forms = await probeContract({ accounts: [account], streams: all }, tools, signal);
      const { answeredBy } = tools.graph;
      const accountId = account.id;
      tools.telemetry.report({ type: 'contract-probed', accountId, forms, version, answeredBy });
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }
}

/** Puts one media of each kind into the list cache, as a list scan does; most comments first. */
async function noteSample(edge: string, context: ExtractContext): Promise<void> {
  const { account, caches, graph, nowMs, signal } = context;
  const cache = caches.of(account.id, edge);
  if (cache.scannedMs !== null) return;
  const query = {
    fields: 'id,media_type,media_product_type,timestamp,comments_count',
    limit: '50',
  };
  const body = await graph.get(requestOf(`/{account}/${edge}`, query, context), signal);
  const commentsOf = (node: Node): number => Number(node['comments_count'] ?? 0);
  const sorted = nodesOf(body, []).toSorted((a, b) => commentsOf(b) - commentsOf(a));
  const byKind = Map.groupBy(sorted, (node) => readListed(node)?.kind);
  byKind.delete(undefined);
  const nodes = [...byKind.values()].flatMap((same) => same.slice(0, 1));
  cache.note({ startedMs: nowMs, whole: false, nodes });
}

async function probeBatch(
  account: Account,
  graph: Graph,
  { tools, signal }: { readonly tools: ProbeTools; readonly signal: AbortSignal },
): Promise<readonly ProbedForm[]> {
  if (tools.source.settings.login !== 'facebook') return [];
  const requests = ['id', 'username'].map((fields) =>
    requestOf('/{account}', { fields }, { account }),
  );
  const recording = record(graph);
  await attempt(async () => {
    const outcomes = recording.graph.getEach(requests, signal);
    while ((await outcomes.next()).done !== true);
  }, signal);
  const [form] = recording.forms(null);
  const areBatchesRejected = tools.graph.batchSize === 1;
  const rejection = {
    outcome: 'rejected',
    code: 'graph.refused',
    message:
      'the API takes no batches: each object is requested by itself, with more HTTP requests but the same calls and data',
  } as const;
  return form === undefined
    ? []
    : [{ ...form, endpoint: 'batch', ...(areBatchesRejected && rejection) }];
}

/** Continues with the next form after an error, which the graph has recorded. */
async function attempt(action: () => Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await action();
  } catch (error) {
    signal.throwIfAborted();
    if (!isClassifiedError(error) || error.disposition === 'stop-process') throw error;
  }
}

/** Wraps a graph to count answers and to keep the first rejection, by endpoint. */
function record(graph: Graph) {
  const tallies = new Map<string, { answered: number; rejected?: ClassifiedError }>();
  const note = (request: GraphRequest, error: unknown): void => {
    const { endpoint } = request;
    const tally = tallies.get(endpoint) ?? { answered: 0 };
    tallies.set(endpoint, tally);
    const known = isClassifiedError(error) ? error : undefined;
    if (error === undefined || (known !== undefined && isOfObject(known, request))) {
      tally.answered += 1;
    } else if (known !== undefined && rejections.includes(known.disposition)) {
      tally.rejected ??= known;
    }
  };
  return {
    graph: {
      async get(request, signal) {
        try {
          const node = await graph.get(request, signal);
          note(request, undefined);
          return node;
        } catch (error) {
          note(request, error);
          throw error;
        }
      },
      async *getEach(requests, signal) {
        for await (const outcome of graph.getEach(requests, signal)) {
          note(outcome.request, 'error' in outcome ? outcome.error : undefined);
          yield outcome;
        }
      },
    } satisfies Graph,
    forms: (stream: ProbedForm['stream']): readonly ProbedForm[] =>
      [...tallies].map(([endpoint, { answered, rejected }]) => {
        const [some, none] =
          rejected === undefined
            ? (['ok', 'unknown'] as const)
            : (['partial', 'rejected'] as const);
        const outcome = answered > 0 ? some : none;
        const { code, message } = rejected ?? { code: null, message: '' };
        return { stream, endpoint, outcome, code, message };
      }),
  };
}

/**
 * True for an error of the object or the account, which proves that the API accepts the form of
 * request. Most media lack one of the extra metrics.
 */
function isOfObject({ code }: ClassifiedError, { query }: GraphRequest): boolean {
  if (ofObjects.includes(code)) return true;
  return code === 'graph.metric-refused' && Object.hasOwn(extraMetrics, query['metric'] ?? '');
}

const ofObjects: readonly ErrorCode[] = [
  'graph.hashtag-refused',
  'graph.media-before-conversion',
  'graph.not-enough-users',
  'graph.not-enough-viewers',
  'graph.user-not-public',
];

/** The dispositions of rejections of the request itself; limits and transient errors have others. */
const rejections: readonly Disposition[] = ['skip', 'fail', 'stop-stream', 'dead-letter'];
