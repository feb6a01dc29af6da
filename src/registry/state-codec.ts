import type { Type } from 'avsc';
import {
  errorCodes,
  isConnectorError,
  messageOf,
  StopProcessError,
  StopStreamError,
} from '../engine/errors.ts';
import { type Json, type Value, isNode } from '../engine/json.ts';
import {
  type CommentsReading,
  type DayTotals,
  type DayValues,
  type Published,
  type Refusal,
  type StreamState,
  stateFormatVersion,
  stateKey,
} from '../engine/state.ts';
import { isStreamName } from '../engine/stream-name.ts';
import type { StateCodec } from '../engine/ports.ts';
import { staysWithin } from './body-bounds.ts';
import type { RegistryAddress } from './access.ts';
import { unavailable } from './calls.ts';
import { type RegistryClient, RegistryErrorResponse } from './client.ts';
import { wireHeaderBytes } from './encoder.ts';
import {
  packReadings,
  packPrints,
  packPublished,
  readReadings,
  readPrints,
  readPublished,
} from './published.ts';
import type { TopicSchema } from './schemas.ts';
import { createJsonForm } from './state-form.ts';

/** The dependencies of the state codec. */
export interface StateCodecParts {
  readonly address: RegistryAddress;
  readonly client: RegistryClient;
  readonly readerType: Type;
  /** The id of this version's schema; undefined before `prepare`. */
  readonly ownId: () => number | undefined;
  readonly encode: (value: Value) => Buffer;
}

/** The Avro codec of states; resolves each writer's schema, so that older states stay readable. */
export function createStateCodec(parts: StateCodecParts): StateCodec {
  const writerType = createWriterTypes(parts);
  const decoderFor = createDecoders(parts.readerType);
  return {
    encode: (state) => parts.encode(toValue(state)),
    decode: async (key, bytes) => {
      if (bytes.length <= wireHeaderBytes || bytes[0] !== 0) {
        throw unreadable(key, 'its value is not an Avro record of a schema registry');
      }
      const id = bytes.readInt32BE(1);
      const writer = await writerType(id);
      const decode = decoderFor(writer);
      if (decode === null) {
        const has = `has another schema (${nameOf(writer)}) under id ${id}`;
        throw ofAnotherRegistry(parts.address, has);
      }
      const value = decodeOrStop(key, () => decode(bytes.subarray(wireHeaderBytes)));
      return toState(key, value);
    },
  };
}

/**
 * Returns the writer's type for a schema id; this version's own id needs no registry. All states of
 * a restore share one request; a failed request is not cached.
 */
function createWriterTypes({ address, client, readerType, ownId }: StateCodecParts) {
  const types = new Map<number, Promise<Type>>();
  const load = async (id: number): Promise<Type> => {
    try {
      return await client.typeOf(id);
    } catch (error) {
      if (isConnectorError(error)) throw error;
      if (!(error instanceof RegistryErrorResponse)) {
        throw unavailable(address, `no usable schema ${id}: ${messageOf(error)}`);
      }
      if (error.status === 404) throw ofAnotherRegistry(address, `knows no schema with id ${id}`);
      throw unavailable(address, `HTTP ${error.status} to schema ${id}`);
    }
  };
  return async (id: number): Promise<Type> => {
    if (id === ownId()) return readerType;
    const loading = types.get(id) ?? load(id);
    types.set(id, loading);
    loading.catch(() => types.delete(id));
    return loading;
  };
}

/** Turns a decoding error into one that stops the stream. */
function decodeOrStop(key: string, decode: () => Json): Json {
  try {
    return decode();
  } catch (error) {
    throw unreadable(key, messageOf(error), adviceOnBytes);
  }
}

/** The full name of a schema or Avro type; the library also returns classes for other formats. */
function nameOf(type: Type): string {
  const { name, typeName } = type as Partial<Type> & { readonly name?: string };
  return name ?? typeName ?? 'not Avro';
}

type DecodeState = (body: Buffer) => Json;

/** Returns cached decoders by writer's schema; null when the schema is not a state's. */
function createDecoders(reader: Type): (writer: Type) => DecodeState | null {
  const decoders = new Map<Type, DecodeState | null>();
  return (writer) => {
    const known = decoders.get(writer);
    if (known !== undefined) return known;
    const decode = createDecoder(reader, writer);
    decoders.set(writer, decode);
    return decode;
  };
}

function createDecoder(reader: Type, writer: Type): DecodeState | null {
  try {
    const resolver = writer === reader ? undefined : reader.createResolver(writer);
    return (body) => {
      if (!staysWithin(writer, body)) throw new Error('its bytes end before it does');
      return reader.fromBuffer(body, resolver) as Json;
    };
  } catch {
    return null;
  }
}

