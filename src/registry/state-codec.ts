import type { Type } from 'avsc';
import {
  errorCodes,
  isClassifiedError,
  messageOf,
  StopProcessError,
  StopStreamError,
} from '../engine/errors.ts';
import { type Json, type Node, type Value, isNode } from '../engine/json.ts';
import {
  type CommentsReading,
  type DayTotals,
  type DayValues,
  type Pause,
  type Published,
  type Rejection,
  type RememberedStory,
  type SeenComments,
  type SearchedHashtag,
  type StreamState,
  formatOf,
  stateFormatVersion,
  stateKey,
  storyOutcomes,
} from '../engine/state.ts';
import type { StateCodec } from '../engine/ports.ts';
import { type RegistryAddress, unavailable } from './calls.ts';
import { type RegistryClient, RegistryErrorResponse } from './client.ts';
import type { TopicSchema } from './schemas.ts';
import { createJsonForm } from './json-form.ts';
import {
  dayNames,
  fromAvro,
  hashtagNames,
  pauseNames,
  readingNames,
  rejectionNames,
  stateNames,
  storyNames,
  toAvro,
  totalsNames,
} from './state-fields.ts';
import { checkBounds, splitWireValue } from './wire-format.ts';

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
  const decoderOf = createDecoders(parts);
  return {
    encode: (state) => parts.encode(toValue(state)),
    async decode(key, bytes) {
      const wire = splitWireValue(bytes);
      if (wire === undefined) {
        throw unreadable(key, 'its value is not an Avro record of a schema registry');
      }
      const decode = await decoderOf(wire.id);
      let value: Json;
      try {
        value = decode(wire.body);
      } catch (error) {
        throw unreadable(key, messageOf(error), adviceOnBytes);
      }
      return toState(key, value);
    },
  };
}

type DecodeState = (body: Buffer) => Json;

/**
 * Returns the decoders by the id of their writer's schema; this version's own id needs no registry.
 * All states of a restore share one request; a failed request is not cached.
 */
function createDecoders({ address, client, readerType, ownId }: StateCodecParts) {
  const decoders = new Map<number, Promise<DecodeState>>();
  const fetchType = async (id: number): Promise<Type> => {
    try {
      return await client.typeOf(id);
    } catch (error) {
      if (isClassifiedError(error)) throw error;
      if (!(error instanceof RegistryErrorResponse)) {
        throw unavailable(address, `no usable schema ${id}: ${messageOf(error)}`);
      }
      if (error.status === 404) throw ofAnotherRegistry(address, `knows no schema with id ${id}`);
      throw unavailable(address, `HTTP ${error.status} to schema ${id}`);
    }
  };
  const load = async (id: number): Promise<DecodeState> => {
    const writer = id === ownId() ? readerType : await fetchType(id);
    const decode = createDecoder(readerType, writer);
    if (decode !== null) return decode;
    throw ofAnotherRegistry(address, `has another schema (${nameOf(writer)}) under id ${id}`);
  };
  return (id: number): Promise<DecodeState> => {
    const decoder = decoders.get(id) ?? load(id);
    decoders.set(id, decoder);
    decoder.catch(() => decoders.delete(id));
    return decoder;
  };
}

/** The full name of a schema or Avro type; the library also returns classes for other formats. */
function nameOf(type: Type): string {
  const { name, typeName } = type as Partial<Type> & { readonly name?: string };
  return name ?? typeName ?? 'not Avro';
}

/** Creates the decoder of a writer's schema; null when the schema is not a state's. */
function createDecoder(reader: Type, writer: Type): DecodeState | null {
  try {
    const resolver = writer === reader ? undefined : reader.createResolver(writer);
    return (body) => {
      checkBounds(writer, body);
      return reader.fromBuffer(body, resolver) as Json;
    };
  } catch {
    return null;
  }
}

/** Lossless JSON form of states, for people and files. */
export type StateForm = ReturnType<typeof createStateForm>;

