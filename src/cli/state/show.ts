import { isClassifiedError, StopStreamError } from '../../engine/errors.ts';
import { type Json, isNode } from '../../engine/json.ts';
import type { StreamState } from '../../engine/state.ts';
import { printableLines } from '../../engine/printable.ts';
import type { StoredState } from '../../kafka/index.ts';
import { jsonText } from '../command.ts';
import { asTable, iso } from '../text.ts';
import {
  type StateFilter,
  type StateSession,
  contentOf,
  select,
  stateOf,
  storedUnder,
} from './session.ts';

/** The format that `state export` writes and `state import` reads. */
export const exportFormat = 'instagram-kafka-state/1';

/** Formats `state list`: one line per state, or a JSON list. */
export function listStates(session: StateSession, filter: StateFilter, json: boolean): string {
  const rows = select(session, filter).map(describe);
  if (json) return jsonText(rows);
  return asTable([
    ['KEY', 'CURSOR', 'PAUSED UNTIL', 'SEQUENCE', 'WRITTEN AT', 'WRITTEN BY', 'PARTITION', 'BYTES'],
    ...rows.map((row) => [
      row.key,
      row.unreadable === null ? (row.cursor ?? '-') : 'unreadable',
      row.pause === null ? '-' : (row.pause.until ?? 'no end'),
      String(row.sequence ?? '-'),
      row.written_at ?? '-',
      row.written_by ?? '-',
      String(row.partition),
      String(row.bytes),
    ]),
  ]);
}

function describe(stored: StoredState) {
  const { key, partition, value } = stored;
  const [stream = '', account = ''] = key.split('/');
  const { state, unreadable } = contentOf(stored);
  return {
    key,
    stream,
    account,
    partition,
    bytes: value.length,
    cursor: iso(state?.cursorMs),
    pause: describePause(state),
    sequence: state?.sequence ?? null,
    written_at: iso(state?.writtenAtMs),
    written_by: state?.writtenBy ?? null,
    unreadable,
  };
}

function describePause(state: StreamState | null) {
  if (!state?.pause) return null;
  const { sinceMs, untilMs } = state.pause;
  return { since: iso(sinceMs), until: iso(untilMs) };
}

/**
 * Formats `state get`: one state as JSON; long values are shortened without `json`.
 * @throws StopStreamError `state.unreadable`, `registry.mismatch`
 */
export function getState(session: StateSession, key: string, json: boolean): string {
  const [stored] = storedUnder(session, key);
  const state = stateOf(session, key);
  if (state === null) {
    const error = stored?.restored.kind === 'unreadable' ? stored.restored.error : undefined;
    throw isClassifiedError(error) ? error : new StopStreamError('state.unreadable', key);
  }
  const whole = session.form.toJson(state);
  return json ? jsonText(whole) : printableLines(jsonText(shortened(whole)));
}

const longestShown = 200;

function shortened(value: Json): Json {
  if (!isNode(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      typeof inner === 'string' && inner.length > longestShown
        ? `${inner.slice(0, 40)}… (${inner.length} characters; --json shows all)`
        : inner,
    ]),
  );
}

/** Formats `state export`: one JSON object per line; an unreadable state keeps its bytes. */
export function exportStates(session: StateSession, filter: StateFilter): string {
  const entries = select(session, filter).map(({ key, value, restored }) => {
    const entry = { format: exportFormat, key };
    return restored.kind === 'state'
      ? { ...entry, state: session.form.toJson(restored.state) }
      : { ...entry, unreadable: restored.error.message, bytes: value.toString('base64') };
  });
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}
