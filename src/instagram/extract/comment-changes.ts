import { keyNumber } from '../../engine/fingerprint.ts';
import { type Node, isNode } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { Page } from '../../engine/source.ts';
import type { WebhookChange } from '../../engine/webhooks.ts';
import { byTime, commentNode, isKnown, readOf, withDelivered } from '../model/comments.ts';
import { fieldsParameter } from '../model/fields.ts';
import type { RequestOf } from '../streams/stream.ts';
import type { ExtractContext } from './extraction.ts';
import { requestOf } from './requests.ts';
import { readChanges } from './webhook-changes.ts';

/** The comment of a change. */
interface ReportedComment {
  readonly change: WebhookChange;
  readonly id: string;
  readonly mediaId: string;
}

/**
 * Returns the comments that webhooks report, without those published before. A comment is read by
 * its id, so that its record equals that of a poll: the payload has no time. A live comment cannot
 * be read later and is published as its payload has it.
 * @throws as `Graph.getEach`
 */
export async function commentChanges(
  { fields }: RequestOf<'comments'>,
  changes: readonly WebhookChange[],
  context: ExtractContext,
): Promise<Page> {
  const { checkpoint } = context;
  const reported = oncePerComment(changes.flatMap(reportedBy));
  const isNew = ({ id, mediaId }: ReportedComment, node: Node): boolean => {
    const mediaKey = keyNumber(mediaId);
    const ids = checkpoint.seen.get(mediaKey);
    const delivered = checkpoint.delivered.get(mediaKey);
    const before = readOf(mediaId, checkpoint.published);
    return !isKnown(node, keyNumber(id), { ids, delivered, before });
  };
  // Without a time, only a remembered id shows that a comment was published.
  const unread = reported.filter((one) => isNew(one, {}));
  const requestFor = ({ id }: ReportedComment, excluded: ReadonlySet<string>): GraphRequest =>
    requestOf('/{comment}', { fields: fieldsParameter(fields, excluded) }, context, id);
  const read = await readChanges(
    unread.filter((one) => !isLive(one)),
    requestFor,
    context,
  );
  const found = [
    ...unread.filter(isLive).map((one) => ({ one, node: liveNode(one) })),
    ...[...read.nodes].map(([one, node]) => ({ one, node: nodeOf(node, one) })),
  ].filter(({ one, node }) => isNew(one, node));
  const unanswered = new Set(read.unanswered.map(({ change }) => change));
  return {
    nodes: found.map(({ node }) => node).toSorted(byTime),
    skipped: read.skipped,
    coveredUntilMs: null,
    processed: changes.filter((change) => !unanswered.has(change)).map(({ key }) => key),
    checkpointUpdate: {
      rejections: checkpoint.rejections,
      convertedMs: checkpoint.convertedMs,
      delivered: found.reduce(deliveredWith, checkpoint.delivered),
    },
  };
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

function deliveredWith(
  delivered: ExtractContext['checkpoint']['delivered'],
  { one: { id, mediaId } }: { readonly one: ReportedComment },
) {
  const mediaKey = keyNumber(mediaId);
  const ids = new Set([...(delivered.get(mediaKey) ?? []), keyNumber(id)]);
  return withDelivered(delivered, mediaKey, ids);
}
