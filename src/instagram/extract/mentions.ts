import { keyNumber } from '../../engine/fingerprint.ts';
import { type Node, isNode } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { Page } from '../../engine/source.ts';
import type { WebhookChange } from '../../engine/webhooks.ts';
import { fieldsParameter } from '../model/fields.ts';
import type { RequestOf } from '../streams/stream.ts';
import type { ExtractContext } from './extraction.ts';
import { requestOf } from './requests.ts';
import { type ReportedObject, readChanges } from './webhook-changes.ts';

/** The most mentions that are remembered as published; Meta repeats a webhook for 36 hours. */
const remembered = 10_000;

interface Mention extends ReportedObject {
  readonly mediaId: string;
  /** Null where the caption has the mention. */
  readonly commentId: string | null;
}

/** Returns the captions and comments of changes, each once. @throws as `Graph.getEach` */
export async function mentionChanges(
  source: RequestOf<'mentions'>,
  changes: readonly WebhookChange[],
  context: ExtractContext,
): Promise<Page> {
  const { checkpoint } = context;
  const unread = changes
    .flatMap(mentionOf)
    .filter(({ id }) => !checkpoint.published.has(keyNumber(id)));
  const requestFor = (mention: Mention, excluded: ReadonlySet<string>): GraphRequest => {
    const query = { fields: mentionField(mention, source, excluded) };
    return requestOf('/{account}', query, context);
  };
  const read = await readChanges(unread, requestFor, context);
  const published = [...read.nodes.keys()].map(({ id }) => [keyNumber(id), 1n] as const);
  return {
    nodes: [...read.nodes].map(([mention, body]) => nodeOf(body, mention)),
    skipped: read.skipped,
    coveredUntilMs: null,
    processed: changes.filter((change) => !read.unanswered.has(change)).map(({ key }) => key),
    checkpointUpdate: {
      published: new Map([...checkpoint.published, ...published].slice(-remembered)),
    },
  };
}

/** The inbox may hold changes of another version of the program: one without ids has no mention. */
function mentionOf(change: WebhookChange): readonly Mention[] {
  const { media_id: mediaId, comment_id: commentId = null } = change.value;
  if (typeof mediaId !== 'string') return [];
  if (commentId === null) return [{ change, mediaId, commentId, id: mediaId }];
  return typeof commentId === 'string' ? [{ change, mediaId, commentId, id: commentId }] : [];
}

function edgeOf({ commentId }: Mention): 'mentioned_media' | 'mentioned_comment' {
  return commentId === null ? 'mentioned_media' : 'mentioned_comment';
}

function mentionField(
  mention: Mention,
  { mediaFields, commentFields }: RequestOf<'mentions'>,
  excluded: ReadonlySet<string>,
): string {
  const { commentId, mediaId } = mention;
  return commentId === null
    ? `mentioned_media.media_id(${mediaId}){${fieldsParameter(mediaFields, excluded)}}`
    : `mentioned_comment.comment_id(${commentId}){${fieldsParameter(commentFields, excluded)}}`;
}

/** A body without the object is passed on: the mapping rejects it for its missing id. */
function nodeOf(body: Node, mention: Mention): Node {
  const object = body[edgeOf(mention)];
  const { mediaId, commentId } = mention;
  return { ...(isNode(object) ? object : {}), media_id: mediaId, comment_id: commentId };
}
