import { StopProcessError } from '../../engine/errors.ts';
import { isoSeconds } from '../../engine/key.ts';
import { parseGraphTime } from '../../instagram/model/graph-time.ts';
import { type Json, type Node, describeJson, isNode } from '../../engine/json.ts';
import { beginningMs, futureMs } from '../../instagram/model/windows.ts';

/** Up to where Airbyte had read an account: the date of its newest record. */
export interface AirbyteCursor {
  readonly accountId: string;
  /** Epoch milliseconds. */
  readonly cursorMs: number;
  /** Where in the document it stands. */
  readonly path: string;
}

/** What a document of Airbyte's says of `user_insights`. */
export interface AirbyteState {
  readonly cursors: readonly AirbyteCursor[];
  /** Cursors further ahead than any day ends: they say nothing of what was read. */
  readonly future: readonly AirbyteCursor[];
}

interface At {
  readonly path: string;
}

type Found = AirbyteCursor | undefined;

const streamName = 'user_insights';

/**
 * Reads the state of Airbyte's `source-instagram` in each format that it has had: a list of
 * partitions, a map of maps or a map of dates by account, also null and `{}`. Each bare, or as the
 * platform wraps it: a connection's state, a list of streams' states, messages of type `STATE`,
 * of which the last of the stream counts.
 *
 * @throws StopProcessError `state.invalid` naming the path, what came and what was expected
 */
