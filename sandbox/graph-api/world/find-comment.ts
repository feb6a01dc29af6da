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
  if (!mayBeComment(id)) return undefined;
  for (const account of world.accounts) {
    for (const media of account.mediaAt(nowMs)) {
      if (media.manyComments !== undefined) continue;
      for (const comment of media.comments(nowMs)) {
        if (comment.id === id) return { comment, media };
        const reply = comment.replies.find((one) => one.id === id);
        if (reply !== undefined) return { comment: reply, media, parentId: comment.id };
      }
    }
  }
  return undefined;
}
