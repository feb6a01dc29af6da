import type { ListScan } from '../../engine/change-set.ts';
import { FailError, isTooMuchData, SkipError } from '../../engine/errors.ts';
import { smallest } from '../../engine/extremes.ts';
import { keyNumber } from '../../engine/fingerprint.ts';
import type { Node } from '../../engine/json.ts';
import { fieldsParameter, pathsOf } from '../model/fields.ts';
import { isPeriodOver, movingCounts, storyListedMs } from '../model/freshness.ts';
import type { RequestOf } from '../streams/stream.ts';
import { hasBrokenAlbum, withChildren, type ChildrenPoll, type Nested } from './children.ts';
import type { ExtractContext, Extraction, ListCache } from './extraction.ts';
import { nextCursor, nodesOf, requestOf, withoutRejectedFields } from './requests.ts';
import { Rejections, readListed } from './rejections.ts';

type ListSource = RequestOf<'list'>;

interface ListRequest extends Pick<ListSource, 'edge' | 'fields' | 'facebookOnly'> {
  readonly cache: ListCache;
  /** Start of the last scan of the whole list, epoch milliseconds; null before the first. */
  readonly lastWholeMs: number | null;
}

/** Yields a page of nodes for each page of the edge, and the list's ids after a whole scan. */
export async function* extractList(source: ListSource, context: ExtractContext): Extraction {
  const cache = context.caches.of(context.account.id, source.edge);
  // Only a committed scan counts: the next poll yields uncommitted records again.
  yield* scanList({ ...source, cache, lastWholeMs: cache.committedWholeMs }, context);
  const scanned = scannedBy(source.edge, context);
  if (scanned !== undefined) yield { nodes: [], skipped: [], coveredUntilMs: null, scanned };
}

/** Scans the list once per cycle for all streams; yields only skipped and rejected entries. */
export async function* ensureScanned(
  source: Omit<ListRequest, 'cache' | 'lastWholeMs'>,
  context: ExtractContext,
): Extraction {
  const cache = context.caches.of(context.account.id, source.edge);
  if (isOfCycle(cache.scannedMs, context)) return;
  const scan = { ...source, cache, lastWholeMs: cache.scannedWholeMs };
  for await (const { skipped, rejected = [] } of scanList(scan, context)) {
    const hasEntries = skipped.length + rejected.length > 0;
    if (hasEntries) yield { nodes: [], skipped, rejected, coveredUntilMs: null };
  }
}