export function readAirbyteState(document: Json, nowMs: number): AirbyteState {
  const bare = unwrap(document, { path: '$' });
  const found = bare === undefined ? [] : readBare(bare.value, bare);
  // A partition that is listed twice counts once, with what was read furthest.
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

interface Bare extends At {
  readonly value: Json;
}

/** The stream's own state within the platform's wrapping; undefined when there is none of it. */
function unwrap(document: Json, at: At): Bare | undefined {
  if (Array.isArray(document)) {
    const entries = (document as readonly Json[]).map((entry, index) =>
      unwrapEntry(entry, { path: `${at.path}[${index}]` }),
    );
    return entries.findLast((entry) => entry !== undefined);
  }
  if (!isNode(document)) return { ...at, value: document };
  const wrapped = wrappings.find(({ has }) => has(document));
  return wrapped === undefined ? { ...at, value: document } : wrapped.open(document, at);
}

/** An entry of a list has to say which stream it is of; a bare state in a list would not. */
function unwrapEntry(entry: Json, at: At): Bare | undefined {
  if (isNode(entry) && wrappings.some(({ has }) => has(entry))) return unwrap(entry, at);
  return refuse(at, 'a message of type STATE, or an object with a stream descriptor', entry);
}

interface Wrapping {
  readonly has: (document: Node) => boolean;
  readonly open: (document: Node, at: At) => Bare | undefined;
}

/** The platform writes names in camelCase where its API does, and with underscores in messages. */
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

function inside(document: Node, name: string, at: At): Bare | undefined {
  return unwrap(document[name] ?? null, { path: `${at.path}.${name}` });
}

/** In the order in which they are looked for; the first that fits is opened. */
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
  // A connection's state, as the platform's API and its settings page have it.
  { has: (document) => hasAny(document, kind), open: openConnection },
  { has: (document) => hasAny(document, states), open: openStates },
  // Before there were states of streams, one map of all streams.
  {
    has: (document) => Object.hasOwn(document, streamName),
    open: (document, at) => ({
      path: `${at.path}.${streamName}`,
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

function openMessage(message: Node, at: At): Bare | undefined {
  const type = message['type'] as string;
  const place = Object.hasOwn(places, type) ? places[type] : undefined;
  // What a sync prints is full of messages that are not states.
  if (place === undefined) return undefined;
  const known = Object.hasOwn(message, place) || type !== 'STATE';
  return known
    ? inside(message, place, at)
    : refuse({ path: `${at.path}.${place}` }, 'an object', undefined);
}

function openStream(entry: Node, at: At): Bare | undefined {
  const named = either(entry, descriptor);
  const name = isNode(named.value) ? named.value['name'] : undefined;
  if (typeof name !== 'string') {
    refuse({ path: `${at.path}.${named.name}.name` }, 'the name of a stream', name);
  }
  if (name !== streamName) return undefined;
  const { name: place, value } = either(entry, state);
  return { path: `${at.path}.${place}`, value };
}

const kinds: Readonly<Record<string, readonly [string, string]>> = {
  stream: ['streamState', 'stream_state'],
  global: ['globalState', 'global_state'],
  legacy: ['state', 'state'],
};

function openConnection(connection: Node, at: At): Bare | undefined {
  const named = either(connection, kind);
  const type = typeof named.value === 'string' ? named.value.toLowerCase() : '';
  // A connection that was never synced.
  if (type === 'not_set') return undefined;
  const names = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (names === undefined) {
    return refuse(
      { path: `${at.path}.${named.name}` },
      'stream, global, legacy or not_set',
      named.value,
    );
  }
  return inside(connection, either(connection, names).name, at);
}

function openStates(global: Node, at: At): Bare | undefined {
  const { name, value } = either(global, states);
  const path = `${at.path}.${name}`;
  return Array.isArray(value) ? unwrap(value, { path }) : refuse({ path }, 'a list', value);
}

function readBare(value: Json, at: At): readonly AirbyteCursor[] {
  // Since 0.1.8 missing, null and empty all mean that nothing was read yet.
  if (value === null) return [];
  if (!isNode(value)) return refuse(at, 'an object or null', value);
  if (Object.hasOwn(value, 'states')) return readPartitions(value['states'] ?? null, at);
  if (Object.hasOwn(value, 'use_global_cursor') || Object.hasOwn(value, 'state')) {
    refuse(
      { path: `${at.path}.states` },
      'a list of partitions (a cursor of all accounts together does not say what was read of each)',
      undefined,
    );
  }
  return present(
    Object.entries(value).map(([id, entry]) => {
      const path = `${at.path}.${id}`;
      const accountId = readAccount(id, { path }, 'an account id (digits) as the name');
      return readAccountState(accountId, entry, { path });
    }),
  );
}

/** A map's value: `{"date": …}`, or the date itself as the oldest versions had it. */
function readAccountState(accountId: string, entry: Json, at: At): Found {
  if (typeof entry === 'string') return { accountId, cursorMs: readDate(entry, at), ...at };
  return readCursor(accountId, entry, at);
}

function readPartitions(list: Json, at: At): readonly AirbyteCursor[] {
  const path = `${at.path}.states`;
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

/** `{"date": …}`; nothing when it, or the date, is null or it is empty: the account was not read yet. */
function readCursor(accountId: string, cursor: Json, at: At): Found {
  if (cursor === null) return undefined;
  if (!isNode(cursor)) return refuse(at, 'an object with "date"', cursor);
  if (Object.keys(cursor).length === 0 || cursor['date'] === null) return undefined;
  const path = `${at.path}.date`;
  return { accountId, cursorMs: readDate(cursor['date'], { path }), path };
}

function readAccount(id: Json | undefined, at: At, expected: string): string {
  return typeof id === 'string' && /^\d+$/.test(id) ? id : refuse(at, expected, id);
}

function readDate(date: Json | undefined, at: At): number {
  const ms = typeof date === 'string' ? parseGraphTime(date) : undefined;
  if (ms === undefined) return refuse(at, 'a time such as 2025-06-28T07:00:00+00:00', date);
  return ms >= beginningMs ? ms : refuse(at, 'a time after 2010-01-01, when Instagram began', date);
}

function present(found: readonly Found[]): readonly AirbyteCursor[] {
  return found.filter((cursor) => cursor !== undefined);
}

/** A text, number or flag is shown as it came; of what holds others, what it is. */
function show(value: Json | undefined): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return describeJson(value);
}

function refuse(at: At, expected: string, came: Json | undefined): never {
  throw new StopProcessError(
    'state.invalid',
    `Airbyte's state, ${at.path}: expected ${expected}, got ${show(came)}. Nothing was changed.`,
    { exitCode: 2 },
  );
}

/** Why an account's cursor is not taken over, for a person. */
export function describeFuture({ accountId, cursorMs, path }: AirbyteCursor): string {
  return (
    `account ${accountId} is left out: its cursor (${path}) is ${isoSeconds(cursorMs)}, which is more than ` +
    'a day ahead of now and so cannot say what was read'
  );
}
