import { readOrReject } from '../../engine/dead-letters.ts';
import { type DeadLetterError, SkipError, type Skipped } from '../../engine/errors.ts';
import type { Source } from '../../engine/source.ts';
import type { WebhookChange } from '../../engine/webhooks.ts';
import { fieldsParameter } from '../model/fields.ts';
import { dataOf } from '../model/metric-values.ts';
import {
  type ByKind,
  type InstagramStream,
  type RequestOf,
  type StreamRequest,
  callByKind,
} from '../streams/stream.ts';
import {
  createListCaches,
  type ExtractContext,
  type Extraction,
  type PublicContent,
  type SourceSettings,
} from './extraction.ts';
import { commentChanges } from './comment-changes.ts';
import { extractComments } from './comments.ts';
import { extractSeries, extractTotals } from './daily.ts';
import { extractDiscovered } from './discovery.ts';
import { extractHashtags } from './hashtags.ts';
import { extractInsights } from './insights.ts';
import { extractList } from './list.ts';
import { extractStoryInsights, storyChanges } from './story-finals.ts';
import { childrenCache, extractMediaChildren } from './media-children.ts';
import { mentionChanges } from './mentions.ts';
import { requestOf, isOfAccount, withoutRejectedFields } from './requests.ts';

/** Size of a list's first page, nodes; each success doubles it, up to the configured size. */
const firstPageSize = 50;

export interface InstagramSource extends Source {
  readonly settings: SourceSettings;
  /** Changes the lists of public content, from the next poll on. */
  setPublicContent(changes: Partial<PublicContent>): void;
}

export function createSource(settings: SourceSettings): InstagramSource {
  const caches = createListCaches(Math.min(firstPageSize, settings.pageSize));
  let current = settings;
  return {
    get settings() {
      return current;
    },
    setPublicContent(changes) {
      current = { ...current, publicContent: { ...current.publicContent, ...changes } };
    },
    // The engine passes back the stream declarations of this source.
    pages: ({ stream, ...poll }) =>
      extract(stream as InstagramStream, { ...current, ...poll, caches }),
    markListPublished({ stream, account, nowMs }) {
      const { request } = stream as InstagramStream;
      if (request.kind === 'list') caches.of(account.id, request.edge).committedWholeMs = nowMs;
      if (request.kind === 'children') childrenCache(caches, account.id).committedWholeMs = nowMs;
    },
  };
}

const extractors: ByKind<[context: ExtractContext], Extraction> = {
  object: extractObject,
  list: extractList,
  children: extractMediaChildren,
  insights: (request, context) =>
    request.edge === 'stories'
      ? extractStoryInsights(request, context)
      : extractInsights(request, context),
  comments: extractComments,
  mentions: extractNothing,
  series: extractSeries,
  totals: extractTotals,
  breakdowns: extractBreakdowns,
  public: extractPublic,
};

/** Yields the pages of a stream. @throws as `Graph.get`, except errors that count as skipped */
export function extract({ request }: InstagramStream, context: ExtractContext): Extraction {
  const { changes } = context;
  if (changes !== undefined) return extractChanges(request, changes, context);
  return callByKind(extractors, request, context);
}

/** Yields what the changes of webhooks report. */
async function* extractChanges(
  request: StreamRequest,
  changes: readonly WebhookChange[],
  context: ExtractContext,
): Extraction {
  if (request.kind === 'comments') yield* commentChanges(request, changes, context);
  if (request.kind === 'mentions') yield await mentionChanges(request, changes, context);
  if (request.kind === 'insights') yield storyChanges(changes, context);
}

async function* extractNothing(): Extraction {
  // Webhooks alone name the objects of the stream.
}

function extractPublic(source: RequestOf<'public'>, context: ExtractContext): Extraction {
  return source.of === 'hashtags'
    ? extractHashtags(source, context)
    : extractDiscovered(source, context);
}

/** Yields one node: the account itself. */
async function* extractObject(source: RequestOf<'object'>, context: ExtractContext): Extraction {
  const { account, caches, graph, nowMs, signal } = context;
  const skipped: Skipped[] = [];
  const node = await withoutRejectedFields(skipped, (excluded) => {
    const query = { fields: fieldsParameter(source.fields, excluded) };
    return graph.get(requestOf('/{account}', query, context), signal);
  });
  const count = node['media_count'];
  if (typeof count === 'number') caches.of(account.id, 'media').noteReportedCount(count, nowMs);
  yield { nodes: [node], skipped, coveredUntilMs: null };
}

/** Sends one request for each breakdown; each node is the metric plus the breakdown's name. */
async function* extractBreakdowns(
  { metric, period, breakdowns, timeframe }: RequestOf<'breakdowns'>,
  context: ExtractContext,
): Extraction {
  const page = { coveredUntilMs: null };
  for (const breakdown of breakdowns) {
    const query = {
      metric,
      period,
      metric_type: 'total_value',
      breakdown,
      ...(timeframe === undefined ? {} : { timeframe }),
    };
    const request = requestOf('/{account}/insights', query, context);
    try {
      const body = await context.graph.get(request, context.signal);
      const rejected: DeadLetterError[] = [];
      const entries = readOrReject(rejected, () => dataOf(body, body, rejected)) ?? [];
      const nodes = entries.map((node) => ({ ...node, breakdown }));
      yield { ...page, nodes, skipped: [], rejected };
    } catch (error) {
      if (!(error instanceof SkipError) || isOfAccount(error)) throw error;
      yield { ...page, nodes: [], skipped: [{ reason: error.code, subject: breakdown }] };
    }
  }
}
