import { isClassifiedError, RetryError, StopStreamError } from '../../engine/errors.ts';
import type { ShutdownBudget } from '../../engine/shutdown-budget.ts';
import { onceStopped, pause, withDeadline } from '../client/deadline.ts';
import { settled } from '../../engine/shutdown.ts';
import type { PlacedRecord, ProduceRequest } from './produce-requests.ts';
import type { TransactionalProducer } from './transaction.ts';

export interface ProducerBatch {
  /** All records of the batch; the state is the last. */
  readonly records: readonly PlacedRecord[];
  readonly state: PlacedRecord;
  /** True when the batch continues from this stored value; undefined means that the topic has none. */
  isPrevious(found: Buffer | undefined): Promise<boolean>;
}

/** Outcome of a batch, for the telemetry. */
export type TransactionOutcome = 'committed' | 'redone' | 'failed' | 'fenced';

/** The records of a batch, for the translation of an error. */
export type BatchContent = Pick<ProducerBatch, 'records' | 'state'>;

/** Dependencies of a partition producer; their errors are already classified. */
export interface PartitionProducerDeps {
  readonly shutdown: ShutdownBudget;
  /** Opens a producer with the transactional id of the partition; this ends every earlier transaction. */
  open(): Promise<TransactionalProducer>;
  /** @param by - `topic` after a failed attempt, so that a rejection identifies its topic */
  plan(records: readonly PlacedRecord[], by: 'leader' | 'topic'): readonly ProduceRequest[];
  /** Returns the end record: its offset proves that a read of the partition is complete. */
  endRecord(): PlacedRecord;
  /** Reads the value of a key in the state topic, up to `end`, the offset after the end record. */
  readBack(key: string, end: bigint, signal: AbortSignal): Promise<Buffer | undefined>;
  /** Translates an error of kafkajs into the error classes of engine/errors.ts; may query the brokers first. */
  translate(error: unknown, batch: BatchContent, lastRejection: string | undefined): unknown;
  /** Called after a failed attempt that will be retried. */
  onRetry(error: unknown): void;
  onOutcome(outcome: TransactionOutcome, batch: ProducerBatch, durationMs: number): void;
  /** Called once, when another producer has acquired the partition. */
  onFenced(reason: string): void;
}

