import { keyNumber } from '../../engine/fingerprint.ts';
import { type Node, isNode } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { SeenComments } from '../../engine/state.ts';
import type { WebhookChange } from '../../engine/webhooks.ts';
import { byTime, commentNode, isKnown, readOf, withDelivered } from '../model/comments.ts';
import { fieldsParameter } from '../model/fields.ts';
import type { RequestOf } from '../streams/stream.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import { requestOf } from './requests.ts';
import { type ReportedObject, readChanges } from './webhook-changes.ts';

/** The comment of a change. */
interface ReportedComment extends ReportedObject {
  readonly mediaId: string;
}

/**
 * Yields the comments that webhooks report, without those published before. Live comments come
 * first, as their payloads have them: they cannot be read later, and no request delays them. Any
 * other comment is read by its id, so that its record equals that of a poll: the payload has no time.
 * @throws as `Graph.getEach`
 */
export async function* commentChanges(
  { fields }: RequestOf<'comments'>,
  changes: readonly WebhookChange[],
  context: ExtractContext,
): Extraction {
  let { delivered } = context.checkpoint;
  const reported = oncePerComment(changes.flatMap(reportedBy));
  // Without a time, only a remembered id shows that a comment was published.
  const unread = reported.filter((one) => isNew(one, {}, context));
  const live = unread.filter(isLive).map((one) => ({ one, node: liveNode(one) }));
  if (live.length > 0) {
    delivered = live.reduce(deliveredWith, delivered);
    yield {
      ...pageOf(live, delivered),
      skipped: [],
      processed: live.map(({ one }) => one.change.key),
    };
  }
  const requestFor = ({ id }: ReportedComment, excluded: ReadonlySet<string>): GraphRequest =>
    requestOf('/{comment}', { fields: fieldsParameter(fields, excluded) }, context, id);
  const others = unread.filter((one) => !isLive(one));
  const { nodes, skipped, unanswered } = await readChanges(others, requestFor, context);
  const found = [...nodes]
    .map(([one, node]) => ({ one, node: nodeOf(node, one) }))
    .filter(({ one, node }) => isNew(one, node, context));
  const open = new Set([...live.map(({ one }) => one.change), ...unanswered]);
  const processed = changes.filter((change) => !open.has(change)).map(({ key }) => key);
  yield { ...pageOf(found, found.reduce(deliveredWith, delivered)), skipped, processed };
}

/** A comment to publish. */
interface FoundComment {
  readonly one: ReportedComment;
  readonly node: Node;
}

function pageOf(found: readonly FoundComment[], delivered: SeenComments) {
  return {
    nodes: found.map(({ node }) => node).toSorted(byTime),
    coveredUntilMs: null,
    checkpointUpdate: { delivered },
  };
}

function isNew(
  { id, mediaId }: ReportedComment,
  node: Node,
  { checkpoint }: ExtractContext,
): boolean {
  const mediaKey = keyNumber(mediaId);
  const ids = checkpoint.seen.get(mediaKey);
  const delivered = checkpoint.delivered.get(mediaKey);
  const before = readOf(mediaId, checkpoint.published);
  return !isKnown(node, keyNumber(id), { ids, delivered, before });
}

/** The inbox may hold changes of another version of the program: one without ids has no comment. */
function reportedBy(change: WebhookChange): readonly ReportedComment[] {
  const { id, media_id: mediaId } = change.value;
  return typeof id === 'string' && typeof mediaId === 'string' ? [{ change, id, mediaId }] : [];
}

function isLive({ change }: ReportedComment): boolean {
  return change.field === 'live_comments';
}

/** Both fields may report a comment; the payload of a live one has what cannot be read later. */
function oncePerComment(reported: readonly ReportedComment[]): readonly ReportedComment[] {
  const byId = new Map<string, ReportedComment>();
  for (const one of reported) if (isLive(one) || !byId.has(one.id)) byId.set(one.id, one);
  return [...byId.values()];
}

function nodeOf(node: Node, { change, mediaId }: ReportedComment): Node {
  const { parent_id: parentId } = change.value;
  return commentNode(node, mediaId, typeof parentId === 'string' ? { id: parentId } : undefined);
}

function liveNode({ change, id, mediaId }: ReportedComment): Node {
  const { text, from } = change.value;
  const author = isNode(from) ? { from, username: from['username'] ?? null } : {};
  return commentNode({ id, ...(text !== undefined && { text }), ...author }, mediaId);
}

function deliveredWith(delivered: SeenComments, { one }: FoundComment): SeenComments {
  const mediaKey = keyNumber(one.mediaId);
  const ids = new Set([...(delivered.get(mediaKey) ?? []), keyNumber(one.id)]);
  return withDelivered(delivered, mediaKey, ids);
}
