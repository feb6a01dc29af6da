import { readOrReject } from '../../engine/dead-letters.ts';
import { type DeadLetterError, FailError, SkipError, type Skipped } from '../../engine/errors.ts';
import { type Json, type Node, isNode } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { CommentsReading } from '../../engine/state.ts';
import { commentNode, writtenAt } from '../model/comments.ts';
import { type Fields, fieldsParameter } from '../model/fields.ts';
import { excludeCulprits, type FailedObject, type Listed, type Rejections } from './rejections.ts';
import type { ExtractContext } from './extraction.ts';
import {
  cursorOf,
  nextCursor,
  nodesOf,
  requestOf,
  outcomesOf,
  excludedFields,
  noteRejectedFields,
  withoutRejectedFields,
} from './requests.ts';

/** The most comments that the API returns in one page. */
export const commentsPage = 50;
/** A list of comments with more pages counts as endless: a million comments (Invariant 10). */
const mostPages = 20_000;

export interface DueMedia {
  readonly listed: Listed;
  /** Its `comments_count` in the list. */
  readonly count: number;
}

export interface CommentsPoll {
  readonly context: ExtractContext;
  readonly fields: Fields;
  readonly rejections: Rejections;
  readonly skipped: Skipped[];
  readonly rejected: DeadLetterError[];
}

/** The page at which this poll starts to read a media's comments. */
export interface FirstPage {
  readonly body: Node;
  /** The cursor of the request; null for the first page of the list. */
  readonly after: string | null;
}

export interface CommentsPage {
  readonly comments: readonly Node[];
  /** The cursor before the page; null for the first. */
  readonly after: string | null;
}

/**
 * Requests each media's first page: the start, or where an unfinished reading continues. A media
 * that is rejected while others are answered is excluded. `all` are the due media, for control
 * samples.
 * @throws as `Graph.getEach`; the first error when neither a media nor a control sample is answered
 */
export async function firstPages(
  due: readonly DueMedia[],
  all: readonly DueMedia[],
  poll: CommentsPoll,
): Promise<ReadonlyMap<DueMedia, FirstPage>> {
  const { pages, failed } = await getPages(due, poll);
  const requested = new Set(due);
  await excludeCulprits(failed, poll, {
    isAnswered: pages.size > 0,
    controls: all.filter((one) => !requested.has(one)),
    areAnswered: async (some) => (await getPages(some, poll)).pages.size > 0,
  });
  return pages;
}

async function getPages(due: readonly DueMedia[], poll: CommentsPoll) {
  const { reading } = poll.context.checkpoint;
  const pages = new Map<DueMedia, FirstPage>();
  const failed: FailedObject[] = [];
  let open = due.map((media) => {
    return { media, after: reading?.mediaId === media.listed.id ? reading.after : null };
  });
  while (open.length > 0) {
    const excluded = excludedFields(poll.skipped);
    const requests = new Map(
      open.map((one) => {
        const list = { id: one.media.listed.id, edge: 'comments' } as const;
        return [commentsRequest(list, one.after, poll, excluded), one] as const;
      }),
    );
    const repeated: typeof open = [];
    for await (const [one, outcome] of outcomesOf(requests, poll.context)) {
      const { media, after } = one;
      if ('node' in outcome) pages.set(media, { body: outcome.node, after });
      else if (noteRejectedFields(outcome.error, excluded, poll.skipped)) repeated.push(one);
      // The cursor is too old: read the media's comments from the beginning.
      else if (after !== null) repeated.push({ media, after: null });
      else failed.push({ listed: media.listed, error: outcome.error });
    }
    open = repeated;
  }
  return { pages, failed };
}

interface CommentList {
  readonly id: string;
  readonly edge: 'comments' | 'replies';
}

function commentsRequest(
  { id, edge }: CommentList,
  after: string | null,
  { fields, context }: CommentsPoll,
  excluded: ReadonlySet<string>,
): GraphRequest {
  const isReplies = edge === 'replies';
  const query = {
    fields: isReplies ? fieldsParameter(fields, excluded) : commentFields(fields, excluded),
    limit: String(commentsPage),
    ...(after === null ? {} : { after }),
  };
  return requestOf(isReplies ? '/{comment}/replies' : '/{media}/comments', query, context, id);
}

