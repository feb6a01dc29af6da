import type { Walked } from '../../core/changes.ts';
import type { DeadLetterError } from '../../core/errors.ts';
import {
  isConnectorError,
  StopAccountError,
  StopProcessError,
  WaitError,
} from '../../core/errors.ts';
import { isDue } from '../../core/freshness.ts';
import type { Node } from '../../core/json.ts';
import { nextCursor } from '../../core/paging.ts';
import { everything, holds, metricsFor, readListed } from '../../core/refusals.ts';
import type { Stream } from '../../core/stream.ts';
import type { Catalog } from '../catalog.ts';
import type { ExtractContext, Extraction, Page, Skipped } from '../extraction.ts';
import { readPage } from './list-page.ts';
import type { ReadPage, Walking } from './list-page.ts';

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
  for await (const { skipped, rejected } of walkList(walk, context)) {
    const isWhole = skipped.length === 0 && rejected.length === 0;
    if (!isWhole) yield { nodes: [], skipped, rejected, coveredUntilMs: null };
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
  readonly rejected: readonly DeadLetterError[];
  /** What is refused as of this page, where that is news. */
  readonly learned?: NonNullable<Page['learned']>;
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
  const seen = new Set<string>();
  const rejected: DeadLetterError[] = [];
  const walking: Walking = { source, context, catalog, left: [], rejected, memory: context.memory };
  let after: string | undefined;
  let lastId: string | undefined;
  let whole = true;
  let along = nestedInsights(source.edge, context);
  do {
    const before = walking.left.length;
    const at = { after, lastId };
    const page = await readPage(walking, { ...at, along }).catch((error: unknown) => {
      // All or nothing: one story under five viewers refuses the insights of all, and so the list.
      if (along === '' || !mayBeInsights(error)) throw error;
      along = '';
      return readPage(walking, { ...at, along });
    });
    walked.push(...page.nodes.map(catalogued));
    // A node without an id may be any of those that are known, so none of them is taken for gone.
    if (rejected.length > 0 || page.nodes.some((node) => idOf(node) === undefined)) whole = false;
    const skipped = walking.left.slice(before);
    yield { ...pageOf(page, along), skipped, rejected: rejected.splice(0), ...learnedBy(walking) };
    after = nextCursor(page.body, seen);
    lastId = idOf(page.nodes.at(-1));
    if (after !== undefined && isOld(page.nodes, untilMs)) {
      whole = false;
      break;
    }
  } while (after !== undefined);
  catalog.note({ startedMs: context.nowMs, whole, nodes: walked });
}

function pageOf({ nodes, withheld }: ReadPage, along: string): Pick<ListedPage, 'nodes'> {
  const open = nodes.filter((node) => !withheld.has(idOf(node) ?? ''));
  return { nodes: along === '' ? open : open.map(withoutInsights) };
}

function learnedBy({ memory, context }: Walking): Pick<ListedPage, 'learned'> {
  const { refusals, convertedMs } = memory;
  return memory === context.memory ? {} : { learned: { refusals, convertedMs } };
}

function idOf(node: Node | undefined): string | undefined {
  const id = node?.['id'];
  return typeof id === 'string' ? id : undefined;
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

/** A listed node without the insights that came along with it. */
export function withoutInsights(node: Node): Node {
  return Object.fromEntries(Object.entries(node).filter(([name]) => name !== 'insights'));
}
