import { type Account, isPolled } from '../../engine/account.ts';
import type { IgnoredChanges } from '../../engine/events.ts';
import { type Json, type Node, isNode } from '../../engine/json.ts';
import type { StreamName } from '../../engine/stream-name.ts';
import type { WebhookChange } from '../../engine/webhooks.ts';
import { parseJsonBody } from '../api/json-body.ts';
import { streamNames, streams } from '../streams/index.ts';

/** The content of one request of Instagram's webhooks. */
export interface WebhookPayload {
  /** The changes with an effect; of several with the same key the last. */
  readonly changes: readonly WebhookChange[];
  /** The other changes, counted. */
  readonly ignored: readonly IgnoredChanges[];
}

/** The facts by which a change has an effect. */
export interface WebhookScope {
  /** All polled accounts by id. */
  readonly accounts: ReadonlyMap<string, Account>;
  /** The enabled streams. */
  readonly streams: ReadonlySet<StreamName>;
  /** The time of the request, for an entry without one. */
  readonly receivedMs: number;
}

/** A change's object and the parts of its value that the stream needs. */
interface Parts {
  readonly objectId: string;
  readonly value: Node;
}

/** Reads what a stream needs; undefined for a value that lacks it. */
type ReadPayload = (value: Node) => Parts | undefined;

const storyMetrics = ['impressions', 'reach', 'taps_forward', 'taps_back', 'exits', 'replies'];

/**
 * The values of the webhook fields that streams declare.
 * @see https://developers.facebook.com/docs/instagram-platform/webhooks (updated 2026-10-20)
 */
const fields: Readonly<Record<string, ReadPayload>> = {
  comments(value) {
    const comment = commentOf(value);
    const parentId = idIn(value['parent_id']);
    return comment && withParts(comment, parentId === undefined ? {} : { parent_id: parentId });
  },
  live_comments(value) {
    const comment = commentOf(value);
    const { text } = value;
    const from = authorOf(value['from']);
    return comment && withParts(comment, { ...(typeof text === 'string' && { text }), ...from });
  },
  mentions(value) {
    const mediaId = idIn(value['media_id']);
    const commentId = idIn(value['comment_id']);
    if (mediaId === undefined) return undefined;
    if (commentId === undefined) return { objectId: mediaId, value: { media_id: mediaId } };
    const parts = { media_id: mediaId, comment_id: commentId };
    return { objectId: `${mediaId}:${commentId}`, value: parts };
  },
  story_insights(value) {
    const mediaId = idIn(value['media_id']);
    if (mediaId === undefined) return undefined;
    const metrics = storyMetrics.flatMap((name) => {
      const number = value[name];
      return typeof number === 'number' ? [[name, number] as const] : [];
    });
    if (metrics.length === 0) return undefined;
    return { objectId: mediaId, value: { media_id: mediaId, ...Object.fromEntries(metrics) } };
  },
};

const streamOfField: ReadonlyMap<string, StreamName> = new Map(
  streamNames.flatMap((name) => streams[name].webhookFields.map((field) => [field, name] as const)),
);

/** Meta's examples name a comment's id `comment_id`; deliveries have `id`. Both are read. */
function commentOf(value: Node): Parts | undefined {
  const id = idIn(value['id']) ?? idIn(value['comment_id']);
  const media = value['media'];
  const mediaId = isNode(media) ? idIn(media['id']) : undefined;
  if (id === undefined || mediaId === undefined) return undefined;
  return { objectId: id, value: { id, media_id: mediaId } };
}

function withParts(parts: Parts, others: Node): Parts {
  return { ...parts, value: { ...parts.value, ...others } };
}

function authorOf(from: Json | undefined): Node {
  const id = isNode(from) ? idIn(from['id']) : undefined;
  if (!isNode(from) || id === undefined) return {};
  const { username } = from;
  return { from: { id, ...(typeof username === 'string' && { username }) } };
}

/** The longest id; Meta's have at most 19 digits. */
const idPattern = /^\d{1,25}$/;

function idIn(value: Json | undefined): string | undefined {
  const id = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  return typeof id === 'string' && idPattern.test(id) ? id : undefined;
}

/**
 * Reads the body of a request whose signature is valid. An invalid part costs no other part.
 * @returns undefined for a body that is no JSON or has no list `entry`
 */
