import { deadLetterFingerprint, withDeadLetters } from './dead-letters.ts';
import { type ErrorCode, DeadLetterError, StopStreamError } from './errors.ts';
import type { Value } from './json.ts';
import { recordKey } from './key.ts';
import { type Checkpoint, type StreamState, checkpointOf, shed, stateKey } from './state.ts';
import type { TopicRole } from './stream-name.ts';
import { provenance } from './stream.ts';
import { forgetUnpublished } from './unpublished.ts';
import type { Poll, PollTools } from './poll.ts';
import type { OutgoingRecord } from './ports.ts';
import { traced } from './tracing.ts';

/** What one page adds to a batch. */
export interface PageResult {
  readonly records: readonly Value[];
  readonly refused: readonly DeadLetterError[];
  readonly skipped: readonly ErrorCode[];
  readonly unknown: ReadonlySet<string>;
  /** Keys of what is gone, to be deleted by tombstones. */
  readonly gone: readonly string[];
  readonly checkpoint: Checkpoint;
  /** Whether the poll ends with it. */
  readonly isLast: boolean;
}

interface Work {
  readonly poll: Poll;
  readonly tools: PollTools;
}

/** Collects pages into batches. */
export interface BatchBuilder {
  /** What will be remembered once everything that was added is committed. */
  readonly checkpoint: Checkpoint;
  add(result: PageResult): Promise<void>;
  /** Publishes a body that cannot be used, as a dead letter beside what was gathered before it. */
  deadLetter(error: DeadLetterError): Promise<void>;
  /** Publishes what is left, with the beginning of the poll that has come to its end. */
  end(startedMs: number): Promise<void>;
}

/**
 * Collects pages until a batch is full. An incremental stream commits page by page, because each
 * page moves its memory.
 */
export function buildBatches(poll: Poll, tools: PollTools, signal: AbortSignal): BatchBuilder {
  let outgoing: OutgoingRecord[] = [];
  let checkpoint = checkpointOf(poll.state);
  const flush = async (isWorth = false): Promise<void> => {
    const batch = outgoing;
    outgoing = [];
    // A poll that finds nothing new writes nothing.
    if (batch.length === 0 && sameCheckpoint(checkpoint, poll.state) && !isWorth) return;
    // Before it is published, because a record may become a dead letter on the way.
    const asked = batch.map(identity);
    checkpoint = await publishBatch(batch, checkpoint, { poll, tools, signal });
    countPublished(batch, poll);
    for (const name of [...asked, ...batch.map(identity)]) poll.published.add(name);
  };
  /** Into the dead letters, unless the same was there before: that is counted as left out. */
  const write = (unusable: readonly UnusablePart[]): void => {
    const known = new Set(checkpoint.deadLetters);
    const met = unusable.map((part) => ({ ...part, print: deadLetterFingerprint(part.error) }));
    for (const { error, key, print } of met) {
      const name = `dead_letters ${print}`;
      if (!known.has(print)) outgoing.push(deadLetter(error, key, { poll, tools }));
      // Another try of the same poll meets its own, and a page may reject one value twice.
      else if (!poll.published.has(name)) tallySkipped(poll, error.code);
      poll.published.add(name);
      known.add(print);
    }
    const prints = met.map(({ print }) => print);
    checkpoint = { ...checkpoint, deadLetters: withDeadLetters(checkpoint.deadLetters, prints) };
  };
  return {
    get checkpoint() {
      return checkpoint;
    },
    async add(result) {
      count(result, poll);
      const { records, unusable } = encodeSeen(result, { poll, tools });
      // A page is as long as the API makes it: too long for the arguments of one call.
      for (const record of records) outgoing.push(record);
      const left = withoutUnpublished(result.checkpoint, keysOf(unusable), poll);
      checkpoint = { ...left, deadLetters: checkpoint.deadLetters };
      if (result.isLast) checkpoint = { ...checkpoint, polledMs: poll.startedMs };
      write(unusable);
      const full = outgoing.length >= tools.settings.maxBatchRecords;
      if (full || poll.stream.mode === 'incremental') await flush();
    },
    async deadLetter(error) {
      write([{ error, key: null }]);
      await flush();
    },
    end(startedMs) {
      checkpoint = { ...checkpoint, polledMs: startedMs };
      return flush(isSeldom(poll));
    },
  };
}

function countPublished(batch: readonly OutgoingRecord[], { tally }: Poll): void {
  for (const { role } of batch) {
    if (role === 'dead_letters') tally.deadLetters += 1;
    else tally.records += 1;
  }
}

