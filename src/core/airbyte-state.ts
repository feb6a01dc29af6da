import { StopProcessError } from './errors.ts';
import { parseGraphTime } from './graph-time.ts';
import type { Json, Node } from './json.ts';
import { isNode } from './json.ts';
import { streamNames } from './stream-name.ts';
import { futureMs } from './windows.ts';

/** How far Airbyte's `user_insights` had come for one account. */
export interface AirbyteCursor {
  readonly accountId: string;
  /** The newest `date` that it emitted, epoch milliseconds. */
  readonly cursorMs: number;
}

/** What a state of Airbyte's `source-instagram` says. */
export interface AirbyteState {
  /** In the order of the file, each account once. */
  readonly cursors: readonly AirbyteCursor[];
  /** Streams that the file names besides; they are full refreshes, without a state of use. */
  readonly otherStreams: readonly string[];
}

/** A value and where in the file it stands. */
interface Place {
  readonly value: Json | undefined;
  readonly path: string;
}

/** The state of one stream, as one of Airbyte's envelopes holds it. */
interface StreamPlace extends Place {
  readonly stream: string;
}

const stream = 'user_insights';
const wanted =
  'a state of user_insights: {"states": [{"partition": …, "cursor": …}]}, {"<account id>": {"date": "…"}}, ' +
  '{"<account id>": "…"}, null or {}';
const expectedTime = 'a time such as "2025-06-28T07:00:00+00:00"';

/**
 * Reads the state of `user_insights` in any format that Airbyte's connector ever wrote: per
 * partition, a map of maps, a map of texts, nothing. It may stand alone, below the name of its
 * stream, in a STATE message, or in a list of stream states as a connection's settings show it.
 *
 * @param nowMs - a cursor more than a day ahead of it is refused: nothing would be read before it
 * @throws StopProcessError `config.invalid`, exit code 2, naming the path, what was expected and
 * what came
 */
export function readAirbyteState(file: Json, nowMs: number): AirbyteState {
  const places = streamPlaces({ value: file, path: '' });
  const cursors: AirbyteCursor[] = [];
  const seen = new Map<string, string>();
  for (const place of places.filter((one) => one.stream === stream)) {
    for (const entry of entriesOf(place)) {
      const first = seen.get(entry.accountId);
      if (first !== undefined) {
        refuse(entry.at, `each account once (${first} is the same one)`);
      }
      seen.set(entry.accountId, entry.at.path);
      const cursorMs = cursorOf(entry.cursor, nowMs);
      if (cursorMs !== undefined) cursors.push({ accountId: entry.accountId, cursorMs });
    }
  }
  const others = places.map((place) => place.stream).filter((name) => name !== stream);
  return { cursors, otherStreams: [...new Set(others)] };
}

/** Unwraps Airbyte's envelopes; what is in none is a state of `user_insights`. */
function streamPlaces(place: Place): readonly StreamPlace[] {
  const { value } = place;
  if (Array.isArray(value)) {
    return itemsOf(place).flatMap((item) => [describedStream(item) ?? refuseEnvelope(item)].flat());
  }
  if (!isNode(value)) return [{ ...place, stream }];
  const described = describedStream(place);
  if (described !== undefined) return described;
  if (Array.isArray(value['streamState'])) return streamPlaces(inside(place, 'streamState'));
  if (isNode(value['data'])) return byStream(inside(place, 'data'));
  const named = Object.keys(value).some((key) => isStream(key));
  return named ? byStream(place) : [{ ...place, stream }];
}

/** A STATE message, what it holds, or one entry of a connection's state; undefined for others. */
function describedStream(place: Place): readonly StreamPlace[] | undefined {
  if (!isNode(place.value)) return undefined;
  const { value } = place;
  if (value['type'] === 'STATE') return streamPlaces(inside(place, 'state'));
  if (value['type'] === 'STREAM') return describedStream(inside(place, 'stream'));
  for (const [descriptor, state] of descriptions) {
    if (!Object.hasOwn(value, descriptor)) continue;
    const name = inside(inside(place, descriptor), 'name');
    if (typeof name.value !== 'string') refuse(name, 'the name of a stream');
    return [{ ...inside(place, state), stream: name.value }];
  }
  return undefined;
}

