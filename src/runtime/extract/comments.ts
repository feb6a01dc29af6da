import { countOf, isChanged, newsOf, packRead, readOf } from '../../core/comments.ts';
import { keyNumber } from '../../core/fingerprint.ts';
import type { Node } from '../../core/json.ts';
import { maxIds } from '../../core/metric-groups.ts';
import { doubtOf } from '../../core/changes.ts';
import type { Listed } from '../../core/refusals.ts';
import { isLeftOut, readListed, tidyRefusals } from '../../core/refusals.ts';
import type { Memory } from '../../core/state.ts';
import type { Stream } from '../../core/stream.ts';
import type { ExtractContext, Extraction, Page } from '../extraction.ts';
import type { CommentsWork } from './comment-requests.ts';
import { commentsOf, createCommentsWork } from './comment-requests.ts';
import { ensureWalked, walkedBy } from './list.ts';

type CommentsSource = Extract<Stream['source'], { kind: 'comments' }>;

/** A media whose comments are to be read. */
interface Due {
  readonly listed: Listed;
  readonly count: number;
}

/** A page is as long as this, but for a media that has more by itself. */
const nodesAPage = 500;

/**
 * Reads the comments of the media that count others than they did. Each page carries what is
 * remembered of its media, and so is a transaction of its own.
 */
export async function* extractComments(
  source: CommentsSource,
  context: ExtractContext,
): Extraction {
  yield* ensureWalked({ edge: 'media', fields: source.listFields }, context);
  const work = createCommentsWork(source.fields, context);
  const published = new Map(context.memory.published);
  const due = new Map(dueOf(context).map((one) => [one.listed.id, one]));
  const media = [...due.values()].map(({ listed }) => listed);
  let gathered: readonly Node[] = [];
  let read = 0;
  for await (const { id, comments } of commentsOf(media, work)) {
    gathered = [...gathered, ...newsFrom(comments, due.get(id), { published, context })];
    read += 1;
    if (gathered.length < nodesAPage && read < maxIds) continue;
    yield pageOf(gathered, published, work);
    gathered = [];
    read = 0;
  }
  yield tidied(pageOf(gathered, published, work), context);
}

interface Reading {
  readonly published: Map<string, bigint>;
  readonly context: ExtractContext;
}

/** What is new of a media's comments; notes that they were read. */
function newsFrom(
  comments: readonly Node[],
  due: Due | undefined,
  { published, context: { memory, nowMs } }: Reading,
): readonly Node[] {
  if (due === undefined) return [];
  const { listed, count } = due;
  const before = readOf(listed.id, memory.published);
  const { news, read } = newsOf(comments, { count, before, nowMs });
  published.set(keyNumber(listed.id), packRead(read));
  return news;
}

interface CommentsPage extends Page {
  readonly learned: Pick<Memory, 'refusals' | 'convertedMs' | 'published'>;
}

function pageOf(
  nodes: readonly Node[],
  published: ReadonlyMap<string, bigint>,
  work: CommentsWork,
): CommentsPage {
  const { refusals, convertedMs } = work.memory;
  return {
    nodes,
    skipped: work.skipped.splice(0),
    rejected: work.rejected.splice(0),
    coveredUntilMs: null,
    learned: { refusals, convertedMs, published: new Map(published) },
  };
}

function dueOf({ catalogs, account, memory, nowMs }: ExtractContext): readonly Due[] {
  return catalogs.of(account.id, 'media').nodes.flatMap((node) => {
    const listed = readListed(node);
    const count = countOf(node);
    if (listed === undefined || count === undefined || isLeftOut(listed, memory, nowMs)) return [];
    return isChanged(node, readOf(listed.id, memory.published)) ? [{ listed, count }] : [];
  });
}

/** Once the whole list is known, and believed, media that are gone are forgotten. */
function tidied(page: CommentsPage, context: ExtractContext): Page {
  const { learned } = page;
  const { nowMs, memory } = context;
  const walked = walkedBy('media', context);
  const known = { published: learned.published, doubtedMs: memory.doubtedMs };
  const isDoubted = walked !== undefined && doubtOf(known, walked, nowMs) !== undefined;
  const present = isDoubted ? undefined : walked?.present;
  const refusals = tidyRefusals(learned.refusals, { nowMs, present });
  if (isDoubted) return { ...page, learned: { ...learned, refusals, doubtedMs: nowMs } };
  if (present === undefined) return { ...page, learned: { ...learned, refusals } };
  const names = new Set([...present].map(keyNumber));
  const published = new Map([...learned.published].filter(([name]) => names.has(name)));
  return { ...page, learned: { ...learned, refusals, published, doubtedMs: null } };
}
