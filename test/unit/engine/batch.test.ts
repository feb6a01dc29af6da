import { describe, expect, test } from '@jest/globals';
import { DeadLetterError, RetryError, StopStreamError } from '../../../src/engine/errors.ts';
import type { Value } from '../../../src/engine/json.ts';
import { emptyCheckpoint, type Checkpoint, type StreamState } from '../../../src/engine/state.ts';
import { type PageResult, BatchBuilder } from '../../../src/engine/batch.ts';
import { createFakePublisher } from '../../support/fake-publisher.ts';
import { createJsonEncoder, keysOf, valueOf } from '../../support/json-encoder.ts';
import { type World, calm, createWorld, firstState, pollOf, posts, startMs } from './world.ts';

const letterKey = 'dead_letters media/17841400000000001';

function result(ids: readonly string[], changes: Partial<PageResult> = {}): PageResult {
  const records = ids.map((id): Value => ({ id, polled_at: startMs }));
  return {
    records,
    rejected: [],
    skipped: [],
    unknown: new Set(),
    gone: [],
    processed: [],
    checkpoint: emptyCheckpoint,
    isLast: false,
    ...changes,
  };
}

const refusal = (path: string) =>
  new DeadLetterError('mapping.invalid', `field "${path}"`, { path, raw: `{"at":"${path}"}` });

const tooLarge = (path: string) =>
  new DeadLetterError('kafka.record-too-large', `${path} is too large`, { path, raw: 'x' });

/** Refuses a batch as long as the record with the key is in it. */
const refusing = (key: string) =>
  createFakePublisher(({ records }) =>
    records.some((record) => record.key === key) ? tooLarge(key) : undefined,
  );

const small = (changes: Partial<World> = {}) => {
  const world = createWorld(changes);
  return { ...world, settings: { ...world.settings, maxBatchRecords: 3 } };
};

describe('a batch', () => {
  test('is committed only when it has the configured number of records', async () => {
    const world = small();
    const batch = new BatchBuilder(pollOf(posts), world, calm);

    await batch.add(result(['1', '2']));
    expect(world.publisher.batches).toEqual([]);
    await batch.add(result(['3']));
    expect(keysOf(world.publisher.batches)).toEqual(['media 1', 'media 2', 'media 3']);
  });

  test('is committed with the remaining records at the end of the poll, and only if there are any', async () => {
    const world = small();
    const batch = new BatchBuilder(pollOf(posts), world, calm);
    await batch.add(result(['1', '2', '3']));
    await batch.add(result(['4']));
    await batch.end();
    await batch.end();

    expect(world.publisher.batches.map(({ records }) => records.length)).toEqual([3, 1]);
    expect(world.publisher.batches.map(({ state }) => state.sequence)).toEqual([1, 2]);
    expect(world.publisher.batches.map(({ state }) => state.polledMs)).toEqual([null, startMs]);
  });

  // Invariant 3
  test('counts dead letters towards its size and carries them with the records (Invariant 3)', async () => {
    const world = small();
    const poll = pollOf(posts);
    const batch = new BatchBuilder(poll, world, calm);

    await batch.add(result(['1'], { rejected: [refusal('a'), refusal('b')] }));

    expect(keysOf(world.publisher.batches)).toEqual(['media 1', letterKey, letterKey]);
    expect(world.publisher.batches).toHaveLength(1);
    expect(poll.tally).toMatchObject({ records: 1, deadLetters: 2 });
  });

  test('is not counted in the tally when its commit fails', async () => {
    const away = new RetryError('kafka.unavailable', 'away');
    const world = small({ publisher: createFakePublisher(() => away) });
    const poll = pollOf(posts);

    await expect(new BatchBuilder(poll, world, calm).add(result(['1', '2', '3']))).rejects.toBe(
      away,
    );

    expect(poll.tally).toMatchObject({ records: 0, deadLetters: 0 });
  });
});

describe('the tally of a poll', () => {
  test('counts skipped nodes by reason and lists each unknown field once', async () => {
    const world = small();
    const poll = pollOf(posts);
    const batch = new BatchBuilder(poll, world, calm);
    const unknown = new Set(['a', 'b']);

    await batch.add(result([], { skipped: ['graph.gone', 'graph.not-enough-viewers'], unknown }));
    await batch.add(result([], { skipped: ['graph.gone'], unknown: new Set(['b']) }));

    expect(poll.tally.skipped).toEqual({ 'graph.gone': 2, 'graph.not-enough-viewers': 1 });
    expect([...poll.tally.unknownFields]).toEqual(['a', 'b']);
  });
});

