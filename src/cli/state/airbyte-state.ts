import { isoSeconds } from '../../engine/key.ts';
import { type Json, describeJson, isNode } from '../../engine/json.ts';
import { parseGraphTime } from '../../instagram/model/graph-time.ts';
import { beginningMs, futureMs } from '../../instagram/model/windows.ts';
import { rejectState } from './state-change.ts';

/** Airbyte's cursor for an account: the date of its newest record. */
export interface AirbyteCursor {
  readonly accountId: string;
  /** Epoch milliseconds. */
  readonly cursorMs: number;
  /** Path of the value in the document. */
  readonly path: string;
}

/** The state of `user_insights` in an Airbyte document. */
export interface AirbyteState {
  readonly cursors: readonly AirbyteCursor[];
  /** Cursors more than a day ahead of now: they do not show what was read. */
  readonly future: readonly AirbyteCursor[];
}

/** A value, undefined when it is missing, and its path in the document. */
interface Located {
  readonly path: string;
  readonly value: Json | undefined;
}

type MaybeCursor = AirbyteCursor | undefined;

const streamName = 'user_insights';

/**
 * Reads the state of Airbyte's `source-instagram` in each format that it has had: a list of
 * partitions, a map of maps or a map of dates by account, also null and `{}`. Each may be bare or
 * wrapped by the platform: a connection's state, a list of streams' states, or messages of type
 * `STATE`, of which the last of the stream counts.
 * @throws StopProcessError `state.invalid` naming the path, the actual and the expected value
 */
export function readAirbyteState(document: Json, nowMs: number): AirbyteState {
  const bare = unwrap({ path: '$', value: document });
  const found = bare === undefined ? [] : readBare(bare);
  // A partition that is listed twice counts once, with its latest cursor.
  const furthest = new Map<string, AirbyteCursor>();
  for (const cursor of found) {
    const known = cursor && furthest.get(cursor.accountId);
    if (cursor !== undefined && (known === undefined || known.cursorMs < cursor.cursorMs)) {
      furthest.set(cursor.accountId, cursor);
    }
  }
  const cursors = [...furthest.values()];
  const isFuture = ({ cursorMs }: AirbyteCursor) => cursorMs > nowMs + futureMs;
  return {
    cursors: cursors.filter((cursor) => !isFuture(cursor)),
    future: cursors.filter(isFuture),
  };
}

type Open = (document: Located, marker: Located) => Located | undefined;

/** The wrappings by the member that marks them; the first that a document has is opened. */
const wrappings: readonly (readonly [marker: string, open: Open])[] = [
  ['streamDescriptor', openStream],
  // A message of the protocol: {"type": "STATE", "state": {...}}, or of another type.
  ['type', openMessage],
  // A connection's state, as in the platform's API and settings page.
  ['stateType', openConnection],
  ['streamStates', openStates],
  // One map of all streams, from before states of streams existed.
  [streamName, (_document, state) => state],
];

/** Returns the stream's own state within the platform's wrapping; undefined when there is none. */
function unwrap(document: Located): Located | undefined {
  const entries = entriesOf(document);
  if (entries === undefined) {
    const open = wrappingOf(document);
    return open === undefined ? document : open();
  }
  const found = entries.map((entry) => {
    // A bare state in a list does not name its stream.
    if (wrappingOf(entry) !== undefined) return unwrap(entry);
    return reject(entry, 'a message of type STATE, or an object with a stream descriptor');
  });
  return found.findLast((entry) => entry !== undefined);
}

function wrappingOf(document: Located): (() => Located | undefined) | undefined {
  for (const [name, open] of wrappings) {
    const marker = member(document, name);
    const isMarked =
      name === 'type' ? typeof marker.value === 'string' : marker.value !== undefined;
    if (isMarked) return () => open(document, marker);
  }
  return undefined;
}

function entriesOf({ path, value }: Located): readonly Located[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return (value as readonly Json[]).map((one, at) => ({ path: `${path}[${at}]`, value: one }));
}

/**
 * Returns a member of an object by its name in camelCase, as the platform's API writes it, or with
 * underscores, as its messages do.
 */
function member({ path, value }: Located, camelCase: string): Located {
  const underscored = camelCase.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const names = isNode(value) ? Object.keys(value) : [];
  const name = [camelCase, underscored].find((one) => names.includes(one));
  const found = name !== undefined && isNode(value) ? value[name] : undefined;
  return { path: `${path}.${name ?? camelCase}`, value: found };
}

