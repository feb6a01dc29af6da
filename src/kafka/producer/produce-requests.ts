import { DeadLetterError, StopStreamError } from '../../engine/errors.ts';
import { partitionOf } from '../../engine/partition.ts';
import { stateKey } from '../../engine/state.ts';
import type { TopicRole } from '../../engine/stream-name.ts';
import type { Batch, OutgoingRecord } from '../../engine/ports.ts';
import type { Layout, TopicLayout } from '../layout.ts';
import { partitionCountHeader } from '../state/partition-read.ts';

/** A record with the place that it goes to. */
export interface PlacedRecord {
  readonly role: TopicRole;
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** What it weighs in a produce request, at most. */
  readonly bytes: number;
}

/** One produce request: records of partitions that one broker leads. */
export interface ProduceRequest {
  /** The node id of that broker. */
  readonly leader: number;
  readonly records: readonly PlacedRecord[];
}

/** kafkajs has no limit of its own; the broker's usual one is 1 MiB a record batch. */
const maxSendBytes = 900_000;

/** The record batch's own header and the variable-length numbers around a record, generously. */
const batchOverheadBytes = 200;
const recordOverheadBytes = 32;
const headerOverheadBytes = 10;

function weigh(record: Omit<OutgoingRecord, 'role'>): number {
  let bytes = recordOverheadBytes + Buffer.byteLength(record.key) + (record.value?.length ?? 0);
  for (const name in record.headers) {
    const value = record.headers[name] ?? '';
    bytes += headerOverheadBytes + Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  return bytes;
}

function limitOf(topic: TopicLayout): number {
  return topic.maxBatchBytes - batchOverheadBytes;
}

/** The error of a record that no broker takes; `path` is its key. */
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
  const limitBytes = limitOf(layout.topic(record.role));
  if (record.bytes <= limitBytes) return null;
  const what = record.role === 'state' ? `The state ${record.key}` : `The record ${record.key}`;
  const size = `weighs ${record.bytes} bytes with its key and headers, expected at most ${limitBytes}`;
  return tooLarge(record, `${what} for ${record.topic} ${size}`);
}

/** @throws DeadLetterError, StopStreamError `kafka.record-too-large` */
function fitting(record: PlacedRecord, layout: Layout): PlacedRecord {
  const problem = sizeProblem(record, layout);
  if (problem !== null) throw problem;
  return record;
}

function place(record: OutgoingRecord, layout: Layout): PlacedRecord {
  const topic = layout.topic(record.role);
  const partition = partitionOf(record.key, topic.leaders.length);
  return fitting({ ...record, topic: topic.name, partition, bytes: weigh(record) }, layout);
}

/** The state record: keyed by stream and account, in the partition of its account. */
function placeState(batch: Batch, value: Buffer, layout: Layout): PlacedRecord {
  const { stream, accountId } = batch.state;
  const poll = batch.records[0]?.headers['poll'];
  return placeStateAt(partitionOf(accountId, layout.statePartitions), layout, {
    key: stateKey(stream, accountId),
    value,
    headers: { stream, account: accountId, ...(poll === undefined ? {} : { poll }) },
  });
}

/**
 * The key of fence records. It is no state's key, which has a slash; one key a partition, so that
 * compaction keeps at most one, and a tombstone, which every reader of states passes over.
 */
export const fenceKey = 'fence';

/** The record that a new owner writes to a state partition before it reads it. */
export function placeFence(partition: number, layout: Layout, instance: string): PlacedRecord {
  return placeStateAt(partition, layout, { key: fenceKey, value: null, headers: { instance } });
}

/** The most bytes of a record in the state topic. */
export function stateLimitBytes(layout: Layout): number {
  return limitOf(layout.topic('state'));
}

/**
 * A record of the state topic in a partition that is given.
 *
 * @throws StopStreamError `kafka.record-too-large`
 */
export function placeStateAt(
  partition: number,
  layout: Layout,
  content: Omit<OutgoingRecord, 'role'>,
): PlacedRecord {
  const topic = layout.topic('state');
  const headers = { ...content.headers, [partitionCountHeader]: String(layout.statePartitions) };
  const record = { role: 'state' as const, ...content, headers };
  return fitting({ ...record, topic: topic.name, partition, bytes: weigh(record) }, layout);
}

/**
 * Gives every record of a batch its partition; the state comes last.
 *
 * @throws DeadLetterError `kafka.record-too-large` for the first record that no broker would take,
 * StopStreamError of the same code for the state
 */
export function placeRecords(batch: Batch, state: Buffer, layout: Layout): readonly PlacedRecord[] {
  return [
    ...batch.records.map((record) => place(record, layout)),
    placeState(batch, state, layout),
  ];
}

/** A send that is being filled. */
class Draft {
  readonly records: PlacedRecord[] = [];
  private bytes = 0;
  private readonly bytesOf = new Map<string, number[]>();

  /** Adds the record and says true, or says false when it does not fit. */
  add(record: PlacedRecord, limitBytes: number): boolean {
    const { topic, partition, bytes } = record;
    const partitions = this.bytesOf.get(topic) ?? [];
    this.bytesOf.set(topic, partitions);
    const ofPartition = (partitions[partition] ?? 0) + bytes;
    const fits =
      this.records.length === 0 ||
      (this.bytes + bytes <= maxSendBytes && ofPartition <= limitBytes);
    if (!fits) return false;
    this.records.push(record);
    this.bytes += bytes;
    partitions[partition] = ofPartition;
    return true;
  }
}

/**
 * Cuts records into as few sends as the limits allow, keeping their order within a partition. A send
 * goes to one broker alone: when one of several brokers fails, kafkajs sends to the others again
 * with new sequence numbers, which publishes their records twice.
 *
 * @param by - `topic`: no send has two topics, so that a refusal tells which one is meant
 */
export function planSends(
  records: readonly PlacedRecord[],
  layout: Layout,
  by: 'leader' | 'topic' = 'leader',
): readonly ProduceRequest[] {
  const sends: { leader: number; draft: Draft }[] = [];
  const filling = new Map<string, Draft>();
  for (const record of records) {
    const topic = layout.topic(record.role);
    const leader = topic.leaders[record.partition] ?? -1;
    const place = by === 'topic' ? `${leader}/${topic.name}` : String(leader);
    if (filling.get(place)?.add(record, limitOf(topic)) === true) continue;
    const draft = new Draft();
    draft.add(record, limitOf(topic));
    filling.set(place, draft);
    sends.push({ leader, draft });
  }
  return sends.map(({ leader, draft }) => ({ leader, records: draft.records }));
}
