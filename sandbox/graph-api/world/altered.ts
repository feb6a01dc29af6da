import type { Conditions } from '../conditions.ts';
import { createManyComments } from './comments.ts';
import { createDraw } from './draws.ts';
import type { Comment, CommentList, Media } from './model.ts';

/** Applies the conditions to a media: its caption, its comment count and hidden comments. */
export function alteredMedia(media: Media, { spec, hiddenComments }: Conditions): Media {
  const caption = spec.captions?.[media.id];
  const count = spec.manyComments?.[media.id];
  const shown = hiddenComments.size === 0 ? media : withoutComments(media, hiddenComments);
  const discussed = count === undefined ? shown : withManyComments(shown, count);
  return caption === undefined
    ? discussed
    : { ...discussed, fields: (nowMs) => ({ ...discussed.fields(nowMs), caption }) };
}

function withoutComments(media: Media, hidden: ReadonlySet<string>): Media {
  const isShown = ({ id }: Comment) => !hidden.has(id);
  return {
    ...media,
    comments: (nowMs) =>
      media
        .comments(nowMs)
        .filter(isShown)
        .map((comment) =>
          comment.replies.every(isShown)
            ? comment
            : (Object.create(comment, {
                replies: { value: comment.replies.filter(isShown), enumerable: true },
              }) as Comment),
        ),
  };
}

function withManyComments(media: Media, count: number): Media {
  const list = createManyComments(
    { draw: createDraw(`comments/${media.id}`), createdAtMs: media.createdAtMs },
    count,
  );
  return {
    ...media,
    fields: (nowMs) => ({
      ...media.fields(nowMs),
      comments_count: count,
      total_comments_count: count,
    }),
    insights: (nowMs) => {
      const values = media.insights(nowMs);
      return values?.['comments'] === undefined ? values : withCommentMetrics(values, count);
    },
    comments: () => all(list),
    manyComments: list,
  };
}

function withCommentMetrics(values: Readonly<Record<string, number>>, count: number) {
  const { comments = 0, total_interactions: interactions = 0 } = values;
  return {
    ...values,
    comments: count,
    total_comments: count,
    total_interactions: interactions - comments + count,
  };
}

function all(list: CommentList): Comment[] {
  return Array.from({ length: list.length }, (_, index) => list.at(index)).filter(
    (comment) => comment !== undefined,
  );
}
