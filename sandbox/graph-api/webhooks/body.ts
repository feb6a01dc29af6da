import { createHmac } from 'node:crypto';
import { type Json, type JsonObject, encodeJson } from '../json.ts';
import type { WebhookEvent, WebhookSettings } from './settings.ts';

/** A request as it is sent. */
export interface WebhookRequest {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The number of changes. */
  readonly changes: number;
  readonly isForged: boolean;
}

/** Parts that changes share in a request. */
interface Sending {
  readonly settings: WebhookSettings;
  /** The time of sending. */
  readonly nowMs: number;
  /** The app's secret. */
  readonly secret: string;
}

/** Returns the requests of changes, in the order in which they are sent. */
export function requestsOf(
  events: readonly WebhookEvent[],
  sending: Sending,
): readonly WebhookRequest[] {
  const { batch, reorder } = sending.settings;
  const ordered = reorder ? events.toReversed() : events;
  const requests: WebhookRequest[] = [];
  for (let at = 0; at < ordered.length; at += batch) {
    const part = ordered.slice(at, at + batch);
    requests.push(...forged(part, sending), signed(part, sending));
  }
  return requests;
}

function signed(events: readonly WebhookEvent[], sending: Sending): WebhookRequest {
  const text = bodyOf(events, sending);
  return withHeaders(text, signatureOf(text, sending.secret), events.length);
}

function withHeaders(
  text: string,
  signature: string | undefined,
  changes: number,
  isForged = false,
): WebhookRequest {
  const headers = {
    'Content-Type': 'application/json',
    'User-Agent': 'facebookexternalua',
    ...(signature === undefined ? {} : { 'X-Hub-Signature-256': signature }),
  };
  return { text, headers, changes, isForged };
}

/** Returns the value of `X-Hub-Signature-256`. */
function signatureOf(text: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;
}

/** The id of every object in a forged request. */
const FORGED_ID = '66600000000000001';

function forged(events: readonly WebhookEvent[], sending: Sending): readonly WebhookRequest[] {
  const { forge } = sending.settings;
  if (forge === 'none') return [];
  const other = events.map((event) => ({ ...event, value: withForgedIds(event.value) }));
  const text = bodyOf(other, sending);
  const signatures = {
    secret: signatureOf(text, 'the secret of another app'),
    unsigned: undefined,
    altered: signatureOf(bodyOf(events, sending), sending.secret),
  };
  return [withHeaders(text, signatures[forge], events.length, true)];
}

function withForgedIds(value: JsonObject): JsonObject {
  const names = ['id', 'comment_id', 'media_id'].filter((name) => name in value);
  return { ...value, ...Object.fromEntries(names.map((name) => [name, FORGED_ID])) };
}

/** Meta writes everything outside ASCII as `\uXXXX`. */
function bodyOf(events: readonly WebhookEvent[], { settings, nowMs }: Sending): string {
  const time = settings.time === 'ms' ? nowMs : Math.floor(nowMs / 1000);
  const entry: Json[] = [];
  for (const [id, own] of Map.groupBy(events, ({ accountId }) => accountId)) {
    const head = { id, time };
    const changes = own.map(({ field, value }) => ({ field, value }));
    const names = [...new Set(own.map(({ field }) => field))];
    if (settings.shape === 'changes') entry.push({ ...head, changes });
    else if (settings.shape === 'names') entry.push({ ...head, changed_fields: names });
    else entry.push(...changes.map((change) => ({ ...head, ...change })));
  }
  return encodeJson({ object: 'instagram', entry });
}
