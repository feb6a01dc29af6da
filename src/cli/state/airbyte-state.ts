import { StopProcessError } from '../../engine/errors.ts';
import { isoSeconds } from '../../engine/key.ts';
import { parseGraphTime } from '../../instagram/model/graph-time.ts';
import { type Json, type Node, describeJson, isNode } from '../../engine/json.ts';
import { beginningMs, futureMs } from '../../instagram/model/windows.ts';

/** The position of Airbyte in an account: the date of its newest record. */
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

interface DocumentPath {
  readonly path: string;
}

type MaybeCursor = AirbyteCursor | undefined;

const streamName = 'user_insights';

/**
 * Reads the state of Airbyte's `source-instagram` in each format that it has had: a list of
 * partitions, a map of maps or a map of dates by account, also null and `{}`. Each may be bare or
 * wrapped by the platform: a connection's state, a list of streams' states, or messages of type
 * `STATE`, of which the last of the stream counts.
 *
 * @throws StopProcessError `state.invalid` naming the path, the actual and the expected value
 */
export function readAirbyteState(document: Json, nowMs: number): AirbyteState {
  const bare = unwrap(document, { path: '$' });
  const found = bare === undefined ? [] : readBare(bare.value, bare);
  // A partition that is listed twice counts once, with its latest cursor.
  const furthest = new Map<string, AirbyteCursor>();
  for (const cursor of found) {
    const known = furthest.get(cursor.accountId);
    if (known === undefined || known.cursorMs < cursor.cursorMs)
      furthest.set(cursor.accountId, cursor);
  }
  const cursors = [...furthest.values()];
  const isFuture = ({ cursorMs }: AirbyteCursor) => cursorMs > nowMs + futureMs;
  return {
    cursors: cursors.filter((cursor) => !isFuture(cursor)),
    future: cursors.filter(isFuture),
  };
}

interface BareState extends DocumentPath {
  readonly value: Json;
}

/** Returns the stream's own state within the platform's wrapping; undefined when there is none. */
function unwrap(document: Json, location: DocumentPath): BareState | undefined {
  if (Array.isArray(document)) {
    const entries = (document as readonly Json[]).map((entry, index) =>
      unwrapEntry(entry, { path: `${location.path}[${index}]` }),
    );
    return entries.findLast((entry) => entry !== undefined);
  }
  if (!isNode(document)) return { ...location, value: document };
  const wrapped = wrappings.find(({ has }) => has(document));
  return wrapped === undefined
    ? { ...location, value: document }
    : wrapped.open(document, location);
}

/** Unwraps an entry of a list, which must name its stream; a bare state in a list does not. */
function unwrapEntry(entry: Json, location: DocumentPath): BareState | undefined {
  if (isNode(entry) && wrappings.some(({ has }) => has(entry))) return unwrap(entry, location);
  return refuse(location, 'a message of type STATE, or an object with a stream descriptor', entry);
}

interface Wrapping {
  readonly has: (document: Node) => boolean;
  readonly open: (document: Node, location: DocumentPath) => BareState | undefined;
}

/**
 * Returns the first of two names that is present: the platform's API writes camelCase, its messages
 * underscores.
 */
function either(document: Node, names: readonly [string, string]): { name: string; value: Json } {
  const name = Object.hasOwn(document, names[0]) ? names[0] : names[1];
  return { name, value: document[name] ?? null };
}

const descriptor = ['streamDescriptor', 'stream_descriptor'] as const;
const state = ['streamState', 'stream_state'] as const;
const states = ['streamStates', 'stream_states'] as const;
const kind = ['stateType', 'state_type'] as const;

const hasAny = (document: Node, names: readonly string[]): boolean =>
  names.some((name) => Object.hasOwn(document, name));

function inside(document: Node, name: string, location: DocumentPath): BareState | undefined {
  return unwrap(document[name] ?? null, { path: `${location.path}.${name}` });
}

/** The wrappings in the order of the search; the first match is opened. */
const wrappings: readonly Wrapping[] = [
  // A message of the protocol: {"type": "STATE", "state": {...}}, or of another type.
  {
    has: (document) => typeof document['type'] === 'string' && !hasAny(document, descriptor),
    open: openMessage,
  },
  {
    has: (document) => hasAny(document, descriptor),
    open: openStream,
  },
  // A connection's state, as in the platform's API and settings page.
  { has: (document) => hasAny(document, kind), open: openConnection },
  { has: (document) => hasAny(document, states), open: openStates },
  // One map of all streams, from before states of streams existed.
  {
    has: (document) => Object.hasOwn(document, streamName),
    open: (document, location) => ({
      path: `${location.path}.${streamName}`,
      value: document[streamName] ?? null,
    }),
  },
];

const places: Readonly<Record<string, string>> = {
  STATE: 'state',
  STREAM: 'stream',
  GLOBAL: 'global',
  LEGACY: 'data',
};

function openMessage(message: Node, location: DocumentPath): BareState | undefined {
  const type = message['type'] as string;
  const place = Object.hasOwn(places, type) ? places[type] : undefined;
  // The output of a sync is full of messages that are no states.
  if (place === undefined) return undefined;
  const known = Object.hasOwn(message, place) || type !== 'STATE';
  return known
    ? inside(message, place, location)
    : refuse({ path: `${location.path}.${place}` }, 'an object', undefined);
}