const messageMembers = { STATE: 'state', STREAM: 'stream', GLOBAL: 'global', LEGACY: 'data' };

function openMessage(message: Located, { value: type }: Located): Located | undefined {
  const name = entryOf(messageMembers, type);
  // Most messages in the output of a sync are not states.
  if (name === undefined) return undefined;
  const state = member(message, name);
  if (type === 'STATE' && state.value === undefined) reject(state, 'an object');
  return unwrap(state);
}

function openStream(entry: Located, descriptor: Located): Located | undefined {
  const name = member(descriptor, 'name');
  if (typeof name.value !== 'string') reject(name, 'the name of a stream');
  return name.value === streamName ? member(entry, 'streamState') : undefined;
}

const connectionMembers = { stream: 'streamState', global: 'globalState', legacy: 'state' };

function openConnection(connection: Located, type: Located): Located | undefined {
  const name = typeof type.value === 'string' ? type.value.toLowerCase() : '';
  // A connection that was never synced.
  if (name === 'not_set') return undefined;
  const state = entryOf(connectionMembers, name);
  if (state === undefined) return reject(type, 'stream, global, legacy or not_set');
  return unwrap(member(connection, state));
}

function entryOf(names: Readonly<Record<string, string>>, key: unknown): string | undefined {
  return Object.entries(names).find(([name]) => name === key)?.[1];
}

function openStates(_global: Located, states: Located): Located | undefined {
  return Array.isArray(states.value) ? unwrap(states) : reject(states, 'a list');
}

function readBare(state: Located): readonly MaybeCursor[] {
  const { path, value } = state;
  // Since 0.1.8 missing, null and empty all mean that nothing was read yet.
  if (value === undefined || value === null) return [];
  if (!isNode(value)) return reject(state, 'an object or null');
  const states = member(state, 'states');
  if (states.value !== undefined) return readPartitions(states);
  if (Object.hasOwn(value, 'use_global_cursor') || Object.hasOwn(value, 'state')) {
    reject(
      states,
      'a list of partitions (a cursor of all accounts together does not say what was read of each)',
    );
  }
  return Object.entries(value).map(([id, entry]) => {
    const located = { path: `${path}.${id}`, value: entry };
    const accountId = readAccount({ ...located, value: id }, 'an account id (digits) as the name');
    // The oldest versions wrote the date itself instead of {"date": …}.
    if (typeof entry !== 'string') return readCursor(accountId, located);
    return { accountId, cursorMs: readDate(located), path: located.path };
  });
}

function readPartitions(states: Located): readonly MaybeCursor[] {
  const entries = entriesOf(states) ?? reject(states, 'a list of partitions');
  return entries.map((entry) => {
    if (!isNode(entry.value)) reject(entry, 'an object with "partition" and "cursor"');
    const id = member(member(entry, 'partition'), 'business_account_id');
    const accountId = readAccount(id, 'an account id (a text of digits)');
    return readCursor(accountId, member(entry, 'cursor'));
  });
}

/** Reads `{"date": …}`; null, an empty object and a null date mean that nothing was read yet. */
function readCursor(accountId: string, cursor: Located): MaybeCursor {
  const { value } = cursor;
  if (value === undefined || value === null) return undefined;
  if (!isNode(value)) return reject(cursor, 'an object with "date"');
  const date = member(cursor, 'date');
  if (Object.keys(value).length === 0 || date.value === null) return undefined;
  return { accountId, cursorMs: readDate(date), path: date.path };
}

function readAccount(id: Located, expected: string): string {
  return typeof id.value === 'string' && /^\d+$/.test(id.value) ? id.value : reject(id, expected);
}

function readDate(date: Located): number {
  const ms = typeof date.value === 'string' ? parseGraphTime(date.value) : undefined;
  if (ms === undefined) return reject(date, 'a time such as 2025-06-28T07:00:00+00:00');
  return ms >= beginningMs ? ms : reject(date, 'a time after 2010-01-01, when Instagram began');
}

/** Formats a text, number or flag as it is, and other values by their kind. */
function show(value: Json | undefined): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return describeJson(value);
}

function reject({ path, value }: Located, expected: string): never {
  return rejectState(`Airbyte's state, ${path}: expected ${expected}, got ${show(value)}`);
}

/** Explains to a person why an account's cursor is not imported. */
export function describeFuture({ accountId, cursorMs, path }: AirbyteCursor): string {
  return (
    `account ${accountId} is left out: its cursor (${path}) is ${isoSeconds(cursorMs)}, which is more than ` +
    'a day ahead of now and so cannot say what was read'
  );
}
