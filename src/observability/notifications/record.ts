import { type Json, type Value, isNode } from '../../engine/json.ts';
import type { Notification } from './tracker.ts';

/** Converts a notification to the value of its record. */
export function toRecord(notification: Notification): Value {
  const { key, sinceMs, atMs, accountId, kind, status, severity } = notification;
  const { username, stream, token, code, message, advice, instance } = notification;
  return {
    id: `${key}@${new Date(sinceMs).toISOString()}`,
    condition: key,
    kind,
    status,
    severity,
    since: sinceMs,
    at: atMs,
    business_account_id: accountId,
    username,
    stream,
    token,
    code,
    // Avro accepts no half of a surrogate pair.
    message: message.toWellFormed(),
    advice: advice.toWellFormed(),
    instance,
  };
}

/** Returns the notification of a record in its JSON form; undefined for another record. */
export function fromRecord(record: Json): Notification | undefined {
  if (!isNode(record)) return undefined;
  const textOrNull = (name: string): string | null => {
    const value = record[name];
    return typeof value === 'string' ? value : null;
  };
  const text = (name: string): string => textOrNull(name) ?? '';
  const status = text('status');
  const [sinceMs, atMs] = [Date.parse(text('since')), Date.parse(text('at'))];
  const isKnown = (status === 'open' || status === 'resolved') && text('condition') !== '';
  if (!isKnown || Number.isNaN(sinceMs) || Number.isNaN(atMs)) return undefined;
  return {
    key: text('condition'),
    kind: text('kind'),
    status,
    severity: text('severity'),
    sinceMs,
    atMs,
    accountId: textOrNull('business_account_id'),
    username: textOrNull('username'),
    stream: textOrNull('stream'),
    token: textOrNull('token'),
    code: textOrNull('code'),
    message: text('message'),
    advice: text('advice'),
    instance: text('instance'),
  };
}
