import { describe, expect, test } from '@jest/globals';
import { RetryError, StopStreamError } from '../../../../src/engine/errors.ts';
import {
  PartitionProducer,
  type PlacedBatch,
  type PartitionProducerDeps,
  type BatchResult,
} from '../../../../src/kafka/producer/partition-producer.ts';
import type { PlacedRecord } from '../../../../src/kafka/producer/produce-requests.ts';
import { usualShutdown } from '../../../support/shutdown.ts';

/** The result of one attempt of a transaction. */
type Attempt = 'ok' | 'send-fails' | 'commit-lost' | 'commit-unacknowledged';

const away = new RetryError('kafka.unavailable', 'away');
const noSignal = new AbortController().signal;

function place(key: string, value: Buffer | null): PlacedRecord {
  return { role: 'state', topic: 't.state', partition: 0, key, value, headers: {}, bytes: 10 };
}

function batch(sequence: number): PlacedBatch {
  const state = place('media/1', Buffer.from(String(sequence)));
  return {
    records: [state],
    state,
    isPrevious: (found) =>
      Promise.resolve(Number.parseInt(found?.toString() ?? '0') === sequence - 1),
  };
}

/** A partition producer on a topic of one key; every producer follows the script of attempts. */
function setUp(
  script: Attempt[],
  changes: Partial<PartitionProducerDeps> = {},
  abortsAreAnswered = true,
) {
  const topic = { value: undefined as Buffer | undefined };
  let offset = 40n;
  const journal: string[] = [];
  const results: BatchResult[] = [];
  const fences: string[] = [];
  const tools: PartitionProducerDeps = {
    partition: 0,
    shutdown: usualShutdown,
    open() {
      journal.push('open');
      return Promise.resolve({
        lastBrokerError: () => undefined,
        transact(sends, onCommit) {
          const [record] = sends.flatMap(({ records }) => records);
          if (record?.key === 'fence') {
            journal.push('restore marker');
            offset += 2n;
            return Promise.resolve(offset);
          }
          const attempt = script.shift() ?? 'ok';
          journal.push(attempt);
          if (attempt === 'send-fails') return Promise.reject(away);
          onCommit();
          if (attempt !== 'commit-lost') topic.value = record?.value ?? undefined;
          return attempt === 'ok' ? Promise.resolve(7n) : Promise.reject(away);
        },
        discard({ abort }) {
          journal.push(abort ? 'discard' : 'discard without abort');
          return Promise.resolve(abort && abortsAreAnswered);
        },
      });
    },
    plan: (records) => [{ leader: 1, records }],
    restoreMarker: () => place('fence', null),
    readBack(_key, end) {
      journal.push(`read to ${end}`);
      return Promise.resolve(topic.value);
    },
    translate: (error) => error,
    onRetry: () => undefined,
    onResult: (result) => results.push(result),
    onFenced: (reason) => fences.push(reason),
    ...changes,
  };
  return { partitionProducer: new PartitionProducer(tools), topic, journal, results, fences };
}

