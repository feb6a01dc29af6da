import { isClassifiedError, RetryError, StopStreamError } from '../../engine/errors.ts';
import type { ShutdownBudget } from '../../engine/shutdown-budget.ts';
import { onceStopped, pause, withDeadline } from '../client/deadline.ts';
import { settled } from '../../engine/shutdown.ts';
import type { PlacedRecord, ProduceRequest } from './produce-requests.ts';
import type { TransactionalProducer } from './transaction.ts';

/** A batch whose records have their topics and partitions. */
export interface PlacedBatch {
  /** All records of the batch; the state is the last. */
  readonly records: readonly PlacedRecord[];
  readonly state: PlacedRecord;
  /** True when the batch continues from this stored value; undefined means that the topic has none. */
  isPrevious(found: Buffer | undefined): Promise<boolean>;
}

/**
 * Result of a batch, for the telemetry. `redone`: committed after an error, by another attempt or by
 * the first one when only its response was lost.
 */
export type BatchResult = 'committed' | 'redone' | 'failed' | 'fenced';

/** The records of a batch, for the translation of an error. */
export type BatchContent = Pick<PlacedBatch, 'records' | 'state'>;

/** Dependencies of a partition producer; their errors are already classified. */
export interface PartitionProducerDeps {
  readonly partition: number;
  readonly shutdown: ShutdownBudget;
  /** Opens a producer with the transactional id of the partition; this ends every earlier transaction. */
  open(): Promise<TransactionalProducer>;
  /** @param by - `topic` after a failed attempt, so that an error identifies its topic */
  plan(records: readonly PlacedRecord[], by: 'leader' | 'topic'): readonly ProduceRequest[];
  /** Returns the restore marker: a restore is complete once it has read past its offset. */
  restoreMarker(): PlacedRecord;
  /** Reads a key's value in the state topic, up to `end`, the offset after the restore marker. */
  readBack(key: string, end: bigint, signal: AbortSignal): Promise<Buffer | undefined>;
  /** Translates an error of kafkajs into the error classes of engine/errors.ts; may query the brokers first. */
  translate(error: unknown, batch: BatchContent, lastBrokerError: string | undefined): unknown;
  /** Called after a failed attempt that will be retried. */
  onRetry(error: unknown): void;
  onResult(result: BatchResult, batch: PlacedBatch, durationMs: number): void;
  /** Called once, when this producer may no longer write: another acquired the partition or changed a state. */
  onFenced(reason: string): void;
}

/** The commit of a batch whose outcome is not known yet. */
interface PendingCommit {
  /** True after it was sent, until its outcome is known. */
  sent: boolean;
}

/** Attempts at a batch of which certainly nothing was committed. */
const maxAttempts = 3;
const pausesMs = [50, 500, 1000, 2000, 5000];

/**
 * The transactional producer of one state partition. It commits batches one after another, and
 * replaces its kafkajs producer after any error. Partition producers run concurrently.
 *
 * | State    | Recognized by         | Meaning                                                    |
 * | -------- | --------------------- | ---------------------------------------------------------- |
 * | idle     | no `#producer`        | The next acquisition or batch opens a producer.            |
 * | open     | `#producer`           | Its epoch fences every earlier producer.                   |
 * | in doubt | `#verifiedKeys` set   | A producer failed and was discarded. Another instance may  |
 * |          |                       | have written since, or a commit outcome may be unknown.    |
 * |          |                       | Each state is read back once before it is overwritten.     |
 * | fenced   | `#endReason`          | Another producer acquired the partition. Final.            |
 * | closed   | `#endReason`          | `close` was called. Final.                                 |
 *
 * A partition producer in doubt is idle or open: opening a new kafkajs producer does not tell whether
 * the earlier commit succeeded. Reading a state back resolves it for that state; an acquisition
 * resolves it for the whole partition.
 */
