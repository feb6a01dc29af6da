import { DeadLetterError, StopStreamError } from '../../engine/errors.ts';
import { partitionOf } from '../../engine/partition.ts';
import { stateKey } from '../../engine/state.ts';
import type { TopicRole } from '../../engine/stream-name.ts';
import type { Batch, OutgoingRecord } from '../../engine/ports.ts';
import type { Layout, TopicLayout } from '../shared.ts';
import { keyFormatHeader, partitionCountHeader } from '../state/topic-reader.ts';

/** A record with its topic and partition. */
export interface PlacedRecord {
  readonly role: TopicRole;
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  /** The key as an Avro record; absent: the text. */
  readonly keyBytes?: Buffer;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Epoch milliseconds; absent: the time of producing. */
  readonly timestampMs?: number;
  /** Upper bound of its size in a produce request. */
  readonly bytes: number;
}

/** One produce request: records of partitions that one broker leads. */
export interface ProduceRequest {
  /** Node id of that broker. */
  readonly leader: number;
  readonly records: readonly PlacedRecord[];
}

/**
 * Like the Java producer's `max.request.size`, which kafkajs lacks; below the broker's default
 * `message.max.bytes`.
 */
const maxRequestBytes = 900_000;

/** Upper bounds of the record batch's header and of the variable-length numbers around a record. */
const recordBatchOverheadBytes = 200;
const recordOverheadBytes = 32;
const headerOverheadBytes = 10;

function estimateBytes(record: Omit<OutgoingRecord, 'role'>): number {
  const keyBytes = record.keyBytes?.length ?? Buffer.byteLength(record.key);
  let bytes = recordOverheadBytes + keyBytes + (record.value?.length ?? 0);
  for (const name in record.headers) {
    const value = record.headers[name] ?? '';
    bytes += headerOverheadBytes + Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  return bytes;
}

function limitOf(topic: TopicLayout): number {
  return topic.maxBatchBytes - recordBatchOverheadBytes;
}

/** The error of a record that no broker accepts; `path` is its key. */
export function tooLarge(record: PlacedRecord, problem: string): Error {
  const message = `${problem}; raise max.message.bytes of ${record.topic}.`;
  if (record.role === 'state') return new StopStreamError('kafka.record-too-large', message);
  return new DeadLetterError('kafka.record-too-large', message, {
    path: record.key,
    raw: record.value?.toString('base64') ?? '',
  });
}

/** The error of a record above the limit of its topic; null when it fits. */
export function sizeProblem(record: PlacedRecord, layout: Layout): Error | null {
  const topic = layout.byName(record.topic);
  if (topic === undefined || record.bytes <= limitOf(topic)) return null;
  const subject = record.role === 'state' ? `The state ${record.key}` : `The record ${record.key}`;
  const bytes = record.bytes + recordBatchOverheadBytes;
  const size = `needs a record batch of ${bytes} bytes, above the limit of ${topic.maxBatchBytes}`;
  return tooLarge(record, `${subject} ${size}`);
}

/** @throws DeadLetterError, StopStreamError `kafka.record-too-large` */
export function placeAt(
  partition: number,
  layout: Layout,
  record: OutgoingRecord,
  topic: string,
): PlacedRecord {
  const placed = { ...record, topic, partition, bytes: estimateBytes(record) };
  const problem = sizeProblem(placed, layout);
  if (problem !== null) throw problem;
  return placed;
}

/**
 * The key of restore markers: tombstones that are committed right after InitProducerId. A restore
 * must read past its own. The text is part of the topic's format; a state's key differs, as it has
 * a slash. All restore markers share one key, so compaction keeps at most one of them per partition.
 */
export const restoreMarkerKey = 'fence';

/** Returns the restore marker, which a new owner commits to a state partition before it reads it. */
export function placeRestoreMarker(
  partition: number,
  layout: Layout,
  instance: string,
): PlacedRecord {
  return placeStateAt(partition, layout, {
    key: restoreMarkerKey,
    value: null,
    headers: { instance },
  });
}

/** Returns the maximum size of a record in the state topic, in bytes. */
export function stateLimitBytes(layout: Layout): number {
  return limitOf(layout.topic('state'));
}

/** Returns a record of the state topic. @throws StopStreamError `kafka.record-too-large` */
export function placeStateAt(
  partition: number,
  layout: Layout,
  content: Omit<OutgoingRecord, 'role'>,
): PlacedRecord {
  const headers = {
    ...content.headers,
    [partitionCountHeader]: String(layout.statePartitions),
    ...(layout.keyFormat === 'avro' && { [keyFormatHeader]: layout.keyFormat }),
  };
  const record = { ...content, role: 'state', headers };
  return placeAt(partition, layout, record, layout.topic('state').name);
}

/**
 * Assigns a partition to every record of a batch; the state comes last, keyed by stream and
 * account, in its account's partition.
 * @throws DeadLetterError `kafka.record-too-large` for the first record that no broker would accept,
 * StopStreamError of the same code for the state
 */
export function placeRecords(batch: Batch, value: Buffer, layout: Layout): readonly PlacedRecord[] {
  const { stream, accountId } = batch.state;
  const poll = batch.records[0]?.headers['poll'];
  const records = batch.records.map((record) => {
    const { name, leaders } = layout.topic(record.role, accountId);
    // By the text in either format: the id of the schema is among the bytes of a key.
    return placeAt(partitionOf(record.key, leaders.length), layout, record, name);
  });
  const state = placeStateAt(partitionOf(accountId, layout.statePartitions), layout, {
    key: stateKey(stream, accountId),
    value,
    headers: { stream, account: accountId, ...(poll === undefined ? {} : { poll }) },
  });
  return [...records, state];
}

class Draft {
  readonly records: PlacedRecord[] = [];
  private bytes = 0;
  private readonly bytesOf = new Map<string, number[]>();

  /** Adds the record; returns false when it does not fit. */
  add(record: PlacedRecord, limitBytes: number): boolean {
    const { topic, partition, bytes } = record;
    const partitions = this.bytesOf.get(topic) ?? [];
    this.bytesOf.set(topic, partitions);
    const partitionBytes = (partitions[partition] ?? 0) + bytes;
    const fits =
      this.records.length === 0 ||
      (this.bytes + bytes <= maxRequestBytes && partitionBytes <= limitBytes);
    if (!fits) return false;
    this.records.push(record);
    this.bytes += bytes;
    partitions[partition] = partitionBytes;
    return true;
  }
}

/**
 * Groups records into as few produce requests as the limits allow, in order within a partition. A
 * request goes to one broker only: when one of several brokers fails, kafkajs repeats the request
 * to the others with new sequence numbers, which publishes their records twice.
 * @param by - `topic`: no request has two topics, so that an error identifies its topic
 */
export function planRequests(
  records: readonly PlacedRecord[],
  layout: Layout,
  by: 'leader' | 'topic' = 'leader',
): readonly ProduceRequest[] {
  const requests: { leader: number; draft: Draft }[] = [];
  const drafts = new Map<string, Draft>();
  for (const record of records) {
    const topic = layout.byName(record.topic);
    if (topic === undefined) throw new Error(`the topic ${record.topic} was not prepared`);
    const leader = topic.leaders[record.partition] ?? -1;
    const groupKey = by === 'topic' ? `${leader}/${topic.name}` : String(leader);
    if (drafts.get(groupKey)?.add(record, limitOf(topic)) === true) continue;
    const draft = new Draft();
    draft.add(record, limitOf(topic));
    drafts.set(groupKey, draft);
    requests.push({ leader, draft });
  }
  return requests.map(({ leader, draft }) => ({ leader, records: draft.records }));
}
