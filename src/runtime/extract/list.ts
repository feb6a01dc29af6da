import type { Walked } from '../../core/changes.ts';
import {
  DeadLetterError,
  isConnectorError,
  StopAccountError,
  StopProcessError,
  WaitError,
} from '../../core/errors.ts';
import { fieldsParameter } from '../../core/fields.ts';
import { isDue } from '../../core/freshness.ts';
import type { Json, Node } from '../../core/json.ts';
import { describeJson, isNode } from '../../core/json.ts';
import { nextCursor } from '../../core/paging.ts';
import { everything, holds, metricsFor, readListed } from '../../core/refusals.ts';
import type { Stream } from '../../core/stream.ts';
import type { Catalog } from '../catalog.ts';
import type { ExtractContext, Extraction, Skipped } from '../extraction.ts';
import { adaptedPage } from './page-size.ts';
import { withoutRefusedFields } from './refusals.ts';

type ListSource = Extract<Stream['source'], { kind: 'list' }>;

/** What is walked and which of its fields are asked. */
export interface WalkSource extends Pick<ListSource, 'edge' | 'fields' | 'facebookOnly'> {
  /** When whoever walks last had the whole list, epoch milliseconds; null for never. */
  readonly lastWholeMs: number | null;
}

/** A page of nodes for each page of the edge; the last one says what there is, if all was walked. */
export async function* extractList(source: ListSource, context: ExtractContext): Extraction {
  // A walk whose records were not committed is no walk: the next try must bring them again.
  const lastWholeMs = context.catalogs.of(context.account.id, source.edge).committedWholeMs;
  const walk = walkList({ ...source, lastWholeMs }, context);
  for await (const page of walk) yield { ...page, coveredUntilMs: null };
  const walked = walkedBy(source.edge, context);
  if (walked !== undefined) yield { nodes: [], skipped: [], coveredUntilMs: null, walked };
}

/** Walks the list, unless another stream has done so in this round; a page for each that left something out. */
export async function* ensureWalked(
  source: Omit<WalkSource, 'lastWholeMs'>,
  context: ExtractContext,
): Extraction {
  const { walkedMs, walkedWholeMs } = context.catalogs.of(context.account.id, source.edge);
  if (isOfRound(walkedMs, context)) return;
  const walk = { ...source, lastWholeMs: walkedWholeMs };
  for await (const { skipped } of walkList(walk, context)) {
    if (skipped.length > 0) yield { nodes: [], skipped, coveredUntilMs: null };
  }
}

/** What there is on the edge, when its whole list was walked in this round. */
export function walkedBy(edge: ListSource['edge'], context: ExtractContext): Walked | undefined {
  const catalog = context.catalogs.of(context.account.id, edge);
  if (!isOfRound(catalog.walkedWholeMs, context)) return undefined;
  const present = new Set(catalog.nodes.map(({ id }) => id).filter((id) => typeof id === 'string'));
  const claimed = edge === 'media' ? catalog.claimed(context.nowMs) : null;
  return { present, expired: edge === 'stories' ? expired(catalog, context) : new Set(), claimed };
}

/** A story is listed for a day; by another clock than ours. */
const storyListedMs = 24 * 3_600_000 - 5 * 60_000;

/** What was listed before, or was when last polled, and is too old to be listed now. */
function expired(
  { before }: Pick<Catalog, 'before'>,
  { nowMs, memory: { polledMs } }: ExtractContext,
): Walked['expired'] {
  const sinceMs = nowMs - storyListedMs;
  if (polledMs !== null && polledMs <= sinceMs) return 'all';
  const old = before.flatMap((node) => readListed(node) ?? []);
  return new Set(
    old.filter(({ createdMs }) => (createdMs ?? nowMs) <= sinceMs).map(({ id }) => id),
  );
}

/** Whether a walk belongs to this round; one ahead of now was by a clock that has been set back. */
function isOfRound(
  walkedMs: number | null,
  { roundMs, nowMs }: Pick<ExtractContext, 'roundMs' | 'nowMs'>,
): boolean {
  return walkedMs !== null && walkedMs >= roundMs && walkedMs <= nowMs;
}

/** One page of an edge. */
export interface ListedPage {
  readonly nodes: readonly Node[];
  readonly skipped: readonly Skipped[];
}

/**
 * Walks an edge by its cursors until `paging.next` is absent, or, when the whole list is not due,
 * until the media are old. The `next` URL itself is never followed: it carries the token. A page may
 * be short or empty and still have a next one. What was found is noted in the catalog.
 *
 * @throws DeadLetterError `graph.bad-body` when a page is not a list, or the cursors go in a circle
 */
