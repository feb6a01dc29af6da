import { mayBeComment } from './ids.ts';
import type { Comment, Media, World } from './model.ts';

/** A comment or a reply, with its media and its parent comment. */
export interface FoundComment {
  readonly comment: Comment;
  readonly media: Media;
  readonly parentId?: string;
}

/** Searches all comments of a world's posts; slow, and rarely needed. */
export function findComment(id: string, world: World, nowMs: number): FoundComment | undefined {
  const { recordedMedia } = world;
  if (recordedMedia !== undefined) return findIn(recordedMedia, id, nowMs);
  if (!mayBeComment(id)) return undefined;
  return findIn(
    world.accounts.flatMap((account) => account.mediaAt(nowMs)),
    id,
    nowMs,
  );
}

function findIn(all: readonly Media[], id: string, nowMs: number): FoundComment | undefined {
  for (const media of all) {
    if (media.manyComments !== undefined) continue;
    for (const comment of media.comments(nowMs)) {
      if (comment.id === id) return { comment, media };
      const reply = comment.replies.find((one) => one.id === id);
      if (reply !== undefined) return { comment: reply, media, parentId: comment.id };
    }
  }
  return undefined;
}
