import { isConnectorError, StopStreamError } from '../../engine/errors.ts';
import { type Json, isNode } from '../../engine/json.ts';
import { printableLines } from '../../engine/printable.ts';
import { parseAccount, parseStateKey, parseStream } from './state-change.ts';
import type { StoredState } from '../../kafka/index.ts';
import { asTable } from '../table.ts';
import {
  type StateFilter,
  type StateSession,
  matching,
  refuseUnknown,
  stateOf,
} from './session.ts';

/** The format that `state export` writes and `state import` reads. */
export const exportFormat = 'instagram-kafka-state/1';

/**
 * Returns the selected states; rejects an unknown stream, an invalid account and an empty result.
 */
export function select(session: StateSession, filter: StateFilter): readonly StoredState[] {
  if (filter.stream !== undefined) parseStream(filter.stream);
  if (filter.account !== undefined) parseAccount(filter.account);
  const found = matching(session, filter);
  const { stream, account } = filter;
  const narrowed = stream !== undefined || account !== undefined;
  if (found.length === 0 && narrowed) refuseUnknown(session, `${stream ?? '*'}/${account ?? '*'}`);
  return found;
}

/** Formats `state list`: a line a state, or a JSON list. */
export function listStates(session: StateSession, filter: StateFilter, json: boolean): string {
  const rows = select(session, filter).map(describe);
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  return asTable([
    ['KEY', 'CURSOR', 'SEQUENCE', 'WRITTEN AT', 'WRITTEN BY', 'PARTITION', 'BYTES'],
    ...rows.map((row) => [
      row.key,
      row.unreadable === null ? (row.cursor ?? '-') : 'unreadable',
      String(row.sequence ?? '-'),
      row.written_at ?? '-',
      row.written_by ?? '-',
      String(row.partition),
      String(row.bytes),
    ]),
  ]);
}

interface StateRow {
  readonly key: string;
  readonly stream: string;
  readonly account: string;
  readonly cursor: string | null;
  readonly sequence: number | null;
  readonly written_at: string | null;
  readonly written_by: string | null;
  readonly partition: number;
  readonly bytes: number;
  readonly unreadable: string | null;
}

const unread = { cursor: null, sequence: null, written_at: null, written_by: null };

function describe({ key, partition, value, restored }: StoredState): StateRow {
  const [stream = '', account = ''] = key.split('/');
  const place = { key, stream, account, partition, bytes: value.length };
  if (restored.kind === 'unreadable') {
    return { ...place, ...unread, unreadable: restored.error.message };
  }
  const { cursorMs, sequence, writtenAtMs, writtenBy } = restored.state;
  return {
    ...place,
    cursor: cursorMs === null ? null : new Date(cursorMs).toISOString(),
    sequence,
    written_at: new Date(writtenAtMs).toISOString(),
    written_by: writtenBy,
    unreadable: null,
  };
}

/**
 * Formats `state get`: one state as JSON; long values are shortened without `json`.
 *
 * @throws StopStreamError `state.unreadable`, `registry.mismatch`
 */
export function getState(session: StateSession, key: string, json: boolean): string {
  const known = session.stored.find((one) => one.key === key);
  if (known === undefined) {
    parseStateKey(key);
    return refuseUnknown(session, key);
  }
  const state = stateOf(session, key);
  if (state === null) throw unreadable(known);
  const whole = session.form.toJson(state);
  const text = JSON.stringify(json ? whole : shortened(whole), null, 2);
  return `${json ? text : printableLines(text)}\n`;
}

function unreadable({ key, restored }: StoredState): Error {
  const error = restored.kind === 'unreadable' ? restored.error : undefined;
  return isConnectorError(error) ? error : new StopStreamError('state.unreadable', key);
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

/** Formats `state export`: a JSON object a line; an unreadable state keeps its bytes. */
export function exportStates(session: StateSession, filter: StateFilter): string {
  return select(session, filter)
    .map((stored) => `${JSON.stringify(exportEntry(stored, session))}\n`)
    .join('');
}

function exportEntry({ key, value, restored }: StoredState, { form }: StateSession) {
  return restored.kind === 'state'
    ? { format: exportFormat, key, state: form.toJson(restored.state) }
    : {
        format: exportFormat,
        key,
        unreadable: restored.error.message,
        bytes: value.toString('base64'),
      };
}
