import { deadLetterFingerprint, withDeadLetters } from './dead-letters.ts';
import { type ErrorCode, DeadLetterError, StopStreamError } from './errors.ts';
import { keyNumber } from './fingerprint.ts';
import type { Value } from './json.ts';
import { isoSeconds, recordKey } from './key.ts';
import {
  type Checkpoint,
  type RememberedStory,
  type StreamState,
  checkpointOf,
  shed,
  stateKey,
} from './state.ts';
import type { TopicRole } from './stream-name.ts';
import { provenance } from './stream.ts';
import type { Poll, PollTools } from './poll-context.ts';
import type { OutgoingRecord } from './ports.ts';
import { traced } from './tracing.ts';
import { inboxRole } from './webhooks.ts';

export interface PageResult {
  readonly records: readonly Value[];
  readonly rejected: readonly DeadLetterError[];
  readonly skipped: readonly ErrorCode[];
  readonly unknown: ReadonlySet<string>;
  /** Keys of deleted nodes, to be published as tombstones. */
  readonly gone: readonly string[];
  /** Keys of the changes of webhooks that are removed from the inbox. */
  readonly processed: readonly string[];
  readonly checkpoint: Checkpoint;
  /** True for the last page of a poll. */
  readonly isLast: boolean;
}

/** A record or part that is dead-lettered, with the record's key, or null where it has none. */
interface UnusableRecord {
  readonly error: DeadLetterError;
  readonly key: string | null;
}

interface EncodedPage {
  readonly records: readonly OutgoingRecord[];
  readonly unusable: readonly UnusableRecord[];
}

/** The bound of the raw content, so that a dead letter itself is never too large to produce. */
const maxRawCharacters = 100_000;
const infrequentMs = 3 * 3_600_000;
const tooLarge = 'kafka.record-too-large';

/**
 * The batch builder: collects page results until a batch is full, and publishes it. An incremental
 * stream commits each page, because each page moves its checkpoint.
 */
export class BatchBuilder {
  readonly #poll: Poll;
  readonly #tools: PollTools;
  readonly #signal: AbortSignal;
  #outgoing: OutgoingRecord[] = [];
  #checkpoint: Checkpoint;

  constructor(poll: Poll, tools: PollTools, signal: AbortSignal) {
    this.#poll = poll;
    this.#tools = tools;
    this.#signal = signal;
    this.#checkpoint = checkpointOf(poll.state);
  }

  /** The checkpoint after everything added so far is committed. */
  get checkpoint(): Checkpoint {
    return this.#checkpoint;
  }

  async add(result: PageResult): Promise<void> {
    const { stream, state, startedMs, tally } = this.#poll;
    for (const reason of result.skipped) this.#tallySkipped(reason);
    for (const field of result.unknown) tally.unknownFields.add(field);
    const { records, unusable } = this.#encodeTraced(result);
    // The API decides the length of a page, which may exceed the arguments of one `push`.
    for (const record of records) this.#outgoing.push(record);
    for (const key of result.processed) this.#outgoing.push(this.#removalOf(key));
    const keys = unusable.flatMap(({ key }) => key ?? []);
    const { deadLetters } = this.#checkpoint;
    // A checkpoint holds only records that are in Kafka.
    this.#checkpoint = { ...forgetUnpublished(result.checkpoint, state, keys), deadLetters };
    if (result.isLast) this.#checkpoint = { ...this.#checkpoint, polledMs: startedMs };
    this.#addDeadLetters(unusable);
    const isFull = this.#outgoing.length >= this.#tools.settings.maxBatchRecords;
    if (isFull || stream.mode === 'incremental') await this.#flush();
  }

  /** Publishes an unusable body as a dead letter, in one batch with the results added before. */
  async deadLetter(error: DeadLetterError): Promise<void> {
    this.#addDeadLetters([{ error, key: null }]);
    await this.#flush();
  }

  /** Publishes the rest of a poll that has ended. */
  async end(): Promise<void> {
    const { startedMs, nextPollMs, changes } = this.#poll;
    // The changes of webhooks are not all that a poll of the schedule reads.
    if (changes !== undefined) {
      await this.#flush();
      return;
    }
    this.#checkpoint = { ...this.#checkpoint, polledMs: startedMs };
    // The next poll is so late that a restart before it is likely: writing the state costs a
    // transaction and saves the requests of a repeated poll.
    await this.#flush(nextPollMs !== null && nextPollMs - startedMs >= infrequentMs);
  }