function encodeSeen(result: PageResult, work: Work): ReturnType<typeof encodeAll> {
  if (result.records.length === 0) return encodeAll(result, work);
  const begunMs = performance.now();
  const endStep = work.poll.trace.begin('encode', { records: result.records.length });
  const encoded = encodeAll(result, work);
  endStep();
  reportEncoded(encoded.records.length, performance.now() - begunMs, work);
  return encoded;
}

function reportEncoded(records: number, durationMs: number, { poll, tools }: Work): void {
  const { name: stream } = poll.stream;
  if (records > 0) tools.telemetry.report({ type: 'encoded', stream, records, durationMs });
}

function tallySkipped({ tally }: Poll, reason: ErrorCode): void {
  tally.skipped[reason] = (tally.skipped[reason] ?? 0) + 1;
}

function count(result: PageResult, poll: Poll): void {
  for (const reason of result.skipped) tallySkipped(poll, reason);
  for (const field of result.unknown) poll.tally.unknownFields.add(field);
}

/** What cannot be used, and the key of the record that it would have been. */
interface UnusablePart {
  readonly error: DeadLetterError;
  readonly key: string | null;
}

function keysOf(unusable: readonly UnusablePart[]): readonly string[] {
  return unusable.flatMap(({ key }) => (key === null ? [] : [key]));
}

function encodeAll(
  result: PageResult,
  work: Work,
): { readonly records: readonly OutgoingRecord[]; readonly unusable: readonly UnusablePart[] } {
  const unusable: UnusablePart[] = result.refused.map((error) => ({ error, key: null }));
  const records = result.records.flatMap((record) => {
    const encoded = encodeRecord(record, work);
    if ('role' in encoded) return [encoded];
    unusable.push(encoded);
    return [];
  });
  const tombstones = result.gone.map((key) => tombstone(key, work));
  const { stream, published } = work.poll;
  const onlyNews =
    stream.settle !== undefined || work.tools.settings.publish[stream.name] === 'changes';
  const fresh = [...records, ...tombstones].filter(
    // What is news again is a correction, whatever an earlier try published of the same key.
    (record) => onlyNews || !published.has(identity(record)),
  );
  return { records: fresh, unusable };
}

/** What is remembered must stand in Kafka: a dead letter is no record. */
function withoutUnpublished(
  checkpoint: Checkpoint,
  keys: readonly string[],
  { state }: Poll,
): Checkpoint {
  return keys.reduce((left, key) => forgetUnpublished(left, state, key), checkpoint);
}

/** What tells a record of this poll from another; dead letters share a key. */
function identity({ role, key, value }: OutgoingRecord): string {
  if (role === 'dead_letters') return `${role} ${value?.toString('latin1') ?? ''}`;
  return value === null ? `${role} ${key} gone` : `${role} ${key}`;
}

function encodeRecord(record: Value, work: Work): OutgoingRecord | UnusablePart {
  const { stream } = work.poll;
  const key = recordKey(stream.key, record);
  try {
    const value = work.tools.encoder.encode(stream.name, record);
    return { role: stream.name, key, value, headers: headersOf(stream.name, work) };
  } catch (error) {
    if (!(error instanceof DeadLetterError)) throw error;
    return { error, key };
  }
}

/** Deletes a key for those who keep the last value of each. */
function tombstone(key: string, work: Work): OutgoingRecord {
  const { name } = work.poll.stream;
  return { role: name, key, value: null, headers: headersOf(name, work) };
}

/** What could not be used, as a record of the dead-letter topic. */
function deadLetter(error: DeadLetterError, key: string | null, work: Work): OutgoingRecord {
  const { poll, tools } = work;
  const origin = { account: poll.account, polledAtMs: poll.startedMs };
  const value: Value = {
    ...provenance(origin),
    stream: poll.stream.name,
    poll: poll.id,
    code: error.code,
    message: error.message.toWellFormed(),
    path: error.path.toWellFormed(),
    raw: withinBound(error.raw),
    key,
  };
  return {
    role: 'dead_letters',
    key: stateKey(poll.stream.name, poll.account.id),
    value: tools.encoder.encode('dead_letters', value),
    headers: headersOf('dead_letters', work),
  };
}

/** A dead letter must itself never be too large to send. */
const maxRawCharacters = 100_000;

