import { setTimeout as sleep } from 'node:timers/promises';
import { isConnectorError, RetryError, StopStreamError } from '../../engine/errors.ts';
import type { ShutdownBudget } from '../../engine/shutdown-budget.ts';
import { onceStopped, settleWithin, withDeadline } from '../client/deadline.ts';
import type { PlacedRecord, ProduceRequest } from './produce-requests.ts';
import type { TransactionalProducer } from './transaction.ts';

/** One batch, placed and encoded. */
export interface ProducerBatch {
  /** The state is the last of them. */
  readonly records: readonly PlacedRecord[];
  readonly state: PlacedRecord;
  /** Reports whether this is the value that the state goes on from; undefined where the topic has none. */
  isPrevious(found: Buffer | undefined): Promise<boolean>;
}

/** How a batch ended, for the telemetry. */
export type Outcome = 'committed' | 'redone' | 'failed' | 'fenced';

/** What a partition producer works with; its errors are already the taxonomy's. */
export interface PartitionProducerTools {
  readonly shutdown: ShutdownBudget;
  /** Opens a producer of this partition producer's transactional id, which ends every transaction before it. */
  open(): Promise<TransactionalProducer>;
  /** @param by - `topic` once a try has failed, so that a refusal tells which topic is meant */
  plan(records: readonly PlacedRecord[], by: 'leader' | 'topic'): readonly ProduceRequest[];
  /** The record whose offset proves that a read of this partition producer's partition is complete. */
  fence(): PlacedRecord;
  /** Reads the value that the state topic has for a key, up to `end`, the offset after the fence. */
  readBack(key: string, end: bigint, signal: AbortSignal): Promise<Buffer | undefined>;
  /** Makes an error of kafkajs one of the taxonomy's; it may look something up first. */
  translate(
    error: unknown,
    batch: Pick<ProducerBatch, 'records' | 'state'>,
    lastRefusal: string | undefined,
  ): unknown;
  /** Called when a try has failed and another will be made. */
  onTrouble(error: unknown): void;
  onOutcome(outcome: Outcome, batch: ProducerBatch, durationMs: number): void;
  /** Called once, when another producer turns out to have taken the partition over. */
  onFenced(reason: string): void;
}

/** Whether a commit was sent and nobody knows yet what became of it. */
interface CommitState {
  unknown: boolean;
}

interface Try {
  readonly attempt: number;
  readonly commit: CommitState;
  readonly stop: AbortSignal;
}

/** Tries of a batch of which it is known that nothing was committed. */
const maxTries = 3;
const pausesMs = [50, 500, 1000, 2000, 5000];

/**
 * The serial way of one state partition's batches into Kafka: one transactional producer at a time,
 * thrown away after any error. Partition producers are concurrent with one another.
 */