/** The commit outcome of a batch. */
interface CommitState {
  /** True after a commit was sent, until its outcome is known. */
  unknown: boolean;
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
 * | in doubt | `#readBackKeys` set   | A producer failed and was discarded. Another instance may  |
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
  /** The offset after this producer's end record; undefined before the record is committed. */
  #readEnd: bigint | undefined;
  #discarding: Promise<void> = Promise.resolve();
  /**
   * Set while in doubt: the keys of the states that were read back since. Undefined while no other
   * producer can have written, as after an acquisition.
   */
  #readBackKeys: Set<string> | undefined;
  /** True when a discarded producer may have left its transaction open at the broker. */
  #mayHaveOpenTransaction = false;
  /** The error of every later call, once the producer is fenced or closed. */
  #endReason: Error | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(deps: PartitionProducerDeps) {
    this.#deps = deps;
  }

  /** True when nothing can be sent any more: the producer is fenced or closed. */
  get isEnded(): boolean {
    return this.#endReason !== undefined;
  }

  /**
   * Acquires the partition and fences every earlier producer, including this object's own. When it
   * resolves, no earlier producer can commit, and all their commits precede this producer's end
   * record.
   * @returns the end that a read must reach: the offset after the end record
   */
  acquire(signal: AbortSignal): Promise<bigint> {
    return this.#enqueue(async () => {
      signal.throwIfAborted();
      await this.#discard({ abort: false });
      const stop = AbortSignal.any([signal, this.#closing.signal]);
      for (let attempt = 1; ; attempt += 1) {
        await this.#open();
        try {
          const end = await this.#commitEndRecord(stop);
          this.#readBackKeys = undefined;
          return end;
        } catch (error) {
          const state = this.#deps.endRecord();
          const translated = await this.#fail(error, { records: [state], state });
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
  commit(batch: ProducerBatch, signal: AbortSignal): Promise<void> {
    return this.#enqueue(async () => {
      signal.throwIfAborted();
      const startedMs = performance.now();
      const report = (outcome: TransactionOutcome): void => {
        this.#deps.onOutcome(outcome, batch, performance.now() - startedMs);
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
    this.#endReason ??= closed();
    this.#closing.abort();
    await settled(this.#tail, this.#deps.shutdown.leftMs('batches'));
    await this.#discard({ abort: true });
    await this.#endOpenTransaction();
  }

  /**
   * Ends a transaction whose abort was not answered, by opening a new producer (Invariant 7). Otherwise
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
   * Ends such a transaction without closing: `read_committed` consumers must not wait for the next
   * batch, which may come late. The new producer stays open for that batch.
   */
  #endOpenTransactionSoon(): void {
    if (!this.#mayHaveOpenTransaction) return;
    this.#enqueue(() => this.#open()).catch(() => undefined);
  }

  readonly #transactionLimitMs = (): number => this.#deps.shutdown.leftMs('transaction');

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(() => {
      if (this.#endReason !== undefined) throw this.#endReason;
      return task();
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #commitUntilKnown(batch: ProducerBatch, signal: AbortSignal): Promise<TransactionOutcome> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    const commit: CommitState = { unknown: false };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(batch, attempt, commit, stop);
      } catch (error) {
        const translated = await this.#fail(error, batch);
        const isGivenUp = !commit.unknown && (attempt >= maxAttempts || hasRetryAfter(translated));
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
    batch: ProducerBatch,
    attempt: number,
    commit: CommitState,
    stop: AbortSignal,
  ): Promise<TransactionOutcome> {
    const { key } = batch.state;
    const isInDoubt = this.#readBackKeys?.has(key) === false;
    if ((attempt > 1 || isInDoubt) && (await this.#isCommitted(batch, stop))) return 'redone';
    this.#readBackKeys?.add(key);
    commit.unknown = false;
    const producer = await this.#open();
    const requests = this.#deps.plan(batch.records, attempt === 1 ? 'leader' : 'topic');
    const transaction = producer.transact(requests, () => {
      commit.unknown = true;
    });
    await onceStopped(transaction, stop, this.#transactionLimitMs);
    return attempt === 1 ? 'committed' : 'redone';
  }

  /**
   * Reads the commit outcome back when a stop leaves no time for another attempt. A commit that never
   * arrived left its transaction open and blocks `read_committed` consumers; the new producer ends it
   * (Invariant 7).
   */
  async #resolveUnknownCommit(
    batch: ProducerBatch,
    commit: CommitState,
    cause: unknown,
  ): Promise<TransactionOutcome> {
    if (!commit.unknown) throw cause;
    // The producer that reads back ends the transaction; there is no time for a second one.
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
      throw closed();
    }
    this.#producer = producer;
    return producer;
  }

  /**
   * Commits the end record, once per producer. A read that reaches its offset has every commit made
   * before this producer was opened. A former leader cannot serve that offset, and an open transaction
   * of another producer visibly blocks the read before it (Invariant 2).
   */
  async #commitEndRecord(stop: AbortSignal): Promise<bigint> {
    const producer = await this.#open();
    if (this.#readEnd !== undefined) return this.#readEnd;
    const requests = this.#deps.plan([this.#deps.endRecord()], 'topic');
    const transaction = producer.transact(requests, () => {
      // Until the broker answers, the commit may never have arrived (Invariant 7).
      this.#mayHaveOpenTransaction = true;
    });
    const offset = await onceStopped(transaction, stop, this.#transactionLimitMs);
    this.#mayHaveOpenTransaction = false;
    if (offset < 0n) throw new Error('kafkajs reported no offset of the end record');
    return (this.#readEnd = offset + 1n);
  }

  /** True when the topic has exactly this state: compare-and-set, so that no other state is overwritten. */
  async #isCommitted(batch: ProducerBatch, stop: AbortSignal): Promise<boolean> {
    // Invariant 4: open the new producer first, so that the value read next can no longer change.
    const end = await this.#commitEndRecord(stop);
    const { key, value } = batch.state;
    const found = await this.#deps.readBack(key, end, stop);
    if (value === null ? found === undefined : found?.equals(value) === true) return true;
    if (await batch.isPrevious(found)) return false;
    throw new StopStreamError(
      'kafka.fenced',
      `The state ${key} was changed by another writer: the topic has ` +
        `${found === undefined ? 'none' : 'another one'} where this instance expected the one that it ` +
        'wrote last. Nothing was written over it; the partition is given up and its states are read ' +
        'again. This is normal after a state command with --force. Otherwise look for a second ' +
        'instance that polls the same account, or for a loss of data in Kafka (an unclean leader ' +
        'election).',
    );
  }

  /** Discards the producer after any error (Invariant 4), and translates the error. */
  async #fail(error: unknown, batch: BatchContent): Promise<unknown> {
    const translated = await this.#deps.translate(error, batch, this.#producer?.lastRejection());
    const fenced = isFenced(translated);
    await this.#discard({ abort: !fenced });
    // Until the next producer is open, another instance may acquire the partition and release it.
    this.#readBackKeys = new Set();
    // The producer that acquired the partition has ended the transaction.
    if (fenced) this.#mayHaveOpenTransaction = false;
    // Acquiring the partition again would only fence the other instance.
    if (fenced && this.#endReason === undefined) {
      this.#endReason = translated;
      this.#deps.onFenced(translated.message);
    }
    return translated;
  }

  async #discard(options: { readonly abort: boolean }): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    this.#readEnd = undefined;
    if (producer !== undefined) this.#discarding = this.#discardProducer(producer, options);
    // Also waits for a discard that another call began.
    await this.#discarding;
  }

  async #discardProducer(producer: TransactionalProducer, options: { readonly abort: boolean }) {
    if (!(await producer.discard(options))) this.#mayHaveOpenTransaction = true;
  }
}

function closed(): RetryError {
  return new RetryError('kafka.unavailable', 'The connection to Kafka was closed.');
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
