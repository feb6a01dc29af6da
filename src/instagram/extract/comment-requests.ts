import { placed, writtenAt } from '../model/comments.ts';
import type { CommentsReading } from '../../engine/state.ts';
import { readOrReject } from '../../engine/dead-letters.ts';
import { type DeadLetterError, FailError, SkipError } from '../../engine/errors.ts';
import { type Fields, fieldsParameter } from '../model/fields.ts';
import { type Json, type Node, isNode } from '../../engine/json.ts';
import { nextCursor } from './paging.ts';
import type { Listed, Rejections } from './rejections.ts';
import type { ExtractContext } from './extraction.ts';
import type { Skipped } from '../../engine/source.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import { attribute, type Failed } from './attribution.ts';
import { nodesOf } from './entries.ts';
import { withoutRefusedFields } from './rejected-fields.ts';

/** The most comments that the API returns in one page. */
export const commentsPage = 50;
/** A list of comments with more pages is taken for endless: a million comments. */
const mostPages = 20_000;

/** A media whose comments are to be read. */
export interface Due {
  readonly listed: Listed;
  /** Its `comments_count` in the list. */
  readonly count: number;
}

/** The context of a poll's comments requests, and the findings from its answers. */
export interface CommentsWork {
  readonly context: ExtractContext;
  /** The fields of a comment. */
  readonly fields: Fields;
  readonly rejections: Rejections;
  readonly skipped: Skipped[];
  readonly rejected: DeadLetterError[];
}

/** The first page of a media that this poll reads. */
export interface FirstPage {
  readonly body: Node;
  /** The cursor that it was requested with; null for the first page of all. */
  readonly after: string | null;
}

/** One page of comments, with the first page of each one's replies. */
export interface CommentsPage {
  readonly comments: readonly Node[];
  /** The cursor before it; null for the first. */
  readonly after: string | null;
}

interface Resuming {
  readonly work: CommentsWork;
  /** The unfinished reading of an earlier poll; null for none. */
  readonly reading: CommentsReading | null;
  /** Every media that is due, to choose control samples from. */
  readonly all: readonly Due[];
}

/**
 * Requests the first page of each media: that of the list, or that where an unfinished reading
 * continues. A media that is rejected while others are answered is excluded for a while.
 *
 * @throws as `Graph.getEach`; the first error, when no media is answered, nor a control sample
 */
export async function firstPages(
  due: readonly Due[],
  { work, reading, all }: Resuming,
): Promise<ReadonlyMap<Due, FirstPage>> {
  const { pages, failed } = await getPages(due, work, reading);
  const asked = new Set(due);
  const culprits = await attribute(failed, {
    isAnswered: pages.size > 0,
    controls: all.filter((one) => !asked.has(one)),
    areAnswered: async (some) => (await getPages(some, work, reading)).pages.size > 0,
  });
  for (const { listed, error } of culprits) {
    work.rejections.exclude({ listed, reason: error.code });
    work.skipped.push({ reason: error.code, subject: listed.id });
  }
  return pages;
}

async function getPages(
  due: readonly Due[],
  work: CommentsWork,
  reading: CommentsReading | null,
): Promise<{ readonly pages: ReadonlyMap<Due, FirstPage>; readonly failed: readonly Failed[] }> {
  const pages = new Map<Due, FirstPage>();
  const failed: Failed[] = [];
  let open = new Map(
    due.map((one) => {
      const { id } = one.listed;
      const after = reading?.mediaId === id ? reading.after : null;
      return [requestOf(id, after, work), one] as const;
    }),
  );
  while (open.size > 0) {
    const again = new Map<GraphRequest, Due>();
    for await (const outcome of work.context.graph.getEach([...open.keys()], work.context.signal)) {
      const one = open.get(outcome.request);
      if (one === undefined) continue;
      if ('node' in outcome) {
        pages.set(one, { body: outcome.node, after: outcome.request.query['after'] ?? null });
      } else if (noteRefusedFields(outcome.error, work)) {
        again.set(requestOf(one.listed.id, outcome.request.query['after'] ?? null, work), one);
      } else if (outcome.request.query['after'] !== undefined) {
        // The cursor is too old: read the media's comments from the beginning.
        again.set(requestOf(one.listed.id, null, work), one);
      } else {
        failed.push({ listed: one.listed, error: outcome.error });
      }
    }
    open = again;
  }
  return { pages, failed };
}

/** Leaves out the fields that a rejection names; true when one of them is new. */
function noteRefusedFields(error: Error, { skipped }: CommentsWork): boolean {
  if (!(error instanceof SkipError) || error.code !== 'graph.field-refused') return false;
  const known = new Set(skipped.map(({ subject }) => subject));
  const fresh = error.subjects.filter((field) => !known.has(field));
  for (const subject of fresh) skipped.push({ reason: error.code, subject });
  return fresh.length > 0;
}

