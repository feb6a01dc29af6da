import { deadLetterFingerprint, withDeadLetters } from './dead-letters.ts';
import { type ErrorCode, DeadLetterError, StopStreamError } from './errors.ts';
import type { Value } from './json.ts';
import { recordKey } from './key.ts';
import { type Checkpoint, type StreamState, checkpointOf, shed, stateKey } from './state.ts';
import type { TopicRole } from './stream-name.ts';
import { provenance } from './stream.ts';
import { forgetUnpublished } from './unpublished.ts';
import type { Poll, PollTools } from './poll-context.ts';
import type { OutgoingRecord } from './ports.ts';
import { traced } from './tracing.ts';

/** The result of one page, as it is added to a batch. */
export interface PageResult {
  readonly records: readonly Value[];
  readonly rejected: readonly DeadLetterError[];
  readonly skipped: readonly ErrorCode[];
  readonly unknown: ReadonlySet<string>;
  /** Keys of deleted nodes, to be published as tombstones. */
  readonly gone: readonly string[];
  readonly checkpoint: Checkpoint;
  /** True for the last page of a poll. */
  readonly isLast: boolean;
}

interface BatchContext {
  readonly poll: Poll;
  readonly tools: PollTools;
}

/** The batch builder: collects page results into batches. */
export interface BatchBuilder {
  /** The checkpoint after everything added so far is committed. */
  readonly checkpoint: Checkpoint;
  add(result: PageResult): Promise<void>;
  /** Publishes an unusable body as a dead letter, in one batch with the results added before. */
  deadLetter(error: DeadLetterError): Promise<void>;
  /** Publishes the rest, with the start of the poll that has ended. */
  end(startedMs: number): Promise<void>;
}

/**
 * Creates a batch builder, which collects pages until a batch is full. An incremental stream
 * commits each page, because each page moves its checkpoint.
 */
export function buildBatches(poll: Poll, tools: PollTools, signal: AbortSignal): BatchBuilder {
  let outgoing: OutgoingRecord[] = [];
  let checkpoint = checkpointOf(poll.state);
  const flush = async (isRequired = false): Promise<void> => {
    const batch = outgoing;
    outgoing = [];
    // A poll without changes writes nothing.
    if (batch.length === 0 && sameCheckpoint(checkpoint, poll.state) && !isRequired) return;
    // Read before publishing, because a too large record becomes a dead letter there.
    const intended = batch.map(identity);
    checkpoint = await publishBatch(batch, checkpoint, { poll, tools, signal });
    countPublished(batch, poll);
    for (const name of [...intended, ...batch.map(identity)]) poll.published.add(name);
  };
  /** Adds parts to the dead letters; one that was dead-lettered before is counted as skipped. */
  const addDeadLetters = (unusable: readonly UnusableRecord[]): void => {
    const known = new Set(checkpoint.deadLetters);
    const parts = unusable.map((part) => ({ ...part, print: deadLetterFingerprint(part.error) }));
    for (const { error, key, print } of parts) {
      const name = `dead_letters ${print}`;
      if (!known.has(print)) outgoing.push(deadLetter(error, key, { poll, tools }));
      // A retry of the same poll repeats its own dead letters, and a page may reject one value
      // twice.
      else if (!poll.published.has(name)) tallySkipped(poll, error.code);
      poll.published.add(name);
      known.add(print);
    }
    const prints = parts.map(({ print }) => print);
    checkpoint = { ...checkpoint, deadLetters: withDeadLetters(checkpoint.deadLetters, prints) };
  };
  return {
    get checkpoint() {
      return checkpoint;
    },
    async add(result) {
      count(result, poll);
      const { records, unusable } = encodeTraced(result, { poll, tools });
      // The API decides the length of a page, which may exceed the arguments of one `push`.
      for (const record of records) outgoing.push(record);
      const published = withoutUnpublished(result.checkpoint, keysOf(unusable), poll);
      checkpoint = { ...published, deadLetters: checkpoint.deadLetters };
      if (result.isLast) checkpoint = { ...checkpoint, polledMs: poll.startedMs };
      addDeadLetters(unusable);
      const full = outgoing.length >= tools.settings.maxBatchRecords;
      if (full || poll.stream.mode === 'incremental') await flush();
    },
    async deadLetter(error) {
      addDeadLetters([{ error, key: null }]);
      await flush();
    },
    end(startedMs) {
      checkpoint = { ...checkpoint, polledMs: startedMs };
      return flush(isInfrequent(poll));
    },
  };
}

