import {
  byTime,
  countOf,
  isChanged,
  isKnown,
  isTooMany,
  packRead,
  readOf,
  minCommentAgeMs,
  withDelivered,
  withSeen,
  writtenAt,
  type KnownComments,
} from '../model/comments.ts';
import { goneBy, suspectTruncation } from '../../engine/change-set.ts';
import { keyNumber } from '../../engine/fingerprint.ts';
import type { Json, Node } from '../../engine/json.ts';
import { tidyRejections } from '../../engine/rejections.ts';
import type { Page } from '../../engine/source.ts';
import { agesOf } from '../model/freshness.ts';
import type { CommentsReading, Checkpoint } from '../../engine/state.ts';
import type { RequestOf } from '../streams/stream.ts';
import {
  type CommentsPage,
  type CommentsPoll,
  type DueMedia,
  type FirstPage,
  firstPages,
  pagesFrom,
  threadOf,
} from './comment-requests.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import { ensureScanned, scannedBy } from './list.ts';
import { type Listed, Rejections, readListed } from './rejections.ts';

/** Media whose first pages are requested together; a page holds up to 50 comments with 50 replies. */
const mediaTogether = 10;

/**
 * Reads the comments of the media whose `comments_count` has changed, and yields the unpublished
 * ones. A page is as long as a batch and carries the state after it. A media with many comments is
 * thus read in parts, and the next poll continues after the last committed part.
 */
export async function* extractComments(
  source: RequestOf<'comments'>,
  context: ExtractContext,
): Extraction {
  const { listFields, fields, facebookOnly } = source;
  yield* ensureScanned({ edge: 'media', fields: listFields, facebookOnly }, context);
  const { account, caches, checkpoint, nowMs } = context;
  const { nodes } = caches.of(account.id, 'media');
  const rejections = new Rejections(checkpoint, nowMs);
  const poll: CommentsPoll = { context, fields, rejections, skipped: [], rejected: [] };
  const { published, seen, delivered, reading } = checkpoint;
  const known = { published: new Map(published), seen, delivered, reading };
  const pending: PendingPage = { ...known, newComments: [], skipped: 0, requested: [] };
  const due = dueOf(nodes, poll);
  for (let start = 0; start < due.length; start += mediaTogether) {
    const some = due.slice(start, start + mediaTogether);
    const pages = await firstPages(some, due, poll);
    for (const media of some) {
      const first = pages.get(media);
      if (first !== undefined) yield* readMedia(media, first, { poll, pending });
    }
    if (pending.newComments.length >= context.maxBatchRecords) yield pageOf(poll, pending);
  }
  yield tidied(pageOf(poll, pending), context);
}

/** The comments read since the last page, and the checkpoint to commit with them. */
interface PendingPage {
  newComments: Node[];
  published: Map<string, bigint>;
  seen: Checkpoint['seen'];
  delivered: Checkpoint['delivered'];
  reading: CommentsReading | null;
  /** The number of skipped entries that the pages so far have reported. */
  skipped: number;
  /** The media whose reading began since the last page. */
  requested: Listed[];
}

function dueOf(
  nodes: readonly Node[],
  { context: { checkpoint }, rejections }: CommentsPoll,
): readonly DueMedia[] {
  const due = nodes.flatMap((node): readonly DueMedia[] => {
    const listed = readListed(node);
    const count = countOf(node);
    if (listed === undefined || count === undefined || rejections.isExcluded(listed)) return [];
    const delivered = checkpoint.delivered.get(keyNumber(listed.id))?.size ?? 0;
    const before = readOf(listed.id, checkpoint.published);
    return isChanged(node, before, delivered) ? [{ listed, count }] : [];
  });
  // The unfinished reading goes first: the state has room for one.
  const isFirst = ({ listed }: DueMedia): number =>
    listed.id === checkpoint.reading?.mediaId ? 0 : 1;
  return due.toSorted((a, b) => isFirst(a) - isFirst(b));
}

/** Collects the new comments of a media, page by page; at the end, records that they were read. */
async function* readMedia(
  due: DueMedia,
  first: FirstPage,
  { poll, pending }: { readonly poll: CommentsPoll; readonly pending: PendingPage },
): AsyncGenerator<Page, void, undefined> {
  const { checkpoint, maxBatchRecords } = poll.context;
  const { id } = due.listed;
  pending.requested.push(due.listed);
  const resumed = checkpoint.reading?.mediaId === id ? checkpoint.reading : null;
  const media = new MediaReading(due, resumed, poll.context);
  const lists = { poll, onCut: () => void (media.isCut = true) };
  for await (const page of pagesFrom(id, first, { lists, resumed })) {
    media.begin(page);
    for (const comment of page.comments) {
      for await (const some of threadOf(id, comment, lists)) {
        for (const one of some) if (media.admit(one)) pending.newComments.push(one);
        if (pending.newComments.length < maxBatchRecords) continue;
        pending.reading = media.soFar();
        yield pageOf(poll, pending);
      }
      media.end(comment);
    }
  }
  media.finish(pending);
}

class MediaReading {
  readonly #due: DueMedia;
  readonly #resumed: CommentsReading | null;
  readonly #known: KnownComments;
  readonly #readableUntilMs: number;
  /** Key numbers of all comments; null when they are not all known, or too many to remember. */
  #ids: Set<string> | null;
  /** Key numbers of the delivered comments that this reading has not listed yet. */
  readonly #unlisted: Set<string>;
  #newestMs: number | null;
  #oldestMs: number | null;
  #after: string | null = null;
  /** Key numbers of the published comments of the current page. */
  #published = new Set<string>();
  /** True when comments are too young and wait for the next poll. */
  #isWaiting = false;
  isCut = false;