/** Cut beside a surrogate pair, not within it; well-formed, as Avro's strings are. */
function withinBound(raw: string): string {
  const isWhole = raw.length <= maxRawCharacters;
  const cut = isWhole ? raw : raw.slice(0, maxRawCharacters).replace(/[\uD800-\uDBFF]$/, '');
  return cut.toWellFormed();
}

/** What a consumer needs to trace a record and to tell it from another delivery of the same. */
function headersOf(role: TopicRole, { poll, tools }: Work): Readonly<Record<string, string>> {
  return {
    stream: poll.stream.name,
    account: poll.account.id,
    poll: poll.id,
    schema: String(tools.encoder.schemaId(role)),
    ...poll.trace.headers,
  };
}

/**
 * Commits a batch with the state after it (Invariant 1). A record that Kafka finds too large becomes
 * a dead letter, and the rest of the batch goes on. A state that it finds too large is written with
 * less of what can be learned again.
 *
 * @returns the memory that was committed with it
 */
async function publishBatch(
  records: OutgoingRecord[],
  checkpoint: Checkpoint,
  work: Work & { readonly signal: AbortSignal },
): Promise<Checkpoint> {
  const { poll, tools, signal } = work;
  let left = checkpoint;
  for (;;) {
    const state = stateAfter(left, work);
    try {
      await traced(poll.trace, stepOf(records), () =>
        tools.publisher.publish({ account: poll.account, records, state }, signal),
      );
      poll.state = state;
      return left;
    } catch (error) {
      const smaller = isOfState(error) ? shed(left) : undefined;
      if (smaller !== undefined) {
        left = smaller;
        continue;
      }
      const index = tooLarge(error, records);
      const record = records[index];
      if (record === undefined) throw error;
      const print = sizeFingerprint(record);
      const isKnown = left.deadLetters.includes(print);
      if (isKnown) {
        records.splice(index, 1);
        tallySkipped(poll, 'kafka.record-too-large');
      } else {
        records.splice(index, 1, deadLetter(error as DeadLetterError, record.key, work));
      }
      const deadLetters = withDeadLetters(left.deadLetters, [print]);
      left = { ...withoutUnpublished(left, [record.key], poll), deadLetters };
    }
  }
}

function stepOf(records: readonly OutgoingRecord[]) {
  return { kind: 'transaction', facts: { records: records.length } } as const;
}

/** By the length, since the bytes differ by the time of the poll. */
function sizeFingerprint({ key, value }: OutgoingRecord): bigint {
  return deadLetterFingerprint({
    code: 'kafka.record-too-large',
    path: key,
    raw: `${value?.length ?? 0}`,
  });
}

function isOfState(error: unknown): boolean {
  return error instanceof StopStreamError && error.code === 'kafka.record-too-large';
}

function tooLarge(error: unknown, records: readonly OutgoingRecord[]): number {
  if (!(error instanceof DeadLetterError) || error.code !== 'kafka.record-too-large') return -1;
  return records.findIndex(({ role, key }) => role !== 'dead_letters' && key === error.path);
}

function stateAfter(checkpoint: Checkpoint, { poll, tools }: Work): StreamState {
  return {
    ...checkpoint,
    stream: poll.stream.name,
    accountId: poll.account.id,
    sequence: poll.state.sequence + 1,
    writtenAtMs: tools.clock.nowMs(),
    writtenBy: tools.settings.instance,
  };
}

/**
 * Whether a restart before the next poll is likely: the state then says that this poll was made, which
 * costs a transaction and saves the requests of another.
 */
function isSeldom({ startedMs, nextPollMs }: Poll): boolean {
  return nextPollMs !== null && nextPollMs - startedMs >= seldomMs;
}

const seldomMs = 3 * 3_600_000;

/**
 * `coveredUntilMs` alone is not worth a transaction: asking a day again costs no request more. Nor is
 * what was published, which changes with records, or what was found to have nothing.
 */
function sameCheckpoint(a: Checkpoint, b: Checkpoint): boolean {
  return (
    a.cursorMs === b.cursorMs &&
    a.convertedMs === b.convertedMs &&
    a.reading === b.reading &&
    // Whoever comes after does not spend the calls for these again.
    a.insightsRead === b.insightsRead &&
    a.doubtedMs === b.doubtedMs &&
    JSON.stringify(a.days) === JSON.stringify(b.days) &&
    JSON.stringify(a.totals) === JSON.stringify(b.totals) &&
    JSON.stringify(a.refusals) === JSON.stringify(b.refusals) &&
    (a.cursorMs !== null || a.coveredUntilMs === b.coveredUntilMs)
  );
}