export class PartitionProducer {
  readonly #tools: PartitionProducerTools;
  readonly #closing = new AbortController();
  #producer: TransactionalProducer | undefined;
  /** The offset after the fence record of this producer; undefined before it is written. */
  #fenced: bigint | undefined;
  #discarding: Promise<void> = Promise.resolve();
  /**
   * The states that were looked at since a producer was thrown away; undefined while nobody else can
   * have written, as since the claim.
   */
  #looked: Set<string> | undefined;
  /** Whether a producer that was thrown away may have left its transaction open at the broker. */
  #isLeftOpen = false;
  /** Why nothing more may be sent. */
  #refusal: Error | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(tools: PartitionProducerTools) {
    this.#tools = tools;
  }

  /** Whether nothing can be sent any more: it was closed, or another instance has taken over. */
  get isSpent(): boolean {
    return this.#refusal !== undefined;
  }

  /**
   * Takes the partition over from any other producer, this partition producer's own included: when it resolves,
   * no more commits of others can come, and all of them lie before a fence record.
   *
   * @returns the end that a read must reach: the offset after the fence record
   */
  claim(signal: AbortSignal): Promise<bigint> {
    return this.#enqueue(async () => {
      signal.throwIfAborted();
      await this.#discard({ abort: false });
      const stop = AbortSignal.any([signal, this.#closing.signal]);
      for (let attempt = 1; ; attempt += 1) {
        await this.#open();
        try {
          const end = await this.#fence(stop);
          this.#looked = undefined;
          return end;
        } catch (error) {
          const state = this.#tools.fence();
          const known = await this.#fail(error, { records: [state], state });
          if (attempt >= maxTries || isFinal(known) || stop.aborted) throw known;
          await pause(pausesMs[attempt - 1] ?? 5000, stop);
        }
      }
    });
  }

  /**
   * Commits a batch after those before it. While the outcome of a commit is unknown it goes on
   * until it is known; a batch of which nothing was committed is tried a few times.
   */
  commit(batch: ProducerBatch, signal: AbortSignal): Promise<void> {
    return this.#enqueue(async () => {
      signal.throwIfAborted();
      const startedMs = performance.now();
      const end = (outcome: Outcome): void => {
        this.#tools.onOutcome(outcome, batch, performance.now() - startedMs);
      };
      try {
        end(await this.#tryUntilKnown(batch, signal));
      } catch (error) {
        end(isFenced(error) ? 'fenced' : 'failed');
        throw error;
      }
    });
  }

  /** Lets the transaction in hand end, for a bounded time, and refuses what comes after it. */
  async close(): Promise<void> {
    this.#refusal ??= closed();
    this.#closing.abort();
    await settleWithin(this.#tail, this.#tools.shutdown.leftMs('batches'));
    await this.#discard({ abort: true });
    await this.#endWhatIsOpen();
  }

  /**
   * An abort that was not answered may never have arrived, and its transaction holds up everybody who
   * reads committed records until the broker ends it by itself: a new producer does so now
   * (Invariant 7). Once, because it is the stop that waits.
   */
  async #endWhatIsOpen(): Promise<void> {
    if (!this.#isLeftOpen) return;
    this.#isLeftOpen = false;
    const ending = this.#tools.open().then((producer) => producer.discard({ abort: false }));
    await settleWithin(ending, this.#tools.shutdown.leftMs('takeOver'));
  }

  /**
   * The same while it is to go on: who reads committed records does not wait for the next batch, which
   * may be long in coming. It is sent by the producer that is opened for this.
   */
  #endSoon(): void {
    if (!this.#isLeftOpen) return;
    this.#enqueue(() => this.#open()).catch(() => undefined);
  }

  readonly #transactionLimitMs = (): number => this.#tools.shutdown.leftMs('transaction');

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(() => {
      if (this.#refusal !== undefined) throw this.#refusal;
      return work();
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  async #tryUntilKnown(batch: ProducerBatch, signal: AbortSignal): Promise<Outcome> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    const commit: CommitState = { unknown: false };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#try(batch, { attempt, commit, stop });
      } catch (error) {
        const known = await this.#fail(error, batch);
        const enough = !commit.unknown && (attempt >= maxTries || asksToWait(known));
        if (enough || isFinal(known)) {
          this.#endSoon();
          throw known;
        }
        this.#tools.onTrouble(known);
        await pause(pausesMs[attempt - 1] ?? 5000, stop);
        if (stop.aborted) return await this.#lastLook(batch, commit, known);
      }
    }
  }

  async #try(batch: ProducerBatch, { attempt, commit, stop }: Try): Promise<Outcome> {
    const { key } = batch.state;
    const isDoubtful = this.#looked?.has(key) === false;
    if ((attempt > 1 || isDoubtful) && (await this.#landed(batch, stop))) return 'redone';
    this.#looked?.add(key);
    commit.unknown = false;
    const producer = await this.#open();
    const sends = this.#tools.plan(batch.records, attempt === 1 ? 'leader' : 'topic');
    const transacting = producer.transact(sends, () => {
      commit.unknown = true;
    });
    await onceStopped(transacting, stop, this.#transactionLimitMs);
    return attempt === 1 ? 'committed' : 'redone';
  }

  /**
   * There is no time for another try. A commit that never arrived has left its transaction open,
   * which holds up everybody who reads committed records: the new producer ends it (Invariant 7).
   */
  async #lastLook(batch: ProducerBatch, commit: CommitState, known: unknown): Promise<Outcome> {
    if (!commit.unknown) throw known;
    // The look ends it; there is no time for two.
    this.#isLeftOpen = false;
    const limitMs = Math.ceil(this.#tools.shutdown.leftMs('outcome'));
    const looking = this.#landed(batch, AbortSignal.timeout(limitMs));
    const landed = await withDeadline(looking, limitMs, 'a last look').catch(() => undefined);
    if (landed === undefined) throw unknownOutcome(batch, known);
    if (!landed) throw known;
    return 'redone';
  }

  async #open(): Promise<TransactionalProducer> {
    if (this.#producer !== undefined) return this.#producer;
    const producer = await this.#tools.open();
    this.#isLeftOpen = false;
    if (this.#closing.signal.aborted) {
      await producer.discard({ abort: false });
      throw closed();
    }
    this.#producer = producer;
    return producer;
  }

  /**
   * Commits the fence record, once a producer: a read that reaches its offset has every commit that was
   * made before this producer was opened. No broker that was deposed can serve that offset, and an open
   * transaction of another producer visibly blocks the way to it (Invariant 2).
   */
  async #fence(stop: AbortSignal): Promise<bigint> {
    const producer = await this.#open();
    if (this.#fenced !== undefined) return this.#fenced;
    const sends = this.#tools.plan([this.#tools.fence()], 'topic');
    const transacting = producer.transact(sends, () => {
      // Until the answer comes, the commit may never have arrived (Invariant 7).
      this.#isLeftOpen = true;
    });
    const offset = await onceStopped(transacting, stop, this.#transactionLimitMs);
    this.#isLeftOpen = false;
    if (offset < 0n) throw new Error('kafkajs reported no offset of the fence record');
    return (this.#fenced = offset + 1n);
  }

  /** Reports whether the topic has this very state: compare and set, so that no other is written over. */
  async #landed(batch: ProducerBatch, stop: AbortSignal): Promise<boolean> {
    // Invariant 4: the new producer first, so that what is read next can no longer change.
    const end = await this.#fence(stop);
    const { key, value } = batch.state;
    const found = await this.#tools.readBack(key, end, stop);
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

  /** Invariant 4: whatever failed, the producer is thrown away. */
  async #fail(error: unknown, batch: Pick<ProducerBatch, 'records' | 'state'>): Promise<unknown> {
    const known = await this.#tools.translate(error, batch, this.#producer?.lastRefusal());
    const fenced = isFenced(known);
    await this.#discard({ abort: !fenced });
    // Until the next one is open, another instance may take the partition over and give it back.
    this.#looked = new Set();
    // Who has taken the partition over has ended it.
    if (fenced) this.#isLeftOpen = false;
    // Taking the partition back would only fence the other instance in its turn.
    if (fenced && this.#refusal === undefined) {
      this.#refusal = known;
      this.#tools.onFenced(known.message);
    }
    return known;
  }

  async #discard(how: { readonly abort: boolean }): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    this.#fenced = undefined;
    if (producer !== undefined) this.#discarding = this.#throwAway(producer, how);
    // Also the one that somebody else has begun to throw away.
    await this.#discarding;
  }

  async #throwAway(producer: TransactionalProducer, how: { readonly abort: boolean }) {
    if (!(await producer.discard(how))) this.#isLeftOpen = true;
  }
}

async function pause(pauseMs: number, stop: AbortSignal): Promise<void> {
  await sleep(pauseMs, undefined, { signal: stop }).catch(() => undefined);
}

function closed(): RetryError {
  return new RetryError('kafka.unavailable', 'The connection to Kafka was closed.');
}

function isFenced(error: unknown): error is StopStreamError {
  return error instanceof StopStreamError && error.code === 'kafka.fenced';
}

/** Reports whether another try now would only spend more of a quota. */
function asksToWait(error: unknown): boolean {
  return error instanceof RetryError && error.retryAfterMs !== undefined;
}

/** Whether another try would end the same way. */
function isFinal(error: unknown): boolean {
  return isConnectorError(error) && error.disposition !== 'retry';
}

function unknownOutcome(batch: ProducerBatch, cause: unknown): RetryError {
  return new RetryError(
    'kafka.commit-unknown',
    `Whether the last batch of ${batch.state.key} was committed could not be found out before ` +
      'the program was asked to stop; the state topic tells at the next start.',
    { cause },
  );
}