describe('batch builder: the timestamp of a record', () => {
  const timed = { ...posts, eventTime: 'posted' };
  const yesterdayMs = startMs - 86_400_000;
  const records: readonly Value[] = [
    { id: '1', posted: yesterdayMs },
    { id: '2', posted: startMs + 1 },
    { id: '3', posted: null },
  ];
  const timestamps = async (stream: typeof posts, eventTimed: readonly string[]) => {
    const world = createWorld();
    const tools = { ...world, settings: { ...world.settings, eventTimed } };
    const batch = new BatchBuilder(pollOf(stream), tools, calm);
    await batch.add(result([], { records, gone: ['4'], rejected: [refusal('a')] }));
    await batch.end();
    return world.publisher.batches[0]?.records.map(({ timestampMs }) => timestampMs);
  };

  test('is the time of its event where it has one, at most the start of the poll', async () => {
    expect(await timestamps(timed, ['media'])).toEqual([
      yesterdayMs,
      startMs,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('is the time of publishing unless it is chosen and the stream declares its event', async () => {
    const none = Array<undefined>(5).fill(undefined);
    expect(await timestamps(timed, ['users'])).toEqual(none);
    expect(await timestamps(posts, ['media'])).toEqual(none);
  });
});

describe('a record that cannot be encoded', () => {
  // Invariant 3
  test('becomes a dead letter with its key, and the other records are published (Invariant 3)', async () => {
    const encoder = createJsonEncoder((role, value) =>
      role === 'media' && value['id'] === '2'
        ? new DeadLetterError('encoding.invalid', 'field "id"', { path: 'id', raw: '{"id":"2"}' })
        : undefined,
    );
    const world = small({ encoder });

    await new BatchBuilder(pollOf(posts), world, calm).add(result(['1', '2', '3']));

    expect(keysOf(world.publisher.batches)).toEqual(['media 1', 'media 3', letterKey]);
    expect(world.publisher.batches[0]?.records.map(({ headers }) => headers['schema'])).toEqual([
      '1',
      '1',
      '2',
    ]);
    expect(valueOf(world.publisher.batches[0]?.records[2])).toMatchObject({
      code: 'encoding.invalid',
      path: 'id',
      raw: '{"id":"2"}',
      key: '2',
    });
  });

  test('is not marked as published in the state', async () => {
    const encoder = createJsonEncoder((role, value) =>
      role === 'media' && value['id'] === '2'
        ? new DeadLetterError('encoding.invalid', 'field "id"', { path: 'id', raw: '{"id":"2"}' })
        : undefined,
    );
    const world = small({ encoder });
    const published = new Map([
      ['1', 1n],
      ['2', 2n],
    ]);

    const batch = new BatchBuilder(pollOf(posts), world, calm);
    await batch.add(result(['1', '2'], { checkpoint: { ...emptyCheckpoint, published } }));
    await batch.end();

    expect(world.publisher.batches[0]?.state.published).toEqual(new Map([['1', 1n]]));
  });

  test('fails the poll when the encoder throws an unexpected error', async () => {
    const world = small({ encoder: createJsonEncoder(() => new TypeError('a bug')) });

    await expect(new BatchBuilder(pollOf(posts), world, calm).add(result(['1']))).rejects.toThrow(
      'a bug',
    );
  });
});

describe('a record that is too large for Kafka', () => {
  test('becomes a dead letter of the same batch, and the other records are published', async () => {
    const world = small({ publisher: refusing('2') });
    const poll = pollOf(posts);

    await new BatchBuilder(poll, world, calm).add(result(['1', '2', '3']));

    expect(keysOf(world.publisher.batches)).toEqual(['media 1', letterKey, 'media 3']);
    expect(valueOf(world.publisher.batches[0]?.records[1])).toMatchObject({
      code: 'kafka.record-too-large',
      key: '2',
    });
    expect(world.publisher.tried.map(({ state }) => state.sequence)).toEqual([1, 1]);
    expect(poll.tally).toMatchObject({ records: 2, deadLetters: 1 });
  });

  test('is dead-lettered only once when the poll is retried', async () => {
    const world = small({ publisher: refusing('2') });
    const poll = pollOf(posts);
    await new BatchBuilder(poll, world, calm).add(result(['1', '2', '3']));

    const again = new BatchBuilder(poll, world, calm);
    await again.add(result(['1', '2', '3', '4']));
    await again.end();

    expect(keysOf(world.publisher.batches)).toEqual(['media 1', letterKey, 'media 3', 'media 4']);
  });

  test('is not marked as published in the state and is dead-lettered only once over all retries', async () => {
    const world = small({ publisher: refusing('2') });
    const changes = { media: 'changes' } as const;
    const tools = { ...world, settings: { ...world.settings, publish: changes } };
    const before = new Map([['2', 7n]]);
    const poll = pollOf(posts);
    poll.state = { ...poll.state, published: before };
    const published = new Map([
      ['1', 1n],
      ['2', 2n],
      ['3', 3n],
    ]);

    const batch = new BatchBuilder(poll, tools, calm);
    await batch.add(result(['1', '2', '3'], { checkpoint: { ...emptyCheckpoint, published } }));
    await new BatchBuilder(poll, tools, calm).add(result(['2', '4', '5']));

    const expected = new Map([...published, ['2', 7n]] as const);
    expect(world.publisher.batches[0]?.state.published).toEqual(expected);
    expect(batch.checkpoint.published).toEqual(expected);
    expect(keysOf(world.publisher.batches)).toEqual([
      'media 1',
      letterKey,
      'media 3',
      'media 4',
      'media 5',
    ]);
  });

  test('fails the poll when the rejected key belongs to no record of the batch', async () => {
    const world = small({ publisher: createFakePublisher(() => tooLarge('media/1')) });

    await expect(
      new BatchBuilder(pollOf(posts), world, calm).add(result(['1', '2', '3'])),
    ).rejects.toMatchObject({ code: 'kafka.record-too-large' });
    expect(world.publisher.tried).toHaveLength(1);
  });
});

describe('a state that is too large for Kafka', () => {
  const large = new StopStreamError('kafka.record-too-large', 'the state media/1 is too large');
  const weight = ({ rejections, deadLetters }: Checkpoint) =>
    rejections.length + deadLetters.length;
  const learned: Checkpoint = {
    ...emptyCheckpoint,
    published: new Map([['1', 1n]]),
    rejections: Array.from({ length: 100 }, (_, index) => ({
      subject: String(index),
      metric: 'reach',
      reason: 'graph.metric-refused',
      untilMs: null,
    })),
    deadLetters: Array.from({ length: 50 }, (_, index) => BigInt(index)),
  };

  test('is committed with only the newest rejections and dead-letter fingerprints, and with every published fingerprint', async () => {
    const publisher = createFakePublisher(({ state }) => (weight(state) > 40 ? large : undefined));
    const world = small({ publisher });
    const poll = pollOf(posts);
    poll.state = { ...poll.state, deadLetters: learned.deadLetters };

    await new BatchBuilder(poll, world, calm).add(result(['1', '2', '3'], { checkpoint: learned }));

    const [batch] = publisher.batches;
    expect(batch?.records).toHaveLength(3);
    expect(batch?.state.rejections).toEqual(learned.rejections.slice(-25));
    expect(batch?.state.deadLetters).toEqual(learned.deadLetters.slice(-12));
    expect(batch?.state.published).toBe(learned.published);
    expect(publisher.tried.map(({ state }) => state.sequence)).toEqual([1, 1, 1]);
    expect(poll.state).toBe(batch?.state);
  });

  test('stops the stream when it is too large even without rejections and dead-letter fingerprints', async () => {
    const publisher = createFakePublisher(() => large);
    const world = small({ publisher });

    await expect(
      new BatchBuilder(pollOf(posts), world, calm).add(
        result(['1', '2', '3'], { checkpoint: learned }),
      ),
    ).rejects.toBe(large);
    expect(publisher.batches).toEqual([]);
    expect(weight(publisher.tried.at(-1)?.state ?? learned)).toBe(0);
  });
});

describe('a dead letter', () => {
  const rawOf = async (raw: string) => {
    const world = small();
    const batch = new BatchBuilder(pollOf(posts), world, calm);
    await batch.deadLetter(new DeadLetterError('graph.bad-body', 'not JSON', { path: '', raw }));
    return valueOf(world.publisher.batches[0]?.records[0])['raw'];
  };

  test('has a raw text that is cut beside a surrogate pair, never within it', async () => {
    expect(await rawOf(`${'x'.repeat(99_999)}😍`)).toBe('x'.repeat(99_999));
  });

  test('has U+FFFD in place of a lone surrogate', async () => {
    expect(await rawOf('a\ud83d')).toBe('a\ufffd');
  });

  test('has a raw text of at most 100,000 characters, so that Kafka accepts it', async () => {
    const world = small();
    const long = new DeadLetterError('mapping.invalid', 'no', {
      path: '',
      raw: 'x'.repeat(200_000),
    });
    const batch = new BatchBuilder(pollOf(posts), world, calm);

    await batch.add(result([], { rejected: [long] }));
    await batch.end();

    expect(valueOf(world.publisher.batches[0]?.records[0])['raw']).toHaveLength(100_000);
  });

  test('is written once when a retry of the poll rejects the same node again', async () => {
    const world = small();
    const poll = pollOf(posts);
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const batch = new BatchBuilder(poll, world, calm);
      await batch.add(result([], { rejected: [refusal('a')] }));
      await batch.end();
    }

    expect(keysOf(world.publisher.batches)).toEqual([letterKey]);
  });

  const bad = (likes: number) =>
    new DeadLetterError('mapping.invalid', 'no', { path: 'id', raw: `{"id":7,"likes":${likes}}` });

  /** A poll with what was committed before it, as after a restart; `error` is what it meets. */
  async function pollAfter(state: StreamState, error: DeadLetterError, world: World) {
    const poll = pollOf(posts, { state });
    const batch = new BatchBuilder(poll, world, calm);
    await batch.add(result([], { rejected: [error] }));
    await batch.end();
    return poll;
  }

  test('is written once when a page rejects the same node twice', async () => {
    const world = small();
    const batch = new BatchBuilder(pollOf(posts), world, calm);
    await batch.add(result([], { rejected: [refusal('a'), refusal('a'), refusal('b')] }));
    await batch.end();

    expect(keysOf(world.publisher.batches)).toEqual([letterKey, letterKey]);
  });

  test('is counted but not written again when the next poll rejects the same unchanged node', async () => {
    const world = small();
    const first = await pollAfter(firstState(posts), bad(1), world);
    const second = await pollAfter(first.state, bad(1), world);

    expect(keysOf(world.publisher.batches)).toEqual([letterKey]);
    expect([first, second].map(({ tally }) => tally)).toMatchObject([
      { deadLetters: 1, skipped: {} },
      { deadLetters: 0, skipped: { 'mapping.invalid': 1 } },
    ]);
  });

  test('is written again when the node has changed and is still invalid', async () => {
    const world = small();
    const first = await pollAfter(firstState(posts), bad(1), world);
    await pollAfter(first.state, bad(2), world);

    expect(keysOf(world.publisher.batches)).toEqual([letterKey, letterKey]);
  });

  test('is stored in the state only by the transaction that writes it', async () => {
    const away = new RetryError('kafka.unavailable', 'no');
    const world = small({ publisher: createFakePublisher(() => away) });
    const poll = pollOf(posts);
    const batch = new BatchBuilder(poll, world, calm);
    await batch.add(result([], { rejected: [bad(1)] }));

    await expect(batch.end()).rejects.toBe(away);
    expect(poll.state.deadLetters).toEqual([]);

    const better = small();
    await pollAfter(poll.state, bad(1), better);
    expect(keysOf(better.publisher.batches)).toEqual([letterKey]);
    expect(better.publisher.batches[0]?.state.deadLetters).toHaveLength(1);
  });

  test('is written once for a record that is too large, while each poll tries the record again', async () => {
    const world = small({ publisher: refusing('1') });
    let { state } = pollOf(posts);
    for (let count = 1; count <= 2; count += 1) {
      const poll = pollOf(posts, { state });
      const batch = new BatchBuilder(poll, world, calm);
      await batch.add(result(['1', '2', '3']));
      ({ state } = poll);
    }

    const others = ['media 2', 'media 3'];
    expect(keysOf(world.publisher.batches)).toEqual([letterKey, ...others, ...others]);
  });

  test('is written once for an unreadable body, however often the API returns that body', async () => {
    const world = small();
    const body = new DeadLetterError('graph.bad-body', 'not JSON', { path: '', raw: '<html>' });
    const first = pollOf(posts);
    await new BatchBuilder(first, world, calm).deadLetter(body);
    const second = pollOf(posts, { state: first.state });
    await new BatchBuilder(second, world, calm).deadLetter(body);

    expect(keysOf(world.publisher.batches)).toEqual([letterKey]);
    expect(second.tally.skipped).toEqual({ 'graph.bad-body': 1 });
  });
});
