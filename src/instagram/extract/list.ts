import type { ListScan } from '../../engine/change-set.ts';
import { FailError } from '../../engine/errors.ts';
import { smallest } from '../../engine/extremes.ts';
import { isPeriodOver, movingCounts, storyListedMs } from '../model/freshness.ts';
import type { Node } from '../../engine/json.ts';
import { nextCursor } from './paging.ts';
import { Rejections, readListed } from './rejections.ts';
import type { ListCache } from './list-cache.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import { readPage, type ListScanContext, type ListSource } from './list-page.ts';

interface ListRequest extends Pick<ListSource, 'edge' | 'fields' | 'facebookOnly'> {
  /** Start of the last scan of the whole list, epoch milliseconds; null before the first. */
  readonly lastWholeMs: number | null;
}

/** Yields a page of nodes for each page of the edge, and the list's ids after a whole scan. */
export async function* extractList(source: ListSource, context: ExtractContext): Extraction {
  // Only a committed scan counts: the next poll yields uncommitted records again.
  const lastWholeMs = context.caches.of(context.account.id, source.edge).committedWholeMs;
  yield* scanList({ ...source, lastWholeMs }, context);
  const scanned = scannedBy(source.edge, context);
  if (scanned !== undefined) yield { nodes: [], skipped: [], coveredUntilMs: null, scanned };
}

/** Scans the list once per cycle for all streams; yields only skipped and rejected entries. */
export async function* ensureScanned(
  source: Omit<ListRequest, 'lastWholeMs'>,
  context: ExtractContext,
): Extraction {
  const { scannedMs, scannedWholeMs } = context.caches.of(context.account.id, source.edge);
  if (isOfCycle(scannedMs, context)) return;
  const scan = { ...source, lastWholeMs: scannedWholeMs };
  for await (const { skipped, rejected = [] } of scanList(scan, context)) {
    const hasEntries = skipped.length + rejected.length > 0;
    if (hasEntries) yield { nodes: [], skipped, rejected, coveredUntilMs: null };
  }
}

/** Returns the ids of the edge; undefined unless its whole list was scanned in this cycle. */
export function scannedBy(edge: ListSource['edge'], context: ExtractContext): ListScan | undefined {
  const cache = context.caches.of(context.account.id, edge);
  if (!isOfCycle(cache.scannedWholeMs, context)) return undefined;
  const present = new Set(cache.nodes.map(({ id }) => id).filter((id) => typeof id === 'string'));
  const reported = edge === 'media' ? cache.reportedCount(context.nowMs) : null;
  return {
    present,
    expired: edge === 'stories' ? expired(cache, context) : new Set(),
    claimed: reported,
    ...cutOf(cache, reported),
  };
}

/** The most entries that the API lists of an edge; each new entry displaces the oldest. */
const longestListing = 10_000;

/** Returns the earlier ids that a list cut at the API's bound must still hold; else nothing. */
function cutOf(
  { nodes, before }: Pick<ListCache, 'nodes' | 'before'>,
  reported: number | null,
): Pick<ListScan, 'beforeCut'> {
  if (nodes.length < longestListing && (reported ?? 0) <= longestListing) return {};
  const dated = (list: readonly Node[]) => list.flatMap((node) => readListed(node) ?? []);
  const oldestMs = smallest(dated(nodes).map(({ createdMs }) => createdMs ?? Infinity));
  const newer = dated(before).filter(({ createdMs }) => (createdMs ?? -Infinity) > oldestMs);
  return { beforeCut: new Set(newer.map(({ id }) => id)) };
}

/** Returns the entries of earlier scans that are too old to be listed now. */
function expired(
  { before }: Pick<ListCache, 'before'>,
  { nowMs, checkpoint: { polledMs } }: ExtractContext,
): ListScan['expired'] {
  const sinceMs = nowMs - storyListedMs;
  if (polledMs !== null && polledMs <= sinceMs) return 'all';
  const old = before.flatMap((node) => readListed(node) ?? []);
  return new Set(
    old.filter(({ createdMs }) => (createdMs ?? nowMs) <= sinceMs).map(({ id }) => id),
  );
}