  constructor(
    due: DueMedia,
    resumed: CommentsReading | null,
    { checkpoint, nowMs }: ExtractContext,
  ) {
    const key = keyNumber(due.listed.id);
    const before = readOf(due.listed.id, checkpoint.published);
    this.#due = due;
    this.#resumed = resumed;
    const delivered = checkpoint.delivered.get(key);
    this.#known = { ids: checkpoint.seen.get(key), delivered, before };
    this.#unlisted = new Set(delivered);
    this.#readableUntilMs = nowMs - minCommentAgeMs;
    this.#ids = resumed === null ? new Set() : null;
    this.#newestMs = resumed?.newestMs ?? before?.newestMs ?? null;
    this.#oldestMs = resumed?.oldestMs ?? null;
  }

  begin({ after }: CommentsPage): void {
    this.#after = after;
    this.#published = new Set(this.#resumed?.published);
  }

  /** Records a comment; true when it is to be published now. */
  admit(one: Node): boolean {
    const key = keyNumber(textOf(one['id']));
    const atMs = writtenAt(one);
    const isNew = !this.#published.has(key) && !isKnown(one, key, this.#known);
    if (isNew && (atMs ?? 0) > this.#readableUntilMs) {
      this.#isWaiting = true;
      return false;
    }
    this.#noteListed(key, atMs);
    this.#ids?.add(key);
    if (this.#ids !== null && isTooMany(this.#ids)) this.#ids = null;
    if (isNew) this.#notePublished(key, atMs);
    return isNew;
  }

  /** A delivered comment that is listed counts as published by this reading. */
  #noteListed(key: string, atMs: number | undefined): void {
    if (atMs === undefined || atMs > this.#readableUntilMs || !this.#unlisted.delete(key)) return;
    this.#newestMs = Math.max(this.#newestMs ?? atMs, atMs);
  }

  #notePublished(key: string, atMs: number | undefined): void {
    if (!isTooMany(this.#published)) this.#published.add(key);
    if (atMs !== undefined) this.#newestMs = Math.max(this.#newestMs ?? atMs, atMs);
  }

  /** Records that a comment and all its replies were read. */
  end(comment: Node): void {
    this.#oldestMs = writtenAt(comment) ?? this.#oldestMs;
  }

  /** The reading so far, from which the next poll continues. */
  soFar(): CommentsReading {
    return {
      mediaId: this.#due.listed.id,
      after: this.#after,
      published: [...this.#published],
      newestMs: this.#newestMs,
      oldestMs: this.#oldestMs,
    };
  }

  finish(pending: PendingPage): void {
    if (this.isCut && this.#ids === null) {
      // Without the ids, the newest time would mark the unread older comments as read.
      pending.reading = this.soFar();
      return;
    }
    const key = keyNumber(this.#due.listed.id);
    const count = this.#isWaiting || this.isCut ? null : this.#due.count;
    pending.published.set(key, packRead({ count, newestMs: this.#newestMs }));
    // The API may list a delivered comment later.
    for (const unlisted of this.#unlisted) this.#ids?.add(unlisted);
    const isRemembered = this.#ids !== null && !isTooMany(this.#ids);
    pending.seen = withSeen(pending.seen, key, isRemembered ? this.#ids : null);
    pending.delivered = withDelivered(
      pending.delivered,
      key,
      isRemembered ? new Set() : this.#unlisted,
    );
    pending.reading = null;
  }
}

/** Returns the text of an id. A comment without a valid id is passed on: the mapping rejects it. */
function textOf(id: Json = null): string {
  return typeof id === 'string' ? id : JSON.stringify(id);
}

function pageOf(poll: CommentsPoll, pending: PendingPage) {
  const nodes = pending.newComments.toSorted(byTime);
  const skipped = poll.skipped.slice(pending.skipped);
  const { nowMs, freshness } = poll.context;
  const ages = agesOf(pending.requested, nowMs, freshness.tiers);
  pending.newComments = [];
  pending.requested = [];
  pending.skipped = poll.skipped.length;
  const { seen, delivered, reading } = pending;
  const published: Checkpoint['published'] = new Map(pending.published);
  return {
    nodes,
    skipped,
    rejected: poll.rejected.splice(0),
    coveredUntilMs: null,
    requested: { field: 'media_id', ages },
    checkpointUpdate: { ...poll.rejections.checkpointUpdate, published, seen, delivered, reading },
  };
}

/** Forgets media that are gone once the whole list is known and does not look truncated. */
function tidied(page: ReturnType<typeof pageOf>, context: ExtractContext): Page {
  const { checkpointUpdate } = page;
  const { nowMs, checkpoint } = context;
  const scanned = scannedBy('media', context);
  const known = {
    published: checkpointUpdate.published,
    truncationSuspectedMs: checkpoint.truncationSuspectedMs,
  };
  const isSuspect = scanned !== undefined && suspectTruncation(known, scanned, nowMs) !== undefined;
  const present = isSuspect ? undefined : scanned?.present;
  const rejections = tidyRejections(checkpointUpdate.rejections, { nowMs, present });
  if (isSuspect)
    return {
      ...page,
      checkpointUpdate: { ...checkpointUpdate, rejections, truncationSuspectedMs: nowMs },
    };
  if (scanned === undefined)
    return { ...page, checkpointUpdate: { ...checkpointUpdate, rejections } };
  const isGone = goneBy(scanned);
  const published = new Map([...checkpointUpdate.published].filter(([name]) => !isGone(name)));
  const seen = new Map([...checkpointUpdate.seen].filter(([name]) => !isGone(name)));
  return {
    ...page,
    checkpointUpdate: {
      ...checkpointUpdate,
      rejections,
      published,
      seen,
      truncationSuspectedMs: null,
    },
  };
}