/** Creates the form from the schema, so that it includes the fields of later versions. */
export function createStateForm(schema: TopicSchema) {
  const form = createJsonForm(schema.text);
  return {
    toJson: (state: StreamState) => form.write(toValue(state)),
    /** Converts JSON to a state; `path` is its position in the input. @throws StopProcessError `state.invalid` */
    fromJson(json: Json, path: string): StreamState {
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
function ofAnotherRegistry({ url }: RegistryAddress, fact: string): StopStreamError {
  return new StopStreamError(
    'registry.mismatch',
    `states cannot be read: the registry at ${url} ${fact}, by which they were written. Nothing was ` +
      'changed. Likely causes: the registry lost its data (restore its backup or its `_schemas` topic), ' +
      'or the topic was copied from another cluster, whose registry has other ids (set ' +
      'SCHEMA_REGISTRY_URL to that registry, or copy its schemas to this one with their ids). Then ' +
      'start again',
  );
}

/** The fields of a decoded state that are not values of the state as they are. */
interface PackedState {
  readonly format_version: number;
  readonly days: readonly Node[];
  readonly totals: readonly Node[];
  readonly published: Uint8Array;
  readonly insights_read: Uint8Array;
  readonly comments_seen: readonly { readonly media: string; readonly comments: Uint8Array }[];
  readonly comments_delivered: PackedState['comments_seen'];
  readonly comments_reading: Node | null;
  readonly dead_letters: Uint8Array;
  readonly refusals: readonly Node[];
  readonly hashtags: readonly Node[];
  readonly pause: Node | null;
  readonly stories: readonly Node[];
}

function toValue(state: StreamState): Value {
  const { days, totals, published, seen, delivered, reading, rejections, pause } = state;
  const value = {
    ...toAvro<Pick<StreamState, keyof typeof stateNames>>(stateNames, state),
    format_version: formatOf(state),
    days: days.map((day) => toAvro(dayNames, day)),
    totals: totals.map((day) => toAvro(totalsNames, day)),
    published: packPublished(published),
    insights_read: packReadings(state.insightsRead, published),
    comments_seen: packComments(seen),
    comments_delivered: packComments(delivered),
    comments_reading: reading && {
      ...toAvro(readingNames, reading),
      published: packKeys(reading.published),
    },
    dead_letters: packLongs(state.deadLetters),
    refusals: rejections.map((rejection) => toAvro(rejectionNames, rejection)),
    hashtags: state.hashtags.map((hashtag) => toAvro(hashtagNames, hashtag)),
    pause: pause && toAvro(pauseNames, pause),
    stories: state.stories.map((story) => toAvro(storyNames, story)),
  };
  // Bytes are buffers here, as Avro requires; the type `Value` does not include them.
  return value as unknown as Value;
}

/** Converts a decoded value to a state; checks the constraints beyond Avro. */
function toState(key: string, decoded: Json): StreamState {
  if (!isNode(decoded)) throw unreadable(key, 'it is not a record');
  const plain = fromAvro<Pick<StreamState, keyof typeof stateNames>>(stateNames, decoded);
  const packed = decoded as unknown as PackedState;
  if (packed.format_version > stateFormatVersion) {
    throw unreadable(
      key,
      `it has format ${packed.format_version}, newer than ${stateFormatVersion}, which this version knows: upgrade`,
    );
  }
  const owner = stateKey(plain.stream, plain.accountId);
  if (owner !== key) throw unreadable(key, `it belongs to "${owner}"`);
  if (plain.sequence < 0) throw unreadable(key, `its sequence is ${plain.sequence}`);
  const published = unpackPublished(key, packed.published);
  return {
    ...plain,
    days: packed.days.map((day) => fromAvro<DayValues>(dayNames, day)),
    totals: packed.totals.map(toTotals),
    published,
    insightsRead: unpackReadings(key, packed.insights_read, published),
    seen: unpackComments(key, 'comments_seen', packed),
    delivered: unpackComments(key, 'comments_delivered', packed),
    reading: packed.comments_reading && toReading(key, packed.comments_reading),
    deadLetters: unpackLongs(key, 'dead_letters', packed.dead_letters),
    rejections: packed.refusals.map(toRejection),
    hashtags: packed.hashtags.map((one) => fromAvro<SearchedHashtag>(hashtagNames, one)),
    pause: packed.pause && fromAvro<Pause>(pauseNames, packed.pause),
    stories: packed.stories.map(toStory),
  };
}

function toRejection(record: Node): Rejection {
  const { missingFromMs, ...rejection } = fromAvro<Rejection>(rejectionNames, record);
  // A later version may have written an unknown reason; the media stays rejected.
  const reason = errorCodes.find((known) => known === rejection.reason) ?? 'graph.refused';
  const isMissing = typeof missingFromMs === 'number';
  return { ...rejection, reason, ...(isMissing && { missingFromMs }) };
}

function toReading(key: string, record: Node): CommentsReading {
  const bytes = record['published'] as unknown as Uint8Array;
  const published = unpackKeys(key, 'comments_reading', bytes);
  return { ...fromAvro<CommentsReading>(readingNames, record), published };
}

function toTotals(record: Node): DayTotals {
  const { dateMs, values } = fromAvro<DayTotals>(totalsNames, record);
  // Avro's maps have no prototype; copied, so that equal totals compare as equal.
  return { dateMs, values: { ...values } };
}

function toStory(record: Node): RememberedStory {
  const story = fromAvro<RememberedStory>(storyNames, record);
  const { outcome } = story;
  // A later version may have written an unknown outcome; the story gets no other last record.
  const known = storyOutcomes.find((one) => one === outcome) ?? 'final';
  const actions = Object.entries(story.actions).map(([name, counts]) => [name, { ...counts }]);
  return {
    ...story,
    // Avro's maps have no prototype; copied, so that equal stories compare as equal.
    values: { ...story.values },
    actions: Object.fromEntries(actions) as RememberedStory['actions'],
    outcome: outcome === null ? null : known,
  };
}

/** Bytes of a key number, of a fingerprint and of a reading. */
const longBytes = 8;

/** Packs published keys and fingerprints, 16 bytes per key. */
function packPublished(published: Published): Buffer {
  const bytes = Buffer.allocUnsafe(published.size * 2 * longBytes);
  let offset = 0;
  for (const [key, fingerprint] of published) {
    offset = bytes.writeBigUInt64BE(BigInt(key), offset);
    offset = bytes.writeBigUInt64BE(fingerprint, offset);
  }
  return bytes;
}

function unpackPublished(key: string, bytes: Uint8Array): Published {
  const longs = bytes.length % (2 * longBytes) === 0 ? readLongs(bytes) : undefined;
  if (longs === undefined) {
    throw unreadable(key, `its "published" has ${bytes.length} bytes, not 16 for each key`);
  }
  const published = new Map<string, bigint>();
  for (let index = 0; index < longs.length; index += 2) {
    published.set(String(longs[index]), longs[index + 1] ?? 0n);
  }
  return published;
}

/** Packs the readings of media, 8 bytes per published key, in the same order; 0 for none. */
function packReadings(readings: Published, published: Published): Buffer {
  if (readings.size === 0) return Buffer.alloc(0);
  return packLongs([...published.keys()].map((key) => readings.get(key) ?? 0n));
}

function unpackReadings(key: string, bytes: Uint8Array, published: Published): Published {
  const readings = readLongs(bytes);
  if (readings === undefined || (bytes.length > 0 && readings.length !== published.size)) {
    const problem = `${bytes.length} bytes, not 8 for each key published`;
    throw unreadable(key, `its "insights_read" has ${problem}`);
  }
  const keys = [...published.keys()];
  const entries = readings.map((reading, index) => [keys[index] ?? '', reading] as const);
  return new Map(entries.filter(([, reading]) => reading !== 0n));
}

function packComments(seen: SeenComments): PackedState['comments_seen'] {
  return [...seen].map(([media, ids]) => ({ media, comments: packKeys(ids) }));
}

function unpackComments(
  key: string,
  field: 'comments_seen' | 'comments_delivered',
  packed: PackedState,
): SeenComments {
  return new Map(
    packed[field].map(({ media, comments }) => [media, new Set(unpackKeys(key, field, comments))]),
  );
}

/** Packs key numbers, 8 bytes each. */
function packKeys(keys: Iterable<string>): Buffer {
  return packLongs(Array.from(keys, BigInt));
}

function unpackKeys(key: string, field: string, bytes: Uint8Array): readonly string[] {
  return unpackLongs(key, field, bytes).map(String);
}

/** Packs unsigned numbers, such as fingerprints, 8 bytes each. */
function packLongs(longs: readonly bigint[]): Buffer {
  const bytes = Buffer.allocUnsafe(longs.length * longBytes);
  longs.forEach((long, index) => bytes.writeBigUInt64BE(long, index * longBytes));
  return bytes;
}

function unpackLongs(key: string, field: string, bytes: Uint8Array): readonly bigint[] {
  const longs = readLongs(bytes);
  if (longs !== undefined) return longs;
  throw unreadable(key, `its "${field}" has ${bytes.length} bytes, not 8 for each`);
}

/** Reads unsigned numbers of 8 bytes; returns undefined when the bytes are not a multiple of 8. */
function readLongs(bytes: Uint8Array): readonly bigint[] | undefined {
  if (bytes.length % longBytes !== 0) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: view.length / longBytes }, (_, index) =>
    view.readBigUInt64BE(index * longBytes),
  );
}