function requestOf(mediaId: string, after: string | null, work: CommentsWork): GraphRequest {
  const refused = work.skipped
    .filter(({ reason }) => reason === 'graph.field-refused')
    .map(({ subject }) => subject);
  return {
    endpoint: '/{media}/comments',
    path: `/${mediaId}/comments`,
    query: {
      fields: commentFields(work.fields, new Set(refused)),
      limit: String(commentsPage),
      ...(after === null ? {} : { after }),
    },
    accountId: work.context.account.id,
  };
}

/** A comment's fields with its replies'. */
export function commentFields(fields: Fields, refused: ReadonlySet<string> = new Set()): string {
  const plain = fieldsParameter(fields, refused);
  return `${plain},replies.limit(${commentsPage}){${plain}}`;
}

/** The lists of one media's comments, while they are read. */
export interface ReadingLists {
  readonly work: CommentsWork;
  /** Called where a list ends early because a page of it is rejected. */
  readonly onCut: () => void;
}

/**
 * The pages of a media's comments from `first` on, newest first. When the API no longer takes the
 * cursor of an unfinished reading, they start at the beginning, without the comments published in it.
 *
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
  for await (const body of bodiesFrom(`/${mediaId}/comments`, first.body, lists)) {
    const comments = commentsOf(body, lists).filter((comment) => !isRead(comment));
    yield { comments, after };
    after = cursorOf(body);
  }
}

/** The comments of a page; none when `data` is no list, which becomes a dead letter. */
function commentsOf(body: Node, { work: { rejected } }: ReadingLists): readonly Node[] {
  return readOrReject(rejected, () => nodesOf(body, rejected)) ?? [];
}

function cursorOf(body: Node): string | null {
  const paging = body['paging'];
  const cursors = isNode(paging) ? paging['cursors'] : undefined;
  const after = isNode(cursors) ? cursors['after'] : undefined;
  return typeof after === 'string' ? after : null;
}

/** A comment, then its replies page by page, each as a node of its own. */
export async function* threadOf(
  mediaId: string,
  comment: Node,
  lists: ReadingLists,
): AsyncGenerator<readonly Node[], void, undefined> {
  yield [placed(comment, mediaId)];
  const expanded = firstReplies(comment['replies']);
  if (expanded === undefined) return;
  const { id } = comment;
  const path = `/${typeof id === 'string' ? id : ''}/replies`;
  for await (const body of bodiesFrom(path, expanded, lists)) {
    yield commentsOf(body, lists).map((reply) => placed(reply, mediaId, comment));
  }
}

/** Undefined where the API expanded no replies; PHP writes an empty object as an empty list. */
function firstReplies(expanded: Json | undefined): Node | undefined {
  if (expanded === undefined || expanded === null) return undefined;
  if (Array.isArray(expanded)) return expanded.length === 0 ? undefined : { data: expanded };
  return isNode(expanded) ? expanded : { data: expanded };
}

/**
 * The first page, which was received before, and the pages after it. An expanded list may lack
 * `paging`: if it is full, it may be cut, and is requested from its beginning.
 */
async function* bodiesFrom(
  path: string,
  first: Node,
  { work, onCut }: ReadingLists,
): AsyncGenerator<Node, void, undefined> {
  const seen = new Set<string>();
  const { data } = first;
  const isCut = Array.isArray(data) && data.length >= commentsPage && !('paging' in first);
  let body = isCut ? await getPage(path, undefined, work) : first;
  for (let pages = 1; body !== undefined; pages += 1) {
    yield body;
    const after = nextCursor(body, seen);
    if (after === undefined) return;
    if (pages === mostPages) throw endless(path);
    body = await getPage(path, after, work);
  }
  onCut();
}

function endless(path: string): FailError {
  return new FailError(
    'graph.refused',
    `${path}: the list of comments has no end after ${mostPages} pages; it is read again at the next interval`,
  );
}

/** Undefined when the page is rejected, as after a comment was deleted; it is counted as skipped. */
async function getPage(
  path: string,
  after: string | undefined,
  work: CommentsWork,
): Promise<Node | undefined> {
  const { graph, account, signal } = work.context;
  const isReplies = path.endsWith('/replies');
  try {
    return await withoutRefusedFields(work.skipped, (refused) =>
      graph.get(
        {
          endpoint: isReplies ? '/{comment}/replies' : '/{media}/comments',
          path,
          query: {
            fields: isReplies
              ? fieldsParameter(work.fields, refused)
              : commentFields(work.fields, refused),
            limit: String(commentsPage),
            ...(after === undefined ? {} : { after }),
          },
          accountId: account.id,
        },
        signal,
      ),
    );
  } catch (error) {
    if (!(error instanceof SkipError)) throw error;
    work.skipped.push({ reason: error.code, subject: path.split('/')[1] ?? path });
    return undefined;
  }
}