/** Lossless JSON form of states, for people and files. */
export interface StateForm {
  toJson(state: StreamState): Json;
  /**
   * Converts JSON to a state.
   *
   * @param path - the position in the input, for messages
   * @throws StopProcessError `state.invalid`
   */
  fromJson(json: Json, path: string): StreamState;
}

/** Creates the form from the schema, so that it includes the fields of later versions. */
export function createStateForm(schema: TopicSchema): StateForm {
  const form = createJsonForm(schema.text);
  return {
    toJson: (state) => form.write(toValue(state)),
    fromJson(json, path) {
      const value = form.read(json, path);
      // The schema defines both as strings.
      const key = `${value['stream'] as string}/${value['account_id'] as string}`;
      try {
        return toState(key, value);
      } catch (error) {
        if (!(error instanceof StopStreamError)) throw error;
        throw new StopProcessError('state.invalid', `${path}: ${error.message}`, { exitCode: 2 });
      }
    },
  };
}

/** The error of an unreadable state. A stream never restarts from zero by itself (Invariant 2). */
function unreadable(
  key: string,
  why: string,
  beginAgain = 'To begin again from the start date',
): StopStreamError {
  return new StopStreamError(
    'state.unreadable',
    `state "${key}" cannot be read: ${why}. Nothing was changed. ${beginAgain}: stop the program, ` +
      `run "instagram-kafka state reset ${key} --apply", start it again`,
  );
}

/** Bytes of another state schema look like damaged ones. */
const adviceOnBytes =
  'If the topic was copied from another cluster, set SCHEMA_REGISTRY_URL to the registry of that ' +
  'cluster and keep the state. Otherwise, to begin again from the start date';

/** The error of a state of another registry: it is intact, so no advice to reset (Invariant 2). */
function ofAnotherRegistry({ url }: RegistryAddress, has: string): StopStreamError {
  return new StopStreamError(
    'registry.mismatch',
    `states cannot be read: the registry at ${url} ${has}, by which they were written. Nothing was ` +
      'changed. Likely cause: the topic was copied from another cluster, whose registry has other ids. Set ' +
      'SCHEMA_REGISTRY_URL to that registry, or copy its schemas to this one with their ids, then ' +
      'start again',
  );
}

function toValue(state: StreamState): Value {
  return {
    format_version: stateFormatVersion,
    stream: state.stream,
    account_id: state.accountId,
    cursor: state.cursorMs,
    covered_until: state.coveredUntilMs,
    days: state.days.map((day) => ({
      date: day.dateMs,
      follower_count: day.followerCount,
      reach: day.reach,
      reach_week: day.reachWeek,
      reach_days_28: day.reachDays28,
      online_followers: day.onlineFollowers,
    })),
    last_poll: state.polledMs,
    published: packPublished(state.published) as unknown as Json,
    insights_read: packReadings(state.insightsRead, state.published) as unknown as Json,
    comments_seen: [...state.seen].map(([media, ids]) => ({
      media,
      comments: packKeys(ids) as unknown as Json,
    })),
    comments_reading: state.reading && readingValue(state.reading),
    dead_letters: packPrints(state.deadLetters) as unknown as Json,
    refusals: state.refusals.map(({ untilMs, missingFromMs = null, ...refusal }) => ({
      ...refusal,
      until: untilMs,
      missing_from: missingFromMs,
    })),
    converted_at: state.convertedMs,
    totals: state.totals.map(({ dateMs, values }) => ({ date: dateMs, values })),
    doubted_at: state.doubtedMs,
    sequence: state.sequence,
    written_at: state.writtenAtMs,
    written_by: state.writtenBy,
  };
}

/** Converts a decoded value to a state; checks the constraints beyond Avro. */
function toState(key: string, decoded: Json): StreamState {
  if (!isNode(decoded)) throw unreadable(key, 'it is not a record');
  const value = decoded as unknown as AvroState;
  if (value.format_version > stateFormatVersion) {
    throw unreadable(
      key,
      `it has format ${value.format_version}, newer than ${stateFormatVersion}, which this version knows: upgrade`,
    );
  }
  if (!isStreamName(value.stream) || stateKey(value.stream, value.account_id) !== key) {
    throw unreadable(key, `it belongs to "${value.stream}/${value.account_id}"`);
  }
  if (value.sequence < 0) throw unreadable(key, `its sequence is ${value.sequence}`);
  const published = unpackPublished(key, value.published);
  return {
    stream: value.stream,
    accountId: value.account_id,
    cursorMs: value.cursor,
    coveredUntilMs: value.covered_until,
    days: value.days.map(toDay),
    totals: value.totals.map(toTotals),
    polledMs: value.last_poll,
    published,
    insightsRead: unpackReadings(key, value.insights_read, published),
    seen: new Map(
      value.comments_seen.map(({ media, comments }) => [
        media,
        new Set(unpackKeys(key, 'comments_seen', comments)),
      ]),
    ),
    reading: value.comments_reading && toReading(key, value.comments_reading),
    deadLetters: unpackPrints(key, 'dead_letters', value.dead_letters),
    refusals: value.refusals.map(toRefusal),
    convertedMs: value.converted_at,
    doubtedMs: value.doubted_at,
    sequence: value.sequence,
    writtenAtMs: value.written_at,
    writtenBy: value.written_by,
  };
}

