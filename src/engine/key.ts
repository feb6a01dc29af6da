import type { Value } from './json.ts';

/**
 * A record's key: its key fields joined by `/`, times as `2026-05-12T07:00:00Z`. Deterministic, so
 * that consumers can deduplicate and topics can be compacted.
 */
export function recordKey(fields: readonly string[], record: Value): string {
  return fields
    .map((field) => {
      const value = record[field];
      return typeof value === 'number' ? isoSeconds(value) : (value as string);
    })
    .join('/');
}

/** Epoch milliseconds as `2026-05-12T05:26:06Z`, for keys and messages. */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