/** Messages write it one way, the connection's settings the other. */
const descriptions = [
  ['stream_descriptor', 'stream_state'],
  ['streamDescriptor', 'streamState'],
] as const;

function isStream(name: string): boolean {
  return name === 'Api' || streamNames.some((known) => known === name);
}

function byStream(place: Place): readonly StreamPlace[] {
  return membersOf(place).map(({ key, at }) => ({ ...at, stream: key }));
}

/** One account's part of a state. */
interface Entry {
  readonly accountId: string;
  readonly at: Place;
  readonly cursor: Place;
}

function entriesOf(place: Place): readonly Entry[] {
  if (place.value === undefined || place.value === null) return [];
  if (!isNode(place.value)) return refuse(place, wanted);
  const perPartition = ['states', 'use_global_cursor'].some((key) => key in (place.value as Node));
  return perPartition ? partitionEntries(place) : legacyEntries(place);
}

/** Only `business_account_id` names a partition; what stands beside it (`parent_slice`) is left. */
function partitionEntries(place: Place): readonly Entry[] {
  const global = inside(place, 'use_global_cursor');
  if (global.value !== undefined && global.value !== false) {
    refuse(global, 'false: a cursor for all accounts does not say which they are; put each below "states"');
  }
  const states = inside(place, 'states');
  if (states.value === undefined) return [];
  if (!Array.isArray(states.value)) refuse(states, 'a list');
  return itemsOf(states).map((item) => {
    const at = inside(inside(item, 'partition'), 'business_account_id');
    return { accountId: accountIdOf(at), at, cursor: inside(item, 'cursor') };
  });
}

function legacyEntries(place: Place): readonly Entry[] {
  return membersOf(place).map(({ key, at }) => {
    if (!isId(key)) refuse({ value: key, path: at.path }, wanted);
    return { accountId: key, at, cursor: at };
  });
}

function isId(text: string): boolean {
  return /^\d+$/.test(text);
}

function accountIdOf(place: Place): string {
  const { value } = place;
  if (typeof value === 'string' && isId(value)) return value;
  // A number of 17 digits has been rounded by the time it is read.
  return refuse(place, 'an account id, a text of digits such as "17841400000000001"');
}

/** @returns undefined where Airbyte had no cursor yet */
function cursorOf(place: Place, nowMs: number): number | undefined {
  if (place.value === null || isEmpty(place.value)) return undefined;
  const at = isNode(place.value) ? inside(place, 'date') : place;
  const cursorMs = typeof at.value === 'string' ? parseGraphTime(at.value) : undefined;
  if (cursorMs === undefined) return refuse(at, expectedTime);
  if (cursorMs > nowMs + futureMs) {
    refuse(at, 'a time of the past: the days before a cursor are not read again');
  }
  return cursorMs;
}

function isEmpty(value: Json | undefined): boolean {
  return isNode(value) && Object.keys(value).length === 0;
}

function inside({ value, path }: Place, key: string): Place {
  const found = isNode(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return { value: found, path: path === '' ? key : `${path}.${key}` };
}

function itemsOf({ value, path }: Place): readonly Place[] {
  return (value as readonly Json[]).map((item, index) => ({
    value: item,
    path: `${path}[${index}]`,
  }));
}

function membersOf(place: Place): readonly { readonly key: string; readonly at: Place }[] {
  return Object.keys(place.value as Node).map((key) => ({ key, at: inside(place, key) }));
}

function refuseEnvelope(place: Place): never {
  return refuse(place, 'a stream state: {"streamDescriptor": {"name": …}, "streamState": …}');
}

function refuse({ value, path }: Place, expected: string): never {
  const came = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200);
  throw new StopProcessError(
    'config.invalid',
    `the Airbyte state, ${path === '' ? 'as a whole' : path}: expected ${expected}, got ${came}`,
    { exitCode: 2 },
  );
}