function countPublished(batch: readonly OutgoingRecord[], { tally }: Poll): void {
  for (const { role } of batch) {
    if (role === 'dead_letters') tally.deadLetters += 1;
    else tally.records += 1;
  }
}

/** Encodes a page's records as a step of the poll's trace, and reports the time that it took. */
function encodeTraced(result: PageResult, context: BatchContext): ReturnType<typeof encodeAll> {
  if (result.records.length === 0) return encodeAll(result, context);
  const begunMs = performance.now();
  const endStep = context.poll.trace.begin('encode', { records: result.records.length });
  const encoded = encodeAll(result, context);
  endStep();
  reportEncoded(encoded.records.length, performance.now() - begunMs, context);
  return encoded;
}

function reportEncoded(records: number, durationMs: number, { poll, tools }: BatchContext): void {
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

/** A record or part that is dead-lettered, with the record's key, or null where it has none. */
interface UnusableRecord {
  readonly error: DeadLetterError;
  readonly key: string | null;
}

function keysOf(unusable: readonly UnusableRecord[]): readonly string[] {
  return unusable.flatMap(({ key }) => (key === null ? [] : [key]));
}

function encodeAll(
  result: PageResult,
  context: BatchContext,
): { readonly records: readonly OutgoingRecord[]; readonly unusable: readonly UnusableRecord[] } {
  const unusable: UnusableRecord[] = result.rejected.map((error) => ({ error, key: null }));
  const records = result.records.flatMap((record) => {
    const encoded = encodeRecord(record, context);
    if ('role' in encoded) return [encoded];
    unusable.push(encoded);
    return [];
  });
  const tombstones = result.gone.map((key) => tombstone(key, context));
  const { stream, published } = context.poll;
  const onlyChanges =
    stream.settle !== undefined || context.tools.settings.publish[stream.name] === 'changes';
  const fresh = [...records, ...tombstones].filter(
    // A record that changed again is a correction, even when an earlier try published its key.
    (record) => onlyChanges || !published.has(identity(record)),
  );
  return { records: fresh, unusable };
}

/** Removes dead-lettered records from a checkpoint, which holds only records that are in Kafka. */
function withoutUnpublished(
  checkpoint: Checkpoint,
  keys: readonly string[],
  { state }: Poll,
): Checkpoint {
  return keys.reduce((left, key) => forgetUnpublished(left, state, key), checkpoint);
}

/** Returns a text that identifies a record within the poll; dead letters share a key. */
function identity({ role, key, value }: OutgoingRecord): string {
  if (role === 'dead_letters') return `${role} ${value?.toString('latin1') ?? ''}`;
  return value === null ? `${role} ${key} gone` : `${role} ${key}`;
}

function encodeRecord(record: Value, context: BatchContext): OutgoingRecord | UnusableRecord {
  const { stream } = context.poll;
  const key = recordKey(stream.key, record);
  try {
    const value = context.tools.encoder.encode(stream.name, record);
    return { role: stream.name, key, value, headers: headersOf(stream.name, context) };
  } catch (error) {
    if (!(error instanceof DeadLetterError)) throw error;
    return { error, key };
  }
}

/** Creates a tombstone, which deletes a key in compacted topics and consumers' tables. */
function tombstone(key: string, context: BatchContext): OutgoingRecord {
  const { name } = context.poll.stream;
  return { role: name, key, value: null, headers: headersOf(name, context) };
}

/** Creates the record of the dead-letter topic for an unusable part. */
function deadLetter(
  error: DeadLetterError,
  key: string | null,
  context: BatchContext,
): OutgoingRecord {
  const { poll, tools } = context;
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
    headers: headersOf('dead_letters', context),
  };
}

