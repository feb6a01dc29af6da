import { flattened } from '../../core/comments.ts';
import { readOrReject } from '../../core/dead-letters.ts';
import type { DeadLetterError } from '../../core/errors.ts';
import { isTooMuchData, SkipError } from '../../core/errors.ts';
import type { Fields } from '../../core/fields.ts';
import { fieldsParameter } from '../../core/fields.ts';
import type { Json, Node } from '../../core/json.ts';
import { isNode } from '../../core/json.ts';
import { maxIds } from '../../core/metric-groups.ts';
import { nextCursor } from '../../core/paging.ts';
import type { Listed } from '../../core/refusals.ts';
import { isLeftOut, leaveOut } from '../../core/refusals.ts';
import type { Memory } from '../../core/state.ts';
import type { ExtractContext, Skipped } from '../extraction.ts';
import { answerOf, nodesOf } from './entries.ts';
import { withoutRefusedFields } from './refusals.ts';

/** The most that the API gives of comments in one page. */
export const commentsPage = 50;

/** What reading comments works with. */
export interface CommentsWork {
  readonly context: ExtractContext;
  /** The fields of a comment. */
  readonly fields: Fields;
  /** With what was learned of refusals so far. */
  memory: Memory;
  readonly skipped: Skipped[];
  readonly rejected: DeadLetterError[];
  /** Media in one request, as many as the API has last been able to give. */
  together: number;
}

/** Begins with what the state remembers. */
export function createCommentsWork(fields: Fields, context: ExtractContext): CommentsWork {
  return {
    context,
    fields,
    memory: context.memory,
    skipped: [],
    rejected: [],
    together: maxIds,
  };
}

/** All comments and replies of a media. */
export interface MediaComments {
  readonly id: string;
  readonly comments: readonly Node[];
}

/**
 * All comments and replies of some media, by `?ids=` with the first pages expanded in place, and page by
 * page of those that have more. All or nothing: a media that is refused is found by its name or by
 * halving, and left out.
 *
 * @returns media by media; without those that could not be read
 */
export async function* commentsOf(
  media: readonly Listed[],
  work: CommentsWork,
): AsyncGenerator<MediaComments, void, undefined> {
  for (let start = 0; start < media.length;) {
    const { together } = work;
    const asked = media.slice(start, start + together);
    start += asked.length;
    const answers = await askTogether(asked, work);
    if (work.together === together) work.together = Math.min(together * 2, maxIds);
    for (const [id, node] of answers) {
      const comments = await allOf(id, node, work);
      if (comments !== undefined) yield { id, comments };
    }
  }
}

async function askTogether(
  media: readonly Listed[],
  work: CommentsWork,
): Promise<ReadonlyMap<string, Node>> {
  const open = media.filter((one) => !isLeftOut(one, work.memory, work.context.nowMs));
  if (open.length === 0) return new Map();
  try {
    const body = await askIds(open, work);
    return new Map(open.map(({ id }) => [id, answerOf(id, body)]));
  } catch (error) {
    if (!learn(error, open, work)) throw error;
    if (open.length === 1 || isNamed(error, open)) return askTogether(open, work);
    const middle = Math.ceil(open.length / 2);
    const first = await askTogether(open.slice(0, middle), work);
    return new Map([...first, ...(await askTogether(open.slice(middle), work))]);
  }
}

/** Whether something can be done about an error; takes in which media it is for certain about. */
function learn(error: unknown, open: readonly Listed[], work: CommentsWork): boolean {
  if (isTooMuchData(error)) {
    // Fewer media at once are less data; of one alone there is nothing to take away.
    if (open.length === 1) return false;
    work.together = Math.ceil(open.length / 2);
    return true;
  }
  if (!(error instanceof SkipError) || error.code === 'graph.field-refused') return false;
  const named = open.filter(({ id }) => error.subjects.includes(id));
  for (const listed of named.length > 0 || open.length > 1 ? named : open) {
    work.memory = leaveOut(work.memory, { listed, reason: error.code }, work.context.nowMs);
    work.skipped.push({ reason: error.code, subject: listed.id });
  }
  return true;
}

function isNamed(error: unknown, open: readonly Listed[]): boolean {
  return error instanceof SkipError && open.some(({ id }) => error.subjects.includes(id));
}

function askIds(open: readonly Listed[], { context, fields, skipped }: CommentsWork) {
  const { graph, account, signal } = context;
  return withoutRefusedFields(skipped, (refused) =>
    graph.get(
      {
        endpoint: '/?ids',
        path: '/',
        query: {
          ids: open.map(({ id }) => id).join(','),
          fields: `comments.limit(${commentsPage}){${commentFields(fields, refused)}}`,
        },
        accountId: account.id,
      },
      signal,
    ),
  );
}

/** A comment's fields with its replies'. */
export function commentFields(fields: Fields, refused: ReadonlySet<string> = new Set()): string {
  const plain = fieldsParameter(fields, refused);
  return `${plain},replies.limit(${commentsPage}){${plain}}`;
}

/** Undefined for a media that went away between two of its pages. */
async function allOf(
  mediaId: string,
  node: Node,
  work: CommentsWork,
): Promise<readonly Node[] | undefined> {
  try {
    const found = new Map<Json | undefined, Node>();
    const top = { endpoint: '/{media}/comments', path: `/${mediaId}/comments`, replies: true };
    for (const comment of await restOf(node['comments'], top, work)) {
      const { id } = comment;
      const path = `/${typeof id === 'string' ? id : ''}/replies`;
      const below = { endpoint: '/{comment}/replies', path, replies: false };
      const replies = await restOf(comment['replies'], below, work);
      for (const one of flattened(mediaId, comment, replies)) found.set(one['id'], one);
    }
    return [...found.values()];
  } catch (error) {
    if (!(error instanceof SkipError)) throw error;
    work.skipped.push({ reason: error.code, subject: mediaId });
    return undefined;
  }
}

interface CommentsEdge {
  readonly endpoint: string;
  readonly path: string;
  readonly replies: boolean;
}

/**
 * What was expanded in place, and the pages behind it. A list that was expanded may come without
 * paging; where it is full then, it is asked for from its beginning.
 */
async function restOf(
  expanded: Json | undefined,
  edge: CommentsEdge,
  work: CommentsWork,
): Promise<readonly Node[]> {
  // Absent where there is nothing to show; PHP writes an empty object as an empty list.
  if (expanded === undefined || (Array.isArray(expanded) && expanded.length === 0)) return [];
  const first = isNode(expanded) ? expanded : { data: expanded };
  const { rejected } = work;
  const found = [...(readOrReject(rejected, () => nodesOf(first, rejected)) ?? [])];
  const seen = new Set<string>();
  let after = nextCursor(first, seen);
  const isCut = after === undefined && found.length >= commentsPage && !('paging' in first);
  for (let more = isCut || after !== undefined; more; more = after !== undefined) {
    const body = await askPage(edge, after, work);
    found.push(...nodesOf(body, rejected));
    after = nextCursor(body, seen);
  }
  return found;
}

function askPage(edge: CommentsEdge, after: string | undefined, work: CommentsWork) {
  const { graph, account, signal } = work.context;
  return withoutRefusedFields(work.skipped, (refused) =>
    graph.get(
      {
        endpoint: edge.endpoint,
        path: edge.path,
        query: {
          fields: edge.replies
            ? commentFields(work.fields, refused)
            : fieldsParameter(work.fields, refused),
          limit: String(commentsPage),
          ...(after === undefined ? {} : { after }),
        },
        accountId: account.id,
      },
      signal,
    ),
  );
}