  async #flush(isRequired = false): Promise<void> {
    const { state, tally, published } = this.#poll;
    const batch = this.#outgoing;
    this.#outgoing = [];
    // A poll without changes writes nothing.
    if (batch.length === 0 && sameCheckpoint(this.#checkpoint, state) && !isRequired) return;
    // Read before publishing, because a too large record becomes a dead letter there.
    const intended = batch.map(identity);
    await this.#publish(batch);
    for (const { role, key } of batch) {
      if (role === inboxRole) this.#tools.pending.remove(key);
      else tally[role === 'dead_letters' ? 'deadLetters' : 'records'] += 1;
    }
    for (const name of [...intended, ...batch.map(identity)]) published.add(name);
  }

  /** Adds parts to the dead letters; one that was dead-lettered before is counted as skipped. */
  #addDeadLetters(unusable: readonly UnusableRecord[]): void {
    const { published } = this.#poll;
    const known = new Set(this.#checkpoint.deadLetters);
    const fingerprints = unusable.map(({ error, key }) => {
      const fingerprint = deadLetterFingerprint(error);
      const name = `dead_letters ${fingerprint}`;
      if (!known.has(fingerprint)) this.#outgoing.push(this.#deadLetter(error, key));
      // A retry of the same poll repeats its own dead letters, and a page may reject one value
      // twice.
      else if (!published.has(name)) this.#tallySkipped(error.code);
      published.add(name);
      known.add(fingerprint);
      return fingerprint;
    });
    const deadLetters = withDeadLetters(this.#checkpoint.deadLetters, fingerprints);
    this.#checkpoint = { ...this.#checkpoint, deadLetters };
  }

  /** Encodes a page's records as a step of the poll's trace, and reports the time that it took. */
  #encodeTraced(result: PageResult): EncodedPage {
    if (result.records.length === 0) return this.#encode(result);
    const { stream, trace } = this.#poll;
    const begunMs = performance.now();
    const endStep = trace.begin('encode', { records: result.records.length });
    const encoded = this.#encode(result);
    endStep();
    const records = encoded.records.length;
    const durationMs = performance.now() - begunMs;
    const event = { type: 'encoded', stream: stream.name, records, durationMs } as const;
    if (records > 0) this.#tools.telemetry.report(event);
    return encoded;
  }

  #encode({ records, rejected, gone }: PageResult): EncodedPage {
    const { stream, account, published } = this.#poll;
    const { encoder, settings } = this.#tools;
    const unusable: UnusableRecord[] = rejected.map((error) => ({ error, key: null }));
    const encoded = records.flatMap((record) => {
      const key = recordKey(stream.key, record);
      try {
        const value = encoder.encode(stream.name, record, account.id);
        return [{ ...this.#record(stream.name, key, value), ...this.#timestampOf(record) }];
      } catch (error) {
        if (!(error instanceof DeadLetterError)) throw error;
        unusable.push({ error, key });
        return [];
      }
    });
    // A tombstone deletes a key in compacted topics and consumers' tables.
    const tombstones = gone.map((key) => this.#record(stream.name, key, null));
    const onlyChanges =
      stream.detectChanges !== undefined || settings.publish[stream.name] === 'changes';
    const fresh = [...encoded, ...tombstones].filter(
      // A record that changed again is a correction, even when an earlier try published its key.
      (record) => onlyChanges || !published.has(identity(record)),
    );
    return { records: fresh, unusable };
  }

  /** Creates a record, with the headers by which a consumer traces it and recognizes duplicates. */
  #record(role: TopicRole, key: string, value: Buffer | null): OutgoingRecord {
    const { stream, account, id, trace } = this.#poll;
    const { encoder } = this.#tools;
    const schema = String(encoder.schemaId(role, account.id));
    const keyBytes = encoder.encodeKey(role, key, account.id);
    const headers = {
      stream: stream.name,
      account: account.id,
      poll: id,
      schema,
      ...trace.headers,
    };
    return { role, key, ...(keyBytes && { keyBytes }), value, headers };
  }

  /** Creates the tombstone that removes a change from the inbox of webhooks. */
  #removalOf(key: string): OutgoingRecord {
    const { stream, account, id } = this.#poll;
    const headers = { stream: stream.name, account: account.id, poll: id };
    return { role: inboxRole, key, value: null, headers };
  }

  /** Returns the time of a record's event; nothing where records carry the time of publishing. */
  #timestampOf(record: Value): Pick<OutgoingRecord, 'timestampMs'> {
    const { stream, startedMs } = this.#poll;
    const { eventTimed } = this.#tools.settings;
    const time = stream.eventTime === null ? undefined : record[stream.eventTime];
    if (typeof time !== 'number' || !eventTimed.includes(stream.name)) return {};
    // The current day ends in the future, which brokers reject (`message.timestamp.after.max.ms`).
    return { timestampMs: Math.min(time, startedMs) };
  }