function openStream(entry: Node, location: DocumentPath): BareState | undefined {
  const named = either(entry, descriptor);
  const name = isNode(named.value) ? named.value['name'] : undefined;
  if (typeof name !== 'string') {
    refuse({ path: `${location.path}.${named.name}.name` }, 'the name of a stream', name);
  }
  if (name !== streamName) return undefined;
  const { name: place, value } = either(entry, state);
  return { path: `${location.path}.${place}`, value };
}

const kinds: Readonly<Record<string, readonly [string, string]>> = {
  stream: ['streamState', 'stream_state'],
  global: ['globalState', 'global_state'],
  legacy: ['state', 'state'],
};

function openConnection(connection: Node, location: DocumentPath): BareState | undefined {
  const named = either(connection, kind);
  const type = typeof named.value === 'string' ? named.value.toLowerCase() : '';
  // A connection that was never synced.
  if (type === 'not_set') return undefined;
  const names = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (names === undefined) {
    return refuse(
      { path: `${location.path}.${named.name}` },
      'stream, global, legacy or not_set',
      named.value,
    );
  }
  return inside(connection, either(connection, names).name, location);
}

function openStates(global: Node, location: DocumentPath): BareState | undefined {
  const { name, value } = either(global, states);
  const path = `${location.path}.${name}`;
  return Array.isArray(value) ? unwrap(value, { path }) : refuse({ path }, 'a list', value);
}

function readBare(value: Json, location: DocumentPath): readonly AirbyteCursor[] {
  // Since 0.1.8 missing, null and empty all mean that nothing was read yet.
  if (value === null) return [];
  if (!isNode(value)) return refuse(location, 'an object or null', value);
  if (Object.hasOwn(value, 'states')) return readPartitions(value['states'] ?? null, location);
  if (Object.hasOwn(value, 'use_global_cursor') || Object.hasOwn(value, 'state')) {
    refuse(
      { path: `${location.path}.states` },
      'a list of partitions (a cursor of all accounts together does not say what was read of each)',
      undefined,
    );
  }
  return present(
    Object.entries(value).map(([id, entry]) => {
      const path = `${location.path}.${id}`;
      const accountId = readAccount(id, { path }, 'an account id (digits) as the name');
      return readAccountState(accountId, entry, { path });
    }),
  );
}

/** Reads a map's value: `{"date": …}`, or the date itself as in the oldest versions. */
function readAccountState(accountId: string, entry: Json, location: DocumentPath): MaybeCursor {
  if (typeof entry === 'string')
    return { accountId, cursorMs: readDate(entry, location), ...location };
  return readCursor(accountId, entry, location);
}

function readPartitions(list: Json, location: DocumentPath): readonly AirbyteCursor[] {
  const path = `${location.path}.states`;
  if (!Array.isArray(list)) return refuse({ path }, 'a list of partitions', list);
  return present(
    (list as readonly Json[]).map((entry, index) => {
      const place = `${path}[${index}]`;
      if (!isNode(entry)) {
        return refuse({ path: place }, 'an object with "partition" and "cursor"', entry);
      }
      const partition = entry['partition'];
      const id = isNode(partition) ? partition['business_account_id'] : undefined;
      const where = { path: `${place}.partition.business_account_id` };
      const accountId = readAccount(id, where, 'an account id (a text of digits)');
      return readCursor(accountId, entry['cursor'] ?? null, { path: `${place}.cursor` });
    }),
  );
}

/**
 * Reads `{"date": …}`; undefined when it is null, empty or has a null date: the account was not
 * read yet.
 */
function readCursor(accountId: string, cursor: Json, location: DocumentPath): MaybeCursor {
  if (cursor === null) return undefined;
  if (!isNode(cursor)) return refuse(location, 'an object with "date"', cursor);
  if (Object.keys(cursor).length === 0 || cursor['date'] === null) return undefined;
  const path = `${location.path}.date`;
  return { accountId, cursorMs: readDate(cursor['date'], { path }), path };
}

function readAccount(id: Json | undefined, location: DocumentPath, expected: string): string {
  return typeof id === 'string' && /^\d+$/.test(id) ? id : refuse(location, expected, id);
}

function readDate(date: Json | undefined, location: DocumentPath): number {
  const ms = typeof date === 'string' ? parseGraphTime(date) : undefined;
  if (ms === undefined) return refuse(location, 'a time such as 2025-06-28T07:00:00+00:00', date);
  return ms >= beginningMs
    ? ms
    : refuse(location, 'a time after 2010-01-01, when Instagram began', date);
}

function present(found: readonly MaybeCursor[]): readonly AirbyteCursor[] {
  return found.filter((cursor) => cursor !== undefined);
}

/** Formats a text, number or flag as it is, and other values by their kind. */
function show(value: Json | undefined): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return describeJson(value);
}

function refuse(location: DocumentPath, expected: string, actual: Json | undefined): never {
  throw new StopProcessError(
    'state.invalid',
    `Airbyte's state, ${location.path}: expected ${expected}, got ${show(actual)}. Nothing was changed.`,
    { exitCode: 2 },
  );
}

/** Explains to a person why an account's cursor is not imported. */
export function describeFuture({ accountId, cursorMs, path }: AirbyteCursor): string {
  return (
    `account ${accountId} is left out: its cursor (${path}) is ${isoSeconds(cursorMs)}, which is more than ` +
    'a day ahead of now and so cannot say what was read'
  );
}