export function readWebhookPayload(body: string, scope: WebhookScope): WebhookPayload | undefined {
  const json = parsed(body);
  const entries = isNode(json) ? json['entry'] : undefined;
  if (!isNode(json) || !Array.isArray(entries)) return undefined;
  const changes = new Map<string, WebhookChange>();
  const ignored = createCounts();
  if (json['object'] !== 'instagram') {
    ignored.add(namedIn(json['object']), 'unknown-object');
    return { changes: [], ignored: ignored.list() };
  }
  for (const entry of entries as readonly Json[]) {
    for (const found of readEntry(entry, scope)) {
      if ('reason' in found) ignored.add(found.field, found.reason);
      else changes.set(found.key, found);
    }
  }
  return { changes: [...changes.values()], ignored: ignored.list() };
}

function parsed(body: string): Json | undefined {
  try {
    return parseJsonBody(body);
  } catch {
    // A text that is no JSON, or is nested too deeply.
    return undefined;
  }
}

type Reason = IgnoredChanges['reason'];
type Found = WebhookChange | { readonly field: string; readonly reason: Reason };

function* readEntry(entry: Json, scope: WebhookScope): Generator<Found> {
  if (!isNode(entry)) {
    yield { field: '', reason: 'malformed' };
    return;
  }
  const { changes, changed_fields: changed, field } = entry;
  if (Array.isArray(changes)) {
    for (const change of changes as readonly Json[]) yield readChange(change, entry, scope);
  } else if (Array.isArray(changed)) {
    // The app's subscription has "Include Values" off.
    for (const name of changed as readonly Json[]) {
      yield { field: namedIn(name), reason: 'no-values' };
    }
  } else if (field !== undefined) {
    // The form without `changes`, which Meta's examples show for Instagram Login.
    yield readChange(entry, entry, scope);
  } else if (changes === undefined && changed === undefined) {
    // Messages come in entries of another form.
    yield { field: entry['messaging'] === undefined ? '' : 'messaging', reason: 'unknown-field' };
  } else {
    yield { field: '', reason: 'malformed' };
  }
}

function readChange(change: Json, entry: Node, scope: WebhookScope): Found {
  if (!isNode(change)) return { field: '', reason: 'malformed' };
  const { value } = change;
  const name = namedIn(change['field']);
  const stream = streamOfField.get(name);
  const read = fields[name];
  if (stream === undefined || read === undefined) return { field: name, reason: 'unknown-field' };
  if (!scope.streams.has(stream)) return { field: name, reason: 'stream-disabled' };
  const accountId = idIn(entry['id']);
  const parts = isNode(value) ? read(value) : undefined;
  if (accountId === undefined || parts === undefined) return { field: name, reason: 'malformed' };
  const reason = unpolledReason(scope.accounts.get(accountId), stream);
  if (reason !== null) return { field: name, reason };
  const sentMs = Math.min(sentMsOf(entry['time']) ?? Infinity, scope.receivedMs);
  const key = `${accountId}/${name}/${parts.objectId}`;
  return { key, accountId, stream, field: name, sentMs, value: parts.value };
}

/** Returns the reason why no poll would ever remove a change from the inbox; null where one does. */
function unpolledReason(account: Account | undefined, stream: StreamName): Reason | null {
  // The test of the app's dashboard has the account 0.
  if (account === undefined) return 'unknown-account';
  return isPolled(account, stream) ? null : 'stream-disabled';
}

/** Times from here on are milliseconds: as seconds they are after the year 5000. */
const leastMs = 100_000_000_000;

/** The time of an entry, which is in seconds; milliseconds were seen too. */
function sentMsOf(time: Json | undefined): number | undefined {
  if (typeof time !== 'number' || !Number.isSafeInteger(time) || time < 0) return undefined;
  return time < leastMs ? time * 1000 : time;
}

/** The longest name of a field or an object that is kept. */
const longestName = 60;

function namedIn(name: Json | undefined): string {
  return typeof name === 'string' ? name.slice(0, longestName) : '';
}

/** The most names of fields that are counted apart (Invariant 10). */
const mostNames = 20;

function createCounts() {
  const counts = new Map<string, { field: string; reason: Reason; count: number }>();
  return {
    add(name: string, reason: Reason): void {
      const field = counts.size < mostNames || counts.has(`${reason} ${name}`) ? name : '';
      const key = `${reason} ${field}`;
      const known = counts.get(key) ?? { field, reason, count: 0 };
      known.count += 1;
      counts.set(key, known);
    },
    list: (): readonly IgnoredChanges[] => [...counts.values()],
  };
}