async function* walkList(
  source: WalkSource,
  context: ExtractContext,
): AsyncGenerator<ListedPage, void, undefined> {
  const catalog = context.catalogs.of(context.account.id, source.edge);
  const untilMs = oldestWanted(source, context);
  const walked: Node[] = [];
  const left: Skipped[] = [];
  const seen = new Set<string>();
  let after: string | undefined;
  let whole = true;
  let along = nestedInsights(source.edge, context);
  do {
    const before = left.length;
    const ask = (nested: string) => askPage({ ...source, nested }, after, { context, left });
    const body = await ask(along).catch((error: unknown) => {
      // All or nothing: one story under five viewers refuses the insights of all, and so the list.
      if (along === '' || !mayBeInsights(error)) throw error;
      along = '';
      return ask(along);
    });
    const nodes = nodesOf(body);
    walked.push(...nodes.map(catalogued));
    yield { nodes: along === '' ? nodes : nodes.map(withoutInsights), skipped: left.slice(before) };
    after = nextCursor(body, seen);
    if (after !== undefined && isOld(nodes, untilMs)) {
      whole = false;
      break;
    }
  } while (after !== undefined);
  catalog.note({ startedMs: context.nowMs, whole, nodes: walked });
}

/**
 * Insights that are asked with the list itself, for the stream that is polled next: stories only,
 * which all have the same metrics, and only while none of them is known to refuse.
 */
function nestedInsights(edge: ListSource['edge'], context: ExtractContext): string {
  const next = edge === 'stories' ? context.alongside[0] : undefined;
  if (next?.stream.source.kind !== 'insights') return '';
  const { memory } = next;
  const { nowMs } = context;
  const refusing = memory.refusals.some((one) => one.metric === null && holds(one, nowMs));
  const [group] = next.stream.source.groups({}, context.login);
  const metrics = metricsFor(group?.metrics ?? [], [everything], { memory, nowMs });
  return refusing || metrics.length === 0 ? '' : `insights.metric(${metrics.join(',')})`;
}

/** Whatever fails may be the insights' fault, but a limit, and what ends the account or the process. */
function mayBeInsights(error: unknown): boolean {
  const isOthers =
    error instanceof WaitError ||
    error instanceof StopAccountError ||
    error instanceof StopProcessError;
  return isConnectorError(error) && !isOthers;
}

/** Stories are few; the whole list of media is walked when its turn has come. */
function oldestWanted({ edge, lastWholeMs: lastMs }: WalkSource, context: ExtractContext): number {
  const { account, nowMs, freshness } = context;
  const tiers = [{ untilAgeMs: Infinity, everyMs: freshness.wholeListMs }];
  const whole =
    edge === 'stories' || isDue({ id: account.id, createdMs: null }, { nowMs, lastMs }, tiers);
  return whole ? -Infinity : nowMs - freshness.newestMs;
}

/** Lists are newest first: where one is old, all behind it are. */
function isOld(nodes: readonly Node[], untilMs: number): boolean {
  const last = nodes.at(-1);
  const createdMs = last === undefined ? undefined : readListed(last)?.createdMs;
  return typeof createdMs === 'number' && createdMs < untilMs;
}

/** What the other streams of the list need to know of a media. */
function catalogued(node: Node): Node {
  const { id, media_type: type, media_product_type: product, timestamp, insights } = node;
  const { comments_count: comments } = node;
  return {
    ...(id !== undefined && { id }),
    ...(type !== undefined && { media_type: type }),
    ...(product !== undefined && { media_product_type: product }),
    ...(timestamp !== undefined && { timestamp }),
    ...(comments !== undefined && { comments_count: comments }),
    ...(insights !== undefined && { insights }),
  };
}

interface Asking {
  readonly context: ExtractContext;
  /** What was left out so far. */
  readonly left: Skipped[];
}

/** A listed node without the insights that came along with it. */
export function withoutInsights(node: Node): Node {
  return Object.fromEntries(Object.entries(node).filter(([name]) => name !== 'insights'));
}

function askPage(
  source: WalkSource & { readonly nested: string },
  after: string | undefined,
  { context, left }: Asking,
) {
  const { graph, account, signal } = context;
  const unknown = context.login === 'instagram' ? (source.facebookOnly ?? []) : [];
  const lists = Object.entries(source.fields).filter(([, { field }]) => field.kind === 'list');
  const nested = lists.map(([name]) => name);
  // Where insights along with it are too much, the page is asked without them and keeps its size.
  const halves = source.nested === '';
  return adaptedPage({ context, edge: source.edge, nested, left, halves }, (limit, without) =>
    withoutRefusedFields(left, (refused) =>
      graph.get(
        {
          endpoint: `/{account}/${source.edge}`,
          path: `/${account.id}/${source.edge}`,
          query: {
            fields: [
              fieldsParameter(source.fields, new Set([...unknown, ...refused, ...without])),
              ...(source.nested === '' ? [] : [source.nested]),
            ].join(','),
            limit: String(limit),
            ...(after === undefined ? {} : { after }),
          },
          accountId: account.id,
        },
        signal,
      ),
    ),
  );
}

/**
 * The entries of a page.
 *
 * @throws DeadLetterError `graph.bad-body` when it is not a list of objects
 */
export function nodesOf(body: Node): readonly Node[] {
  const data = body['data'];
  if (!Array.isArray(data)) return refuse('data', data, body);
  return (data as readonly Json[]).map((item, index) =>
    isNode(item) ? item : refuse(`data[${index}]`, item, body),
  );
}

function refuse(path: string, came: Json | undefined, body: Node): never {
  throw new DeadLetterError(
    'graph.bad-body',
    `field "${path}": not a list of objects, got ${describeJson(came)}`,
    {
      path,
      raw: JSON.stringify({ ...body, paging: null }),
    },
  );
}