export class PartitionProducer {
  readonly #deps: PartitionProducerDeps;
  readonly #closing = new AbortController();
  #producer: TransactionalProducer | undefined;
  /** The offset after this producer's restore marker; undefined before the marker is committed. */
  #restoreUntilOffset: bigint | undefined;
  #discarding: Promise<void> = Promise.resolve();
  /**
   * Set while in doubt: the keys of the states that were read back since. Undefined while no other
   * producer can have written, as after an acquisition.
   */
  #verifiedKeys: Set<string> | undefined;
  /** True when a discarded producer may have left its transaction open at the broker. */
  #mayHaveOpenTransaction = false;
  /** The error of every later call, once the producer is fenced or closed. */
  #endReason: Error | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(deps: PartitionProducerDeps) {
    this.#deps = deps;
  }

  /** True when nothing can be sent any more: the producer is fenced or closed. */
  get isEnded(): boolean {
    return this.#endReason !== undefined;
  }

  /**
   * Acquires the partition and fences every earlier producer, including this object's previous
   * one. When it resolves, no earlier producer can commit, and all their commits precede this
   * producer's restore marker.
   * @returns the end that a read must reach: the offset after the restore marker
   */
  acquire(signal: AbortSignal): Promise<bigint> {
    return this.#enqueue(async () => {
      signal.throwIfAborted();
      await this.#discard({ abort: false });
      const stop = AbortSignal.any([signal, this.#closing.signal]);
      for (let attempt = 1; ; attempt += 1) {
        await this.#open();
        try {
          const end = await this.#commitRestoreMarker(stop);
          this.#verifiedKeys = undefined;
          return end;
        } catch (error) {
          const state = this.#deps.restoreMarker();
          const translated = await this.#discardAfterError(error, { records: [state], state });
          if (attempt >= maxAttempts || isFinal(translated) || stop.aborted) throw translated;
          await pause(pausesMs[attempt - 1] ?? 5000, stop);
        }
      }
    });
  }

  /**
   * Commits a batch after the earlier ones. While the commit outcome is unknown, attempts continue
   * until it is known. A batch of which nothing was committed is attempted {@link maxAttempts} times.
   */
  commit(batch: PlacedBatch, signal: AbortSignal): Promise<void> {
    return this.#enqueue(async () => {
      signal.throwIfAborted();
      const startedMs = performance.now();
      const report = (result: BatchResult): void => {
        this.#deps.onResult(result, batch, performance.now() - startedMs);
      };
      try {
        report(await this.#commitUntilKnown(batch, signal));
      } catch (error) {
        report(isFenced(error) ? 'fenced' : 'failed');
        throw error;
      }
    });
  }

  /** Waits for the current transaction, for a bounded time, and rejects later batches. */
  async close(): Promise<void> {
    this.#endReason ??= this.#closedError();
    this.#closing.abort();
    await settled(this.#queue, this.#deps.shutdown.leftMs('batches'));
    await this.#discard({ abort: true });
    await this.#endOpenTransaction();
  }

  /**
   * Ends a transaction whose abort had no response, by opening a new producer (Invariant 7). Otherwise
   * it would block every `read_committed` consumer until the broker's timeout. Attempted once, because
   * the shutdown waits for it.
   */
  async #endOpenTransaction(): Promise<void> {
    if (!this.#mayHaveOpenTransaction) return;
    this.#mayHaveOpenTransaction = false;
    const disposal = this.#deps.open().then((producer) => producer.discard({ abort: false }));
    await settled(disposal, this.#deps.shutdown.leftMs('acquisition'));
  }

  /**
   * Ends a transaction that may be open by opening the next batch's producer now: that batch may
   * come late, and `read_committed` consumers would wait for it.
   */
  #endOpenTransactionSoon(): void {
    if (!this.#mayHaveOpenTransaction) return;
    this.#enqueue(() => this.#open()).catch(() => undefined);
  }

  readonly #transactionLimitMs = (): number => this.#deps.shutdown.leftMs('transaction');

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => {
      if (this.#endReason !== undefined) throw this.#endReason;
      return task();
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #commitUntilKnown(batch: PlacedBatch, signal: AbortSignal): Promise<BatchResult> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    const commit: PendingCommit = { sent: false };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(batch, attempt, commit, stop);
      } catch (error) {
        const translated = await this.#discardAfterError(error, batch);
        const isGivenUp = !commit.sent && (attempt >= maxAttempts || hasRetryAfter(translated));
        if (isGivenUp || isFinal(translated)) {
          this.#endOpenTransactionSoon();
          throw translated;
        }
        this.#deps.onRetry(translated);
        await pause(pausesMs[attempt - 1] ?? 5000, stop);
        if (stop.aborted) return await this.#resolveUnknownCommit(batch, commit, translated);
      }
    }
  }

  async #attempt(
    batch: PlacedBatch,
    attempt: number,
    commit: PendingCommit,
    stop: AbortSignal,
  ): Promise<BatchResult> {
    const { key } = batch.state;
    const mustVerify = attempt > 1 || this.#mustVerify(key);
    if (mustVerify && (await this.#isCommitted(batch, stop))) return 'redone';
    this.#verifiedKeys?.add(key);
    commit.sent = false;
    const producer = await this.#open();
    const requests = this.#deps.plan(batch.records, attempt === 1 ? 'leader' : 'topic');
    const transaction = producer.transact(requests, () => {
      commit.sent = true;
    });
    await onceStopped(transaction, stop, this.#transactionLimitMs);
    return attempt === 1 ? 'committed' : 'redone';
  }

  /** True when another producer may have written this state since it was last read. */
  #mustVerify(key: string): boolean {
    return this.#verifiedKeys !== undefined && !this.#verifiedKeys.has(key);
  }

  /**
   * Reads the commit outcome back when a stop leaves no time for another attempt. A commit that never
   * arrived left its transaction open and blocks `read_committed` consumers; the new producer ends it
   * (Invariant 7).
   */
  async #resolveUnknownCommit(
    batch: PlacedBatch,
    commit: PendingCommit,
    cause: unknown,
  ): Promise<BatchResult> {
    if (!commit.sent) throw cause;
    // #isCommitted opens a new producer, and InitProducerId ends the old transaction.
    this.#mayHaveOpenTransaction = false;
    const limitMs = Math.ceil(this.#deps.shutdown.leftMs('outcome'));
    const check = this.#isCommitted(batch, AbortSignal.timeout(limitMs));
    const bounded = withDeadline(check, limitMs, 'reading the outcome of the commit');
    const isCommitted = await bounded.catch(() => undefined);
    if (isCommitted === true) return 'redone';
    if (isCommitted === false) throw cause;
    throw new RetryError(
      'kafka.commit-unknown',
      `The program stopped before it knew whether the last batch of ${batch.state.key} was ` +
        'committed; the next start reads this from the state topic.',
      { cause },
    );
  }

  async #open(): Promise<TransactionalProducer> {
    if (this.#producer !== undefined) return this.#producer;
    const producer = await this.#deps.open();
    this.#mayHaveOpenTransaction = false;
    if (this.#closing.signal.aborted) {
      await producer.discard({ abort: false });
      throw this.#closedError();
    }
    this.#producer = producer;
    return producer;
  }

  /**
   * Commits the restore marker, once per producer. A read that reaches its offset has every commit made
   * before this producer was opened. A stale leader cannot serve that offset, and an open transaction
   * of another producer visibly blocks the read before it (Invariant 2).
   */
  async #commitRestoreMarker(stop: AbortSignal): Promise<bigint> {
    const producer = await this.#open();
    if (this.#restoreUntilOffset !== undefined) return this.#restoreUntilOffset;
    const requests = this.#deps.plan([this.#deps.restoreMarker()], 'topic');
    const transaction = producer.transact(requests, () => {
      // Until the broker responds, the commit may not have arrived (Invariant 7).
      this.#mayHaveOpenTransaction = true;
    });
    const offset = await onceStopped(transaction, stop, this.#transactionLimitMs);
    this.#mayHaveOpenTransaction = false;
    if (offset < 0n)
      throw new Error('Kafka reported no offset of the restore marker; the acquisition is retried');
    return (this.#restoreUntilOffset = offset + 1n);
  }

  /**
   * True if this state is stored, false if its predecessor is: a compare-and-set.
   * @throws StopStreamError `kafka.fenced` for any other state, which must not be overwritten
   */
  async #isCommitted(batch: PlacedBatch, stop: AbortSignal): Promise<boolean> {
    // Invariant 4: open the new producer first, so that the value read next can no longer change.
    const end = await this.#commitRestoreMarker(stop);
    const { key, value, topic, partition } = batch.state;
    const found = await this.#deps.readBack(key, end, stop);
    if (value === null ? found === undefined : found?.equals(value) === true) return true;
    if (await batch.isPrevious(found)) return false;
    throw new StopStreamError(
      'kafka.fenced',
      `The state ${key} in partition ${partition} of ${topic} was changed by another writer: expected ` +
        `the state that this instance wrote last, found ${found === undefined ? 'none' : 'another'}. ` +
        'Nothing was overwritten; the instance releases the partition and restores it again. After ' +
        'a state command with --force no action is needed. Otherwise look for another installation ' +
        'that writes to this topic, or for data loss in Kafka (an unclean leader election).',
    );
  }

  /** Discards the producer after any error (Invariant 4); returns the translated error. */
  async #discardAfterError(error: unknown, batch: BatchContent): Promise<unknown> {
    const translated = await this.#deps.translate(error, batch, this.#producer?.lastBrokerError());
    const fenced = isFenced(translated);
    await this.#discard({ abort: !fenced });
    // Until the next producer is open, another instance may acquire the partition and release it.
    this.#verifiedKeys = new Set();
    // The producer that acquired the partition has ended the transaction.
    if (fenced) this.#mayHaveOpenTransaction = false;
    // Acquiring the partition again would only fence the other instance.
    if (fenced && this.#endReason === undefined) {
      this.#endReason = translated;
      this.#deps.onFenced(translated.message);
    }
    return translated;
  }

  #closedError(): RetryError {
    return new RetryError(
      'kafka.unavailable',
      `The producer of state partition ${this.#deps.partition} was closed (shutdown or rebalance) ` +
        "and commits nothing more; the partition's next owner continues from the committed state. " +
        'No action is needed.',
    );
  }

  async #discard(options: { readonly abort: boolean }): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    this.#restoreUntilOffset = undefined;
    if (producer !== undefined) this.#discarding = this.#discardProducer(producer, options);
    // Also waits for a discard that another call began.
    await this.#discarding;
  }

  async #discardProducer(producer: TransactionalProducer, options: { readonly abort: boolean }) {
    if (!(await producer.discard(options))) this.#mayHaveOpenTransaction = true;
  }
}

function isFenced(error: unknown): error is StopStreamError {
  return error instanceof StopStreamError && error.code === 'kafka.fenced';
}

/** True when another attempt now would only use more of a quota. */
function hasRetryAfter(error: unknown): boolean {
  return error instanceof RetryError && error.retryAfterMs !== undefined;
}

/** True when another attempt would fail the same way. */
function isFinal(error: unknown): boolean {
  return isClassifiedError(error) && error.disposition !== 'retry';
}
