import { type Context, type EdgeRequest, type GraphNode, nestedRequest } from '../context.ts';
import { graphError } from '../errors.ts';
import type { FieldRequest } from '../fields-parser.ts';
import { type Json, isObject } from '../json.ts';
import { type ListItem, type NodeList, MAX_COMMENTS, renderList } from '../paging.ts';
import { mayRead } from '../tokens/app.ts';
import type { Comment, CommentList, Media } from '../world/model.ts';
import { formatTime } from '../world/pacific.ts';

/** The position of a comment. */
interface CommentPosition {
  readonly media: Media;
  readonly parentId?: string;
}

/** Returns the node of a comment or a reply. */
export function commentNode(comment: Comment, position: CommentPosition): GraphNode {
  return {
    id: comment.id,
    defaultFields: ['timestamp', 'text', 'id'],
    field: (request, context) => fieldOf({ comment, position, request }, context),
    edge: (name, request, context) => {
      if (name !== 'replies') {
        throw graphError('unknown-path', `/${name}`);
      }
      checkAllowed(position.media, context);
      const below = { media: position.media, parentId: comment.id };
      const list = listOf(comment.replies, { path: `${comment.id}/replies`, below });
      return renderList(list, request, context);
    },
  };
}

/** Comments need a permission of their own. */
function checkAllowed({ accountId }: Media, context: Context): void {
  const denied = context.world.conditions.spec.deniedEdges?.[accountId];
  if (denied?.includes('comments') === true || !mayRead('people', context)) {
    throw graphError('no-permission');
  }
}

interface CommentField {
  readonly comment: Comment;
  readonly position: CommentPosition;
  readonly request: FieldRequest;
}

function fieldOf({ comment, position, request }: CommentField, context: Context): Json | undefined {
  const { id, username } = comment;
  const values: Readonly<Record<string, () => Json | undefined>> = {
    id: () => id,
    text: () => comment.text,
    timestamp: () => formatTime(comment.createdAtMs),
    username: () => username,
    like_count: () => comment.likeCount,
    hidden: () => false,
    from: () => ({ id: comment.userId, username }),
    media: () => ({ id: position.media.id, media_product_type: position.media.productType }),
    parent_id: () => position.parentId,
    // The field exists for the caller's own comments only.
    user: () => undefined,
    legacy_instagram_comment_id: () => undefined,
    replies: () => {
      const below = { media: position.media, parentId: id };
      return nestedComments(comment.replies, { request, path: `${id}/replies`, below }, context);
    },
  };
  const value = values[request.name];
  if (value === undefined) {
    throw graphError('unknown-field', request.name);
  }
  const { recorded } = comment;
  return recorded === undefined || request.name === 'replies' ? value() : recorded[request.name];
}

interface Nested {
  readonly request: FieldRequest;
  readonly path: string;
  readonly below: CommentPosition;
}

/**
 * Returns nested comments; the key is absent where there are none, `paging` where there is no
 * further page.
 */
function nestedComments(
  comments: CommentList,
  { request, path, below }: Nested,
  context: Context,
): Json | undefined {
  if (comments.length === 0) {
    return undefined;
  }
  const list = listOf(comments, { path, below });
  const { data, paging } = renderList(list, nestedRequest(request), context);
  const goesOn = isObject(paging) && ('next' in paging || 'previous' in paging);
  return { data: data ?? [], ...(goesOn ? { paging } : {}) };
}

/** A cursor's place ascends along the list, independent of the comments before it. */
function listOf(
  comments: CommentList,
  { path, below }: { path: string; below: CommentPosition },
): NodeList {
  const { length } = comments;
  const at = (index: number): ListItem | undefined => {
    const comment = comments.at(index);
    return comment && { place: index - length, node: commentNode(comment, below) };
  };
  return { path, items: { length, at }, maxLimit: MAX_COMMENTS };
}

function commentsOf(media: Media, { nowMs }: Context): CommentList {
  return media.manyComments ?? media.comments(nowMs);
}

/** Answers `/{media}/comments`. */
export function commentsEdge(media: Media, request: EdgeRequest, context: Context): Json {
  checkAllowed(media, context);
  const list = listOf(commentsOf(media, context), {
    path: `${media.id}/comments`,
    below: { media },
  });
  return renderList(list, request, context);
}

/** Returns the value of the field `comments` of a media. */
export function commentsField(
  media: Media,
  request: FieldRequest,
  context: Context,
): Json | undefined {
  checkAllowed(media, context);
  return nestedComments(
    commentsOf(media, context),
    { request, path: `${media.id}/comments`, below: { media } },
    context,
  );
}