/** True for a scan of this cycle. A scan in the future predates a clock that was set back. */
function isOfCycle(
  scannedMs: number | null,
  { cycleMs, nowMs }: Pick<ExtractContext, 'cycleMs' | 'nowMs'>,
): boolean {
  return scannedMs !== null && scannedMs >= cycleMs && scannedMs <= nowMs;
}

/** The bounds beyond which a list counts as endless: entries, and empty pages in a row. */
const longestList = 100_000;
const mostEmptyPages = 1000;

/**
 * Scans an edge until `paging.next` is absent, or, when the whole list is not due, until the media
 * are old. The `next` URL is never followed: it carries the token. The list cache keeps the nodes.
 * @throws DeadLetterError `graph.bad-body` when a page is not a list, or a cursor repeats;
 * FailError `graph.refused` when the list does not end
 */
async function* scanList(source: ListRequest, context: ExtractContext): Extraction {
  const cache = context.caches.of(context.account.id, source.edge);
  const untilMs = scanEnd(source, context);
  const scanned: Node[] = [];
  const seen = new Set<string>();
  const rejections = new Rejections(context.checkpoint, context.nowMs);
  const findings = { rejections, skipped: [], rejected: [] };
  const scanning: ListScanContext = { source, context, cache, ...findings };
  let after: string | undefined;
  let lastId: string | undefined;
  let whole = true;
  let emptyPages = 0;
  do {
    const before = scanning.skipped.length;
    const { body, nodes, withheld } = await readPage(scanning, { after, lastId });
    for (const node of nodes) scanned.push(cachedNode(node));
    const rejected = scanning.rejected.splice(0);
    // A node without an id may be any known node, so no node counts as deleted.
    if (rejected.length > 0 || nodes.some((node) => idOf(node) === undefined)) whole = false;
    yield {
      nodes: nodes.filter((node) => !withheld.has(idOf(node) ?? '')),
      skipped: scanning.skipped.slice(before),
      rejected,
      learned: rejections.learned,
      coveredUntilMs: null,
    };
    after = nextCursor(body, seen);
    lastId = idOf(nodes.at(-1));
    emptyPages = nodes.length === 0 ? emptyPages + 1 : 0;
    if (scanned.length > longestList || emptyPages > mostEmptyPages) {
      throw endless(source.edge, `${scanned.length} entries and ${emptyPages} empty pages`);
    }
    if (after !== undefined && isOld(nodes, untilMs)) {
      whole = false;
      break;
    }
  } while (after !== undefined);
  cache.note({ startedMs: context.nowMs, whole, nodes: scanned });
}

function endless(edge: string, after: string): FailError {
  return new FailError(
    'graph.refused',
    `/{account}/${edge}: the list has no end after ${after}; it is read again at the next interval`,
  );
}

function idOf(node: Node | undefined): string | undefined {
  const id = node?.['id'];
  return typeof id === 'string' ? id : undefined;
}

/** Returns the time at which a scan may end; stories, which are few, are always scanned whole. */
function scanEnd({ edge, lastWholeMs: lastMs }: ListRequest, context: ExtractContext): number {
  const { account, nowMs, freshness } = context;
  const isDue = isPeriodOver(account.id, freshness.wholeListMs, { nowMs, lastMs });
  const whole = edge === 'stories' || isDue;
  return whole ? -Infinity : nowMs - freshness.newestMs;
}

/** True when the last node is old; lists are newest first, so all nodes after it are old too. */
function isOld(nodes: readonly Node[], untilMs: number): boolean {
  const last = nodes.at(-1);
  const createdMs = last === undefined ? undefined : readListed(last)?.createdMs;
  return typeof createdMs === 'number' && createdMs < untilMs;
}

/** The fields of a media that the other streams of the list need. */
const cachedFields = new Set([
  'id',
  'media_type',
  'media_product_type',
  'timestamp',
  ...movingCounts,
]);

function cachedNode(node: Node): Node {
  return Object.fromEntries(Object.entries(node).filter(([name]) => cachedFields.has(name)));
}