/** The bound of the raw content, so that a dead letter itself is never too large to produce. */
const maxRawCharacters = 100_000;

/** Cuts a text beside a surrogate pair, not within it; well-formed, as Avro strings must be. */
function withinBound(raw: string): string {
  const isWhole = raw.length <= maxRawCharacters;
  const cut = isWhole ? raw : raw.slice(0, maxRawCharacters).replace(/[\uD800-\uDBFF]$/, '');
  return cut.toWellFormed();
}

/** Returns the headers by which a consumer traces a record and recognizes a duplicate of it. */
function headersOf(
  role: TopicRole,
  { poll, tools }: BatchContext,
): Readonly<Record<string, string>> {
  return {
    stream: poll.stream.name,
    account: poll.account.id,
    poll: poll.id,
    schema: String(tools.encoder.schemaId(role)),
    ...poll.trace.headers,
  };
}

/**
 * Commits a batch with the state after it (Invariant 1). A record that the broker rejects as too
 * large becomes a dead letter, and the rest of the batch is published. A state that is too large is
 * written without half of the entries that later polls can restore.
 *
 * @returns the checkpoint that was committed with the batch
 */
async function publishBatch(
  records: OutgoingRecord[],
  checkpoint: Checkpoint,
  context: BatchContext & { readonly signal: AbortSignal },
): Promise<Checkpoint> {
  const { poll, tools, signal } = context;
  let remaining = checkpoint;
  for (;;) {
    const state = stateAfter(remaining, context);
    try {
      await traced(poll.trace, stepOf(records), () =>
        tools.publisher.publish({ account: poll.account, records, state }, signal),
      );
      poll.state = state;
      return remaining;
    } catch (error) {
      const smaller = isOfState(error) ? shed(remaining) : undefined;
      if (smaller !== undefined) {
        remaining = smaller;
        continue;
      }
      const index = tooLarge(error, records);
      const record = records[index];
      if (record === undefined) throw error;
      const print = sizeFingerprint(record);
      const isKnown = remaining.deadLetters.includes(print);
      if (isKnown) {
        records.splice(index, 1);
        tallySkipped(poll, 'kafka.record-too-large');
      } else {
        records.splice(index, 1, deadLetter(error as DeadLetterError, record.key, context));
      }
      const deadLetters = withDeadLetters(remaining.deadLetters, [print]);
      remaining = { ...withoutUnpublished(remaining, [record.key], poll), deadLetters };
    }
  }
}

function stepOf(records: readonly OutgoingRecord[]) {
  return { kind: 'transaction', facts: { records: records.length } } as const;
}

/** Fingerprints a too large record by its length, since its bytes include the time of the poll. */
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

function stateAfter(checkpoint: Checkpoint, { poll, tools }: BatchContext): StreamState {
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
 * True when the next poll is so late that a restart before it is likely. The state is then written
 * in any case: that costs a transaction and saves the requests of a repeated poll.
 */
function isInfrequent({ startedMs, nextPollMs }: Poll): boolean {
  return nextPollMs !== null && nextPollMs - startedMs >= infrequentMs;
}

const infrequentMs = 3 * 3_600_000;

/**
 * True when no difference is worth a transaction of its own. `coveredUntilMs` alone is not: reading
 * a day again costs no extra request. Nor are fingerprints, which change with records.
 */
function sameCheckpoint(a: Checkpoint, b: Checkpoint): boolean {
  return (
    a.cursorMs === b.cursorMs &&
    a.convertedMs === b.convertedMs &&
    a.reading === b.reading &&
    // A later instance does not repeat the calls for these.
    a.insightsRead === b.insightsRead &&
    a.doubtedMs === b.doubtedMs &&
    JSON.stringify(a.days) === JSON.stringify(b.days) &&
    JSON.stringify(a.totals) === JSON.stringify(b.totals) &&
    JSON.stringify(a.refusals) === JSON.stringify(b.refusals) &&
    (a.cursorMs !== null || a.coveredUntilMs === b.coveredUntilMs)
  );
}
