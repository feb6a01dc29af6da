import { crc32c } from './quick-checksum.ts';
import {
  mostBytesOfUnit,
  mostBytesOfVarInt,
  QuickWriter,
  sizeOfUnsignedVarInt,
} from './quick-writer.ts';

/** What kafkajs hands to the encoding of a produce request of version 3 to 7. */
export interface ProduceRequest {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null;
  /** 64 bits; kafkajs' own long numbers are made texts by `toString`. */
  readonly producerId?: string | number | { toString: () => string };
  readonly producerEpoch?: number;
  readonly compression?: number;
  readonly topicData: readonly TopicData[];
}

interface TopicData {
  readonly topic: string;
  readonly partitions: readonly PartitionData[];
}

interface PartitionData {
  readonly partition: number;
  readonly firstSequence?: number;
  readonly messages: readonly Message[];
}

/** A message as the program sends them: no other field of it is looked at. */
interface Message {
  readonly key: string;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What goes into the header of every record batch of a request. */
interface BatchHead {
  readonly nowMs: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly transactional: boolean;
}

/** From behind a batch's length to what its checksum is of: leader epoch, magic byte, checksum. */
const beforeChecksummedBytes = 9;
const fixedBytesOfBatch = 61;
const fixedBytesOfPartition = 8;
const fixedBytesOfTopic = 6;
const fixedBytesOfRequest = 12;
const magicByte = 2;
const transactionalAttribute = 16;
/** A record of 64 to 8,191 bytes has a length of two bytes. */
const usualBytesOfLength = 2;

/**
 * The body of a produce request, written in one pass into one buffer; byte for byte what kafkajs 2.2.4
 * writes with an object, a buffer and several copies for each part of it.
 *
 * @returns undefined when the request has something that this program never sends: compression,
 * timestamps, keys that are not texts, headers that are not texts
 */
export function encodeProduce(request: ProduceRequest): Buffer | undefined {
  if (!isUsual(request)) return undefined;
  const transactionalId = request.transactionalId ?? null;
  const head: BatchHead = {
    nowMs: Date.now(),
    producerId: BigInt(String(request.producerId ?? -1)),
    producerEpoch: request.producerEpoch ?? 0,
    transactional: transactionalId !== null && transactionalId !== '',
  };
  const writer = new QuickWriter(sizeAtMost(request));
  writer.string(transactionalId);
  writer.int16(request.acks);
  writer.int32(request.timeout);
  writer.int32(request.topicData.length);
  for (const { topic, partitions } of request.topicData) {
    writer.string(topic);
    writer.int32(partitions.length);
    for (const data of partitions) putPartition(writer, data, head);
  }
  return writer.bytes.subarray(0, writer.at);
}

function isUsual({ compression = 0, topicData }: ProduceRequest): boolean {
  return (
    compression === 0 &&
    topicData.every(({ partitions }) => partitions.every(({ messages }) => messages.every(isPlain)))
  );
}

function isPlain(message: Message & { readonly timestamp?: unknown }): boolean {
  const { key, value, headers, timestamp } = message as Partial<typeof message>;
  if (timestamp !== undefined || typeof key !== 'string' || headers === undefined) return false;
  if (value !== null && !Buffer.isBuffer(value)) return false;
  for (const name in headers) if (typeof headers[name] !== 'string') return false;
  return true;
}

function sizeAtMost({ transactionalId, topicData }: ProduceRequest): number {
  let bytes = fixedBytesOfRequest + textAtMost(transactionalId ?? '');
  for (const { topic, partitions } of topicData) {
    bytes += fixedBytesOfTopic + textAtMost(topic);
    for (const { messages } of partitions) {
      bytes += fixedBytesOfPartition + fixedBytesOfBatch;
      for (const message of messages) bytes += recordAtMost(message);
    }
  }
  return bytes;
}

function recordAtMost({ key, value, headers }: Message): number {
  // Its own length, attributes, both deltas, the value's length and the number of headers.
  let bytes = 6 * mostBytesOfVarInt + textAtMost(key) + (value?.length ?? 0);
  for (const name in headers) bytes += textAtMost(name) + textAtMost(headers[name] ?? '');
  return bytes;
}

function textAtMost(text: string): number {
  return mostBytesOfVarInt + mostBytesOfUnit * text.length;
}

function putPartition(writer: QuickWriter, data: PartitionData, head: BatchHead): void {
  writer.int32(data.partition);
  const sizeAt = writer.at;
  writer.at += 4;
  putBatch(writer, data, head);
  writer.bytes.writeInt32BE(writer.at - sizeAt - 4, sizeAt);
}

/** RecordBatch of magic 2; what depends on its content is filled in at the end. */
function putBatch(writer: QuickWriter, data: PartitionData, head: BatchHead): void {
  const { messages, firstSequence = 0 } = data;
  writer.int64(0);
  const startAt = writer.at + 4;
  writer.at = startAt;
  writer.int32(0);
  writer.int8(magicByte);
  writer.at = startAt + beforeChecksummedBytes;
  writer.int16(head.transactional ? transactionalAttribute : 0);
  writer.int32(messages.length - 1);
  writer.int64(head.nowMs);
  writer.int64(head.nowMs);
  writer.bigInt64(head.producerId);
  writer.int16(head.producerEpoch);
  writer.int32(firstSequence);
  writer.int32(messages.length);
  for (const [index, message] of messages.entries()) putRecord(writer, message, index);
  const { bytes, at } = writer;
  bytes.writeInt32BE(at - startAt, startAt - 4);
  const checksum = crc32c(bytes.subarray(startAt + beforeChecksummedBytes, at));
  bytes.writeUInt32BE(checksum, startAt + beforeChecksummedBytes - 4);
}

function putRecord(writer: QuickWriter, message: Message, offsetDelta: number): void {
  const lengthAt = writer.at;
  const bodyAt = lengthAt + usualBytesOfLength;
  writer.at = bodyAt;
  // Attributes, then the timestamp's distance from the batch's.
  writer.unsignedVarInt(0);
  writer.unsignedVarInt(0);
  writer.varInt(offsetDelta);
  writer.varIntText(message.key);
  writer.varIntBytes(message.value);
  putHeaders(writer, message.headers);
  putLength(writer, lengthAt, writer.at - bodyAt);
}

function putHeaders(writer: QuickWriter, headers: Message['headers']): void {
  const names = Object.keys(headers);
  writer.varInt(names.length);
  for (const name of names) {
    writer.varIntText(name);
    writer.varIntText(headers[name] ?? '');
  }
}

/** Puts the length in front of a record, which moves when the length is not as long as was thought. */
function putLength(writer: QuickWriter, lengthAt: number, length: number): void {
  const bodyAt = lengthAt + usualBytesOfLength;
  const movedTo = lengthAt + sizeOfUnsignedVarInt(length << 1);
  if (movedTo !== bodyAt) writer.bytes.copyWithin(movedTo, bodyAt, bodyAt + length);
  writer.at = lengthAt;
  writer.varInt(length);
  writer.at = movedTo + length;
}