/** Returns the ids of the edge; undefined unless its whole list was scanned in this cycle. */
export function scannedBy(edge: string, context: ExtractContext): ListScan | undefined {
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
export function cutOf(
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
export function isOfCycle(
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
export async function* scanList(source: ListRequest, context: ExtractContext): Extraction {
  const { cache } = source;
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
      checkpointUpdate: rejections.checkpointUpdate,
      coveredUntilMs: null,
    };
    after = nextCursor(body, seen);
    lastId = idOf(nodes.at(-1));
    emptyPages = nodes.length === 0 ? emptyPages + 1 : 0;
    if (scanned.length > longestList || emptyPages > mostEmptyPages) {
      throw new FailError(
        'graph.refused',
        `/{account}/${source.edge}: the list has no end after ${scanned.length} entries and ${emptyPages} empty pages; it is read again at the next interval`,
      );
    }
    if (after !== undefined && isOld(nodes, untilMs)) {
      whole = false;
      break;
    }
  } while (after !== undefined);
  cache.note({ startedMs: context.nowMs, whole, nodes: scanned });
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
export function isOld(nodes: readonly Node[], untilMs: number): boolean {
  const last = nodes.at(-1);
  const createdMs = last === undefined ? undefined : readListed(last)?.createdMs;
  return typeof createdMs === 'number' && createdMs < untilMs;
}

/** The fields of a media that the other streams of the list need. */
export const cachedFields: ReadonlySet<string> = new Set([
  'id',
  'media_type',
  'media_product_type',
  'timestamp',
  ...movingCounts,
]);

function cachedNode(node: Node): Node {
  return Object.fromEntries(Object.entries(node).filter(([name]) => cachedFields.has(name)));
}

/** The context of a list scan, and the findings from its answers. */
interface ListScanContext extends ChildrenPoll {
  readonly source: Pick<ListSource, 'edge' | 'fields' | 'facebookOnly'>;
}

interface PageStart {
  readonly after: string | undefined;
  /** The id of the node before the page; undefined for the first page. */
  readonly lastId: string | undefined;
}

interface ReadPage {
  readonly body: Node;
  readonly nodes: readonly Node[];
  /** Ids of published nodes that now lack their children; a scan does not yield them. */
  readonly withheld: ReadonlySet<string>;
}

/** Reads a page without rejected fields and unreadable children. @throws as `adaptedPage` */
async function readPage(scanning: ListScanContext, start: PageStart): Promise<ReadPage> {
  const nested = nestedOf(scanning.source);
  const { body, form, fault } = await adaptedPage(scanning, start);
  const nodes = nodesOf(body, scanning.rejected);
  const withheld = new Set<string>();
  if (nested === undefined || form === 'whole') return { body, nodes, withheld };
  if (form === 'bare') return { body, nodes, withheld: noteBareNodes(nodes, fault, scanning) };
  return { body, nodes: await withChildren(nodes, nested, scanning), withheld };
}

/**
 * Counts nodes listed without children. @returns the ids of those published before, with children
 */
function noteBareNodes(
  nodes: readonly Node[],
  fault: SkipError | undefined,
  { skipped, context: { checkpoint } }: ListScanContext,
): ReadonlySet<string> {
  const ids = nodes.map(({ id }) => id).filter((id) => typeof id === 'string');
  for (const id of ids) skipped.push({ reason: fault?.code ?? 'graph.gone', subject: id });
  return new Set(ids.filter((id) => checkpoint.published.has(keyNumber(id))));
}

/** Returns the one list of objects among the fields. */
function nestedOf({ fields }: ListScanContext['source']): Nested | undefined {
  for (const [name, { field }] of Object.entries(fields)) {
    if (field.kind === 'list') return { name, fields: field.fields };
  }
  return undefined;
}

/**
 * The form in which a page requests the children of its nodes: with all their fields (`whole`), by
 * their ids alone (`ids`), or not at all (`bare`). One child that cannot be read fails a page that
 * requests more than ids.
 */
type PageForm = 'whole' | 'ids' | 'bare';

/** The first pause after a page that was too large, and the longest, milliseconds. */
const firstPauseMs = 500;
const longestPauseMs = 8000;

/**
 * Requests a page, and a smaller one when the API answers "Please reduce the amount of data". That
 * error also depends on the API's load (observed 2026-07), so pages are spaced by pauses as well.
 * When a child cannot be read, the page requests children by their ids alone. If that fails too,
 * the page shrinks to one node, which is in the end requested without children. Cursors name items,
 * not offsets, so a smaller page continues at the same place.
 * @throws RetryError `graph.too-much-data` when even one node is too large
 */
async function adaptedPage(scanning: ListScanContext, start: PageStart) {
  const { context, cache } = scanning;
  const isBroken = nestedOf(scanning.source) !== undefined && hasBrokenAlbum(cache, start.lastId);
  let form: PageForm = isBroken ? 'ids' : 'whole';
  let fault: SkipError | undefined;
  for (;;) {
    const limit = cache.page.size;
    if (cache.pauseMs > 0) await context.sleep(cache.pauseMs);
    try {
      const body = await requestPage(scanning, { after: start.after, limit, form });
      grow(cache, context);
      return { body, form, fault };
    } catch (error) {
      if (mayBeOfChild(error, form, scanning)) {
        fault = error;
        const next = formAfter(form, limit);
        if (next === form) cache.page.halve();
        form = next;
      } else if (isTooMuchData(error) && limit > 1) shrink(cache, context.nowMs);
      else throw error;
    }
  }
}

function grow(cache: ListCache, { pageSize, nowMs }: ExtractContext): void {
  cache.page.accept(pageSize, nowMs);
  cache.pauseMs = cache.pauseMs > firstPauseMs ? cache.pauseMs / 2 : 0;
}

/** Shrinks the next page after one that was too large, and lengthens the pause before it. */
function shrink(cache: ListCache, nowMs: number): void {
  cache.page.refuse(nowMs);
  cache.pauseMs = Math.min(Math.max(cache.pauseMs * 2, firstPauseMs), longestPauseMs);
}

/** Returns the next form; `bare` once even the children of one node fail by their ids. */
function formAfter(form: PageForm, limit: number): PageForm {
  if (form === 'whole') return 'ids';
  return limit === 1 ? 'bare' : form;
}

/** True when an object is gone that is not the account itself. */
function mayBeOfChild(
  error: unknown,
  form: PageForm,
  { source, context: { account } }: ListScanContext,
): error is SkipError {
  return (
    nestedOf(source) !== undefined &&
    form !== 'bare' &&
    error instanceof SkipError &&
    (error.code === 'graph.ambiguous' || error.code === 'graph.gone') &&
    !error.subjects.includes(account.id)
  );
}

interface PageRequest {
  readonly after: string | undefined;
  readonly limit: number;
  readonly form: PageForm;
}

function requestPage(
  { source, context, skipped }: ListScanContext,
  { after, limit, form }: PageRequest,
): Promise<Node> {
  const { graph, login, signal } = context;
  const get = (excluded: ReadonlySet<string>): Promise<Node> => {
    const names = login === 'instagram' ? (source.facebookOnly ?? []) : [];
    const unknown = names.flatMap((name) => [name, ...pathsOf(name, source.fields)]);
    const query = {
      fields: fieldsOf(source, form, new Set([...unknown, ...excluded])),
      limit: String(form === 'bare' ? 1 : limit),
      ...(after === undefined ? {} : { after }),
    };
    return graph.get(requestOf(`/{account}/${source.edge}`, query, context), signal);
  };
  return withoutRejectedFields(skipped, get, form === 'whole' ? source.fields : {});
}

function fieldsOf(
  source: ListScanContext['source'],
  form: PageForm,
  excluded: ReadonlySet<string>,
): string {
  const nested = nestedOf(source);
  if (nested === undefined || form === 'whole') return fieldsParameter(source.fields, excluded);
  const fields = fieldsParameter(source.fields, new Set([...excluded, nested.name]));
  const areIdsRequested = form === 'ids' && !excluded.has(nested.name);
  return areIdsRequested ? `${fields},${nested.name}{id}` : fields;
}