export function commentFields(fields: Fields, excluded: ReadonlySet<string> = new Set()): string {
  const plain = fieldsParameter(fields, excluded);
  return `${plain},replies.limit(${commentsPage}){${plain}}`;
}

interface ReadingLists {
  readonly poll: CommentsPoll;
  /** Called when a list ends early because the API rejects one of its pages. */
  readonly onCut: () => void;
}

/**
 * Yields the pages of a media's comments from `first` on, newest first. When the cursor of a
 * reading is too old, they start at the beginning, without the comments that the reading has
 * published.
 * @throws as `Graph.get`, except SkipError; FailError `graph.refused` when the list does not end
 */
export async function* pagesFrom(
  mediaId: string,
  first: FirstPage,
  { lists, resumed }: { readonly lists: ReadingLists; readonly resumed: CommentsReading | null },
): AsyncGenerator<CommentsPage, void, undefined> {
  const isRestarted = resumed !== null && first.after !== resumed.after;
  const isRead = (comment: Node): boolean =>
    isRestarted && (writtenAt(comment) ?? -Infinity) > (resumed.oldestMs ?? Infinity);
  let { after } = first;
  for await (const body of bodiesFrom({ id: mediaId, edge: 'comments' }, first.body, lists)) {
    yield { comments: commentsOf(body, lists).filter((comment) => !isRead(comment)), after };
    after = cursorOf(body) ?? null;
  }
}

/** Returns the comments of a page; none when `data` is not a list, which becomes a dead letter. */
function commentsOf(body: Node, { poll: { rejected } }: ReadingLists): readonly Node[] {
  return readOrReject(rejected, () => nodesOf(body, rejected)) ?? [];
}

/** Yields a comment, then its replies page by page, each as a node of its own. */
export async function* threadOf(
  mediaId: string,
  comment: Node,
  lists: ReadingLists,
): AsyncGenerator<readonly Node[], void, undefined> {
  yield [commentNode(comment, mediaId)];
  const expanded = firstReplies(comment['replies']);
  if (expanded === undefined) return;
  const id = typeof comment['id'] === 'string' ? comment['id'] : '';
  for await (const body of bodiesFrom({ id, edge: 'replies' }, expanded, lists)) {
    yield commentsOf(body, lists).map((reply) => commentNode(reply, mediaId, comment));
  }
}

/** Returns undefined without expanded replies; PHP writes an empty object as an empty list. */
function firstReplies(expanded: Json | undefined): Node | undefined {
  if (expanded === undefined || expanded === null) return undefined;
  if (Array.isArray(expanded) && expanded.length === 0) return undefined;
  return isNode(expanded) ? expanded : { data: expanded };
}

/**
 * Yields the given first page and the pages after it. An expanded list may lack `paging`: a full
 * one may be cut, so it is requested again from its beginning.
 */
async function* bodiesFrom(
  list: CommentList,
  first: Node,
  { poll, onCut }: ReadingLists,
): AsyncGenerator<Node, void, undefined> {
  const seen = new Set<string>();
  const { data } = first;
  const isCut = Array.isArray(data) && data.length >= commentsPage && !('paging' in first);
  let body = isCut ? await getPage(list, null, poll) : first;
  for (let pages = 1; body !== undefined; pages += 1) {
    yield body;
    const after = nextCursor(body, seen);
    if (after === undefined) return;
    if (pages === mostPages) {
      throw new FailError(
        'graph.refused',
        `/${list.id}/${list.edge}: the list of comments has no end after ${mostPages} pages; it is read again at the next interval`,
      );
    }
    body = await getPage(list, after, poll);
  }
  onCut();
}

/** Returns undefined for a rejected page, e.g. of a deleted comment; counts it as skipped. */
async function getPage(
  list: CommentList,
  after: string | null,
  poll: CommentsPoll,
): Promise<Node | undefined> {
  const { graph, signal } = poll.context;
  try {
    return await withoutRejectedFields(poll.skipped, (excluded) =>
      graph.get(commentsRequest(list, after, poll, excluded), signal),
    );
  } catch (error) {
    if (!(error instanceof SkipError)) throw error;
    poll.skipped.push({ reason: error.code, subject: list.id });
    return undefined;
  }
}