describe('PartitionProducer', () => {
  test('keeps its transactional producer while every commit succeeds', async () => {
    const { partitionProducer, journal, results } = setUp([]);
    await partitionProducer.commit(batch(1), noSignal);
    await partitionProducer.commit(batch(2), noSignal);
    expect(journal).toEqual(['open', 'ok', 'ok']);
    expect(results).toEqual(['committed', 'committed']);
  });

  test('discards the producer and reads the state back after a failed produce request (Invariant 4)', async () => {
    const { partitionProducer, journal, results } = setUp(['send-fails']);
    await partitionProducer.commit(batch(1), noSignal);
    expect(journal).toEqual([
      'open',
      'send-fails',
      'discard',
      'open',
      'restore marker',
      'read to 43',
      'ok',
    ]);
    expect(results).toEqual(['redone']);
  });

  test('repeats a batch when the commit was aborted', async () => {
    const { partitionProducer, topic, journal } = setUp(['commit-lost']);
    await partitionProducer.commit(batch(1), noSignal);
    expect(journal).toEqual([
      'open',
      'commit-lost',
      'discard',
      'open',
      'restore marker',
      'read to 43',
      'ok',
    ]);
    expect(topic.value?.toString()).toBe('1');
  });

  test('does not repeat a batch when the unacknowledged commit is found committed', async () => {
    const { partitionProducer, journal, results } = setUp(['commit-unacknowledged']);
    await partitionProducer.commit(batch(1), noSignal);
    expect(journal).toEqual([
      'open',
      'commit-unacknowledged',
      'discard',
      'open',
      'restore marker',
      'read to 43',
    ]);
    expect(results).toEqual(['redone']);
  });

  test('fails after three attempts without a commit', async () => {
    const { partitionProducer, results } = setUp(['send-fails', 'send-fails', 'send-fails']);
    await expect(partitionProducer.commit(batch(1), noSignal)).rejects.toBe(away);
    expect(results).toEqual(['failed']);
    await partitionProducer.commit(batch(1), noSignal);
    expect(results).toEqual(['failed', 'committed']);
  });

  test('reports an unknown commit only when a stop prevents reading the state back', async () => {
    const stop = new AbortController();
    const { partitionProducer } = setUp(['commit-lost'], {
      readBack: () => Promise.reject(away),
      onRetry: () => {
        stop.abort();
      },
    });
    await expect(partitionProducer.commit(batch(1), stop.signal)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'kafka.commit-unknown',
    });
  });

  test('is fenced for good when the topic has a newer state of another instance', async () => {
    const { partitionProducer, topic } = setUp(['send-fails']);
    topic.value = Buffer.from('7');
    const fenced = { disposition: 'stop-stream', code: 'kafka.fenced' };
    await expect(partitionProducer.commit(batch(2), noSignal)).rejects.toMatchObject(fenced);
    await expect(partitionProducer.commit(batch(2), noSignal)).rejects.toMatchObject(fenced);
  });

  test("publishes nothing over another instance's state after it was without a producer (Invariant 4)", async () => {
    const { partitionProducer, topic, journal } = setUp(['send-fails', 'send-fails', 'send-fails']);
    await partitionProducer.acquire(noSignal);
    await expect(partitionProducer.commit(batch(1), noSignal)).rejects.toBe(away);
    topic.value = Buffer.from('1, of another');
    await expect(partitionProducer.commit(batch(1), noSignal)).rejects.toMatchObject({
      code: 'kafka.fenced',
    });
    expect(journal).not.toContain('ok');
  });

  test('reads back each state once after its producer was replaced, unless it wrote the state itself', async () => {
    const other = { ...batch(1), state: { ...batch(1).state, key: 'users/1' } };
    const { partitionProducer, journal } = setUp(['send-fails']);
    await partitionProducer.acquire(noSignal);
    await partitionProducer.commit(batch(1), noSignal);
    await partitionProducer.commit(batch(2), noSignal);
    expect(journal.splice(0)).toEqual([
      'open',
      'restore marker',
      'send-fails',
      'discard',
      'open',
      'restore marker',
      'read to 45',
      'ok',
      'ok',
    ]);
    await expect(partitionProducer.commit(other, noSignal)).rejects.toMatchObject({
      code: 'kafka.fenced',
    });
    expect(journal).toEqual(['read to 45', 'discard without abort']);
  });

  test.each([
    ['none, as after a reset', undefined],
    ['an older one, as after an import or a loss of data', '3'],
    ['a newer one', '9'],
    ['another one with the same sequence', '7, of another'],
  ])(
    'keeps a state in the topic that is neither the new nor the previous one: the topic has %s (Invariant 2)',
    async (_what, found) => {
      const { partitionProducer, topic, journal, fences } = setUp([
        'ok',
        'send-fails',
        'send-fails',
        'send-fails',
      ]);
      await partitionProducer.acquire(noSignal);
      await partitionProducer.commit(batch(6), noSignal);
      await expect(partitionProducer.commit(batch(7), noSignal)).rejects.toBe(away);
      topic.value = found === undefined ? undefined : Buffer.from(found);
      journal.length = 0;

      await expect(partitionProducer.commit(batch(7), noSignal)).rejects.toMatchObject({
        code: 'kafka.fenced',
        message: expect.stringContaining(
          'The state media/1 in partition 0 of t.state was changed by another writer',
        ),
      });

      expect(journal).not.toContain('ok');
      expect(fences).toHaveLength(1);
      expect(partitionProducer.isEnded).toBe(true);
    },
  );

  test('commits a restore marker when it acquires the partition, and returns the offset after it', async () => {
    const { partitionProducer, journal } = setUp([]);
    await expect(partitionProducer.acquire(noSignal)).resolves.toBe(43n);
    expect(journal).toEqual(['open', 'restore marker']);
  });

  test('acquires the partition with another producer when the restore marker is not acknowledged', async () => {
    let tries = 0;
    const { partitionProducer, journal } = setUp([], {
      plan: (records) => {
        tries += 1;
        if (tries === 1) throw away;
        return [{ leader: 1, records }];
      },
    });
    await expect(partitionProducer.acquire(noSignal)).resolves.toBe(43n);
    expect(journal).toEqual(['open', 'discard', 'open', 'restore marker']);
  });

  test('sends no abort and does not acquire the partition again when it is fenced', async () => {
    const { partitionProducer, journal, results } = setUp(['send-fails'], {
      translate: () => new StopStreamError('kafka.fenced', 'fenced'),
    });
    await expect(partitionProducer.commit(batch(1), noSignal)).rejects.toThrow('fenced');
    await expect(partitionProducer.commit(batch(2), noSignal)).rejects.toThrow('fenced');
    expect(journal).toEqual(['open', 'send-fails', 'discard without abort']);
    expect(results).toEqual(['fenced']);
  });

  test('commits batches one after another, in the order of the calls', async () => {
    const { partitionProducer, topic } = setUp(['send-fails']);
    await Promise.all(
      [1, 2, 3].map((sequence) => partitionProducer.commit(batch(sequence), noSignal)),
    );
    expect(topic.value?.toString()).toBe('3');
  });

  test('does not begin a batch whose signal is already aborted', async () => {
    const { partitionProducer, journal } = setUp([]);
    await expect(
      partitionProducer.commit(batch(1), AbortSignal.abort(new Error('stopping'))),
    ).rejects.toThrow('stopping');
    expect(journal).toEqual([]);
  });

  test('ends the running batch and rejects the next one when it is closed', async () => {
    const { partitionProducer, journal } = setUp([]);
    await partitionProducer.acquire(noSignal);
    const inHand = partitionProducer.commit(batch(1), noSignal);
    await Promise.resolve();
    const closed = partitionProducer.close();
    await inHand;
    await closed;
    await expect(partitionProducer.commit(batch(2), noSignal)).rejects.toMatchObject({
      code: 'kafka.unavailable',
    });
    expect(journal).toEqual(['open', 'restore marker', 'ok', 'discard']);
  });

  test('ends the transaction with another producer when its abort is not answered (Invariant 7)', async () => {
    const { partitionProducer, journal } = setUp(
      ['send-fails'],
      { readBack: () => Promise.reject(away) },
      false,
    );
    const stop = new AbortController();
    const failing = partitionProducer.commit(batch(1), stop.signal);
    await Promise.resolve();
    stop.abort();
    await expect(failing).rejects.toBe(away);
    expect(journal).toEqual(['open', 'send-fails', 'discard']);
    await partitionProducer.close();
    expect(journal.slice(3)).toEqual(['open', 'discard without abort']);
    await partitionProducer.close();
    expect(journal).toHaveLength(5);
  });

  test('leaves the open transaction to the new owner when it is fenced', async () => {
    const { partitionProducer, journal } = setUp(
      ['send-fails'],
      { translate: () => new StopStreamError('kafka.fenced', 'fenced') },
      false,
    );
    await expect(partitionProducer.commit(batch(1), noSignal)).rejects.toThrow('fenced');
    await partitionProducer.close();
    expect(journal).toEqual(['open', 'send-fails', 'discard without abort']);
  });

  test('discards a producer that opens after the close', async () => {
    const { partitionProducer, journal } = setUp([]);
    const acquired = partitionProducer.acquire(noSignal);
    await Promise.resolve();
    await Promise.all([
      partitionProducer.close(),
      expect(acquired).rejects.toThrow('The producer of state partition 0 was closed'),
    ]);
    expect(journal).toEqual(['open', 'discard without abort']);
  });
});