  #deadLetter(error: DeadLetterError, key: string | null): OutgoingRecord {
    const { stream, account, startedMs, id } = this.#poll;
    const value: Value = {
      ...provenance({ account, polledAtMs: startedMs }),
      stream: stream.name,
      poll: id,
      code: error.code,
      message: error.message.toWellFormed(),
      path: error.path.toWellFormed(),
      raw: withinBound(error.raw),
      key,
    };
    const encoded = this.#tools.encoder.encode('dead_letters', value, account.id);
    return this.#record('dead_letters', stateKey(stream.name, account.id), encoded);
  }

  /**
   * Commits a batch with the state after it (Invariant 1). A record that the broker rejects as too
   * large becomes a dead letter, and the rest of the batch is published. A state that is too large
   * is written without half of the entries that later polls can restore.
   */
  async #publish(records: OutgoingRecord[]): Promise<void> {
    const { stream, account, trace } = this.#poll;
    const { publisher, clock, settings } = this.#tools;
    for (let remaining = this.#checkpoint; ;) {
      const state: StreamState = {
        ...remaining,
        stream: stream.name,
        accountId: account.id,
        sequence: this.#poll.state.sequence + 1,
        writtenAtMs: clock.nowMs(),
        writtenBy: settings.instance,
        pause: this.#poll.pause,
      };
      try {
        await traced(trace, 'transaction', { records: records.length }, () =>
          publisher.publish({ account, records, state }, this.#signal),
        );
        this.#poll.state = state;
        this.#checkpoint = remaining;
        return;
      } catch (error) {
        const isOfState = error instanceof StopStreamError && error.code === tooLarge;
        const smaller = isOfState ? shed(remaining) : undefined;
        remaining = smaller ?? this.#withoutTooLarge(error, records, remaining);
      }
    }
  }

  /** Replaces a record that is too large by its dead letter; throws an error that names none. */
  #withoutTooLarge(error: unknown, records: OutgoingRecord[], checkpoint: Checkpoint): Checkpoint {
    if (!(error instanceof DeadLetterError) || error.code !== tooLarge) throw error;
    const index = records.findIndex(
      ({ role, key }) => role !== 'dead_letters' && key === error.path,
    );
    const record = records[index];
    if (record === undefined) throw error;
    const { key, value } = record;
    // The length stands for the content, whose bytes include the time of the poll.
    const raw = `${value?.length ?? 0}`;
    const fingerprint = deadLetterFingerprint({ code: tooLarge, path: key, raw });
    if (checkpoint.deadLetters.includes(fingerprint)) {
      records.splice(index, 1);
      this.#tallySkipped(tooLarge);
    } else {
      records.splice(index, 1, this.#deadLetter(error, key));
    }
    const deadLetters = withDeadLetters(checkpoint.deadLetters, [fingerprint]);
    return { ...forgetUnpublished(checkpoint, this.#poll.state, [key]), deadLetters };
  }

  #tallySkipped(reason: ErrorCode): void {
    const { skipped } = this.#poll.tally;
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  }
}

/** Returns a text that identifies a record within the poll; dead letters share a key. */
function identity({ role, key, value }: OutgoingRecord): string {
  if (role === 'dead_letters') return `${role} ${value?.toString('latin1') ?? ''}`;
  return value === null ? `${role} ${key} gone` : `${role} ${key}`;
}

/** Cuts a text beside a surrogate pair, not within it; well-formed, as Avro strings must be. */
function withinBound(raw: string): string {
  const isWhole = raw.length <= maxRawCharacters;
  const cut = isWhole ? raw : raw.slice(0, maxRawCharacters).replace(/[\uD800-\uDBFF]$/, '');
  return cut.toWellFormed();
}

/** The parts of a checkpoint whose every difference is worth a transaction. */
const comparedWhole = ['days', 'totals', 'rejections', 'hashtags'] as const;

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
    a.truncationSuspectedMs === b.truncationSuspectedMs &&
    !hasNewStory(a.stories, b.stories) &&
    comparedWhole.every((name) => JSON.stringify(a[name]) === JSON.stringify(b[name])) &&
    (a.cursorMs !== null || a.coveredUntilMs === b.coveredUntilMs)
  );
}

/** True when a story has begun or ended, which a later instance may not find out by itself. */
function hasNewStory(stories: Checkpoint['stories'], before: Checkpoint['stories']): boolean {
  const nameOf = ({ id, outcome, fewViewers }: RememberedStory) => `${id} ${outcome} ${fewViewers}`;
  const known = new Set(before.map(nameOf));
  return stories.some((story) => !known.has(nameOf(story)));
}

/**
 * Resets a checkpoint's entries of records that became dead letters to those of `before`, the last
 * state committed: a later poll that reads the records again publishes them again.
 */
export function forgetUnpublished(
  checkpoint: Checkpoint,
  before: Checkpoint,
  keys: readonly string[],
): Checkpoint {
  if (keys.length === 0) return checkpoint;
  const published = new Map(checkpoint.published);
  // Streams of nodes keep fingerprints by the id, which is the end of the key.
  for (const name of keys.flatMap((key) => [key, key.split('/').at(-1) ?? key]).map(keyNumber)) {
    const fingerprint = before.published.get(name);
    if (fingerprint === undefined) published.delete(name);
    else published.set(name, fingerprint);
  }
  const days = daysWithout(checkpoint.days, before.days, keys);
  const totals = daysWithout(checkpoint.totals, before.totals, keys);
  return { ...checkpoint, published, days, totals };
}

/** Resets the days of keys, each of which consists of the account and the date. */
function daysWithout<T extends { readonly dateMs: number }>(
  days: readonly T[],
  before: readonly T[],
  keys: readonly string[],
): readonly T[] {
  const isReset = ({ dateMs }: T) => keys.some((key) => key.endsWith(`/${isoSeconds(dateMs)}`));
  if (!days.some(isReset)) return days;
  const others = days.filter((day) => !isReset(day));
  return [...others, ...before.filter(isReset)].sort((a, b) => a.dateMs - b.dateMs);
}