interface AvroState {
  readonly format_version: number;
  readonly stream: string;
  readonly account_id: string;
  readonly cursor: number | null;
  readonly covered_until: number | null;
  readonly days: readonly AvroDay[];
  readonly last_poll: number | null;
  readonly published: Uint8Array;
  readonly insights_read: Uint8Array;
  readonly comments_seen: readonly { readonly media: string; readonly comments: Uint8Array }[];
  readonly comments_reading: AvroReading | null;
  readonly dead_letters: Uint8Array;
  readonly refusals: readonly AvroRefusal[];
  readonly converted_at: number | null;
  readonly totals: readonly AvroTotals[];
  readonly doubted_at: number | null;
  readonly sequence: number;
  readonly written_at: number;
  readonly written_by: string;
}

interface AvroReading {
  readonly media_id: string;
  readonly after: string | null;
  readonly published: Uint8Array;
  readonly newest: number | null;
  readonly oldest: number | null;
}

interface AvroDay {
  readonly date: number;
  readonly follower_count: number | null;
  readonly reach: number | null;
  readonly reach_week: number | null;
  readonly reach_days_28: number | null;
  readonly online_followers: Readonly<Record<string, number>> | null;
}

interface AvroTotals {
  readonly date: number;
  readonly values: Readonly<Record<string, number>>;
}

interface AvroRefusal {
  readonly subject: string;
  readonly metric: string | null;
  readonly reason: string;
  readonly until: number | null;
  readonly missing_from: number | null;
}

function toRefusal({ subject, metric, reason, until, missing_from }: AvroRefusal): Refusal {
  // A later version may have written an unknown reason; the media stays rejected.
  const code = errorCodes.find((known) => known === reason) ?? 'graph.refused';
  const missing = missing_from === null ? {} : { missingFromMs: missing_from };
  return { subject, metric, reason: code, untilMs: until, ...missing };
}

function unpackPublished(key: string, bytes: Uint8Array): Published {
  const published = readPublished(bytes);
  if (published !== undefined) return published;
  throw unreadable(key, `its "published" has ${bytes.length} bytes, not 16 for each key`);
}

function unpackReadings(key: string, bytes: Uint8Array, published: Published): Published {
  const readings = readReadings(bytes, published);
  if (readings !== undefined) return readings;
  const problem = `${bytes.length} bytes, not 8 for each key published`;
  throw unreadable(key, `its "insights_read" has ${problem}`);
}

function readingValue({ mediaId, after, published, newestMs, oldestMs }: CommentsReading): Value {
  const packed = packKeys(published) as unknown as Json;
  return { media_id: mediaId, after, published: packed, newest: newestMs, oldest: oldestMs };
}

function toReading(key: string, value: AvroReading): CommentsReading {
  return {
    mediaId: value.media_id,
    after: value.after,
    published: unpackKeys(key, 'comments_reading', value.published),
    newestMs: value.newest,
    oldestMs: value.oldest,
  };
}

/** Encodes key numbers, eight bytes each. */
function packKeys(keys: Iterable<string>): Buffer {
  return packPrints(Array.from(keys, BigInt));
}

function unpackKeys(key: string, field: string, bytes: Uint8Array): readonly string[] {
  return unpackPrints(key, field, bytes).map(String);
}

function unpackPrints(key: string, field: string, bytes: Uint8Array): readonly bigint[] {
  const prints = readPrints(bytes);
  if (prints !== undefined) return prints;
  throw unreadable(key, `its "${field}" has ${bytes.length} bytes, not 8 for each`);
}

function toDay(day: AvroDay): DayValues {
  return {
    dateMs: day.date,
    followerCount: day.follower_count,
    reach: day.reach,
    reachWeek: day.reach_week,
    reachDays28: day.reach_days_28,
    onlineFollowers: day.online_followers,
  };
}

function toTotals({ date, values }: AvroTotals): DayTotals {
  // Avro's maps have no prototype; copied, so that equal totals compare as equal.
  return { dateMs: date, values: { ...values } };
}
