import { describe, expect, test } from '@jest/globals';
import {
  DeadLetterError,
  FailError,
  RetryError,
  SkipError,
  StopAccountError,
  StopProcessError,
  StopStreamError,
  WaitError,
} from '../../../src/engine/errors.ts';
import { pollWhenDue } from '../../../src/engine/poller.ts';
import { Semaphore } from '../../../src/engine/rate-limit/semaphore.ts';
import { account, otherAccount } from '../../support/accounts.ts';
import { type Answer, answersInTurn, createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { createFakePublisher } from '../../support/fake-publisher.ts';
import { keysOf } from '../../support/json-encoder.ts';
import { settle } from '../../support/manual-clock.ts';
import { type World, calm, createWorld, hourMs, jobOf, minuteMs, posts, startMs } from './world.ts';

const page = pageOf([{ id: '1' }]);
const away = new RetryError('graph.server', 'HTTP 500');

const worldOf = (...answers: readonly Answer[]) =>
  createWorld({ graph: createFakeGraph(answersInTurn(...answers)) });

/** A due poll of the posts of an account; time is moved by the test. */
function start(world: World, signal = calm, who = account) {
  const job = jobOf(posts, who);
  const outcome = pollWhenDue(job, world, { nextPollMs: startMs + hourMs, signal });
  outcome.catch(() => undefined);
  return { job, outcome };
}

describe('a successful poll', () => {
  test('reports its results and keeps the new state for the next poll', async () => {
    const world = worldOf(pageOf([{ id: '1', surprise: 1 }, { caption: 'no id' }]));
    const { job, outcome } = start(world);

    await expect(outcome).resolves.toEqual({ kind: 'done' });
    // One page; a list with a node without an id does not say what is gone.
    expect(world.telemetry.ofType('progress').map(({ step, of }) => [step, of])).toEqual([
      [1, null],
    ]);
    expect(world.telemetry.events.filter(({ type }) => type !== 'progress')).toEqual([
      {
        type: 'calls',
        stream: 'media',
        accountId: '17841400000000001',
        calls: 1,
        results: { none: { found: 1, nothing: 0 } },
        impressions: null,
      },
      { type: 'encoded', stream: 'media', records: 1, durationMs: expect.any(Number) as unknown },
      {
        type: 'state',
        stream: 'media',
        accountId: '17841400000000001',
        writtenAtMs: startMs,
        rejections: [],
      },
      { type: 'committed', stream: 'media', records: 1, deadLetters: 1 },
      {
        type: 'poll-finished',
        stream: 'media',
        accountId: '17841400000000001',
        records: 1,
        deadLetters: 1,
        requests: 1,
        calls: 1,
        requestedMedia: 0,
        answeredNodes: 0,
        skipped: {},
        leftOut: [],
        unknownFields: ['surprise'],
        durationMs: 0,
        nextPollMs: startMs + hourMs,
        trigger: 'schedule',
      },
    ]);
    expect(job.state.sequence).toBe(1);
    expect(world.publisher.batches[0]?.records[0]?.headers['poll']).toBe(
      'media/17841400000000001/2026-05-12T12:00:00.000Z',
    );
  });
});

describe('the preparation of an account', () => {
  test('comes before its first request, and its rejection fails the poll', async () => {
    const graph = createFakeGraph(() => page);
    const rejected = new FailError('kafka.unauthorized', 'may not create ig.17.media');
    const world = createWorld({ graph, prepareAccount: () => Promise.reject(rejected) });

    await expect(start(world).outcome).resolves.toEqual({ kind: 'failed', error: rejected });
    expect(graph.requests).toEqual([]);
  });
});

describe('the event "poll-failed"', () => {
  test.each([
    [
      'names the next poll after a poll that failed',
      new SkipError('graph.gone', 'gone'),
      startMs + hourMs,
    ],
    [
      'names no next poll for a stream that is stopped',
      new StopStreamError('graph.permission', 'no'),
      null,
    ],
  ])('%s', async (_what, error, nextPollMs) => {
    const world = worldOf(error);
    await start(world).outcome;

    expect(world.telemetry.ofType('poll-failed')).toMatchObject([{ nextPollMs }]);
  });
});

describe('the event "committed"', () => {
  const committed = (world: World) =>
    world.telemetry
      .ofType('committed')
      .map(({ records, deadLetters }) => ({ records, deadLetters }));

  test('is reported once when the poll fails because of an unreadable body', async () => {
    const bad = new DeadLetterError('graph.bad-body', 'not JSON', { path: '', raw: '<html>' });
    const world = worldOf(bad);
    const { outcome } = start(world);

    await expect(outcome).resolves.toMatchObject({ kind: 'failed' });
    expect(committed(world)).toEqual([{ records: 0, deadLetters: 1 }]);
  });

  test('counts each record once when the poll succeeds after a retry', async () => {
    const first = pageOf([{ id: '1' }, { caption: 'no id' }], 'next');
    const world = worldOf(first, away, first, pageOf([{ id: '2' }]));
    const small = { ...world, settings: { ...world.settings, maxBatchRecords: 1 } };
    const { outcome } = start(small);
    await world.clock.advance(hourMs);

    await expect(outcome).resolves.toEqual({ kind: 'done' });
    expect(committed(world)).toEqual([
      { records: 1, deadLetters: 1 },
      { records: 1, deadLetters: 0 },
    ]);
    expect(world.telemetry.ofType('poll-finished')).toMatchObject([{ records: 2, deadLetters: 1 }]);
  });
});

describe('the disposition retry', () => {
  test('retries with growing back-off and fails the poll after three attempts', async () => {
    const world = worldOf(away, away, away);
    const { outcome } = start(world);
    await world.clock.advance(hourMs);

    await expect(outcome).resolves.toEqual({ kind: 'failed', error: away });
    expect(world.graph.requests).toHaveLength(3);
    // Half of base · 2^(attempt-1), and as much of the other half as chance says: 0.5.
    expect(world.clock.slept).toEqual([750, 1500]);
    expect(world.telemetry.ofType('poll-failed').map((event) => event.retryInMs)).toEqual([
      750,
      1500,
      null,
    ]);
  });

  test("waits as long as the server's retry-after asks", async () => {
    const world = worldOf(new RetryError('graph.server', 'busy', { retryAfterMs: 7000 }), page);
    const { outcome } = start(world);
    await world.clock.advance(hourMs);

    await expect(outcome).resolves.toEqual({ kind: 'done' });
    expect(world.clock.slept).toEqual([7000]);
  });

  test('continues from the state that was committed before the error', async () => {
    const broker = new RetryError('kafka.unavailable', 'no broker answers');
    const world = {
      ...worldOf(pageOf([{ id: '1' }], 'A'), pageOf([{ id: '2' }]), pageOf([{ id: '2' }])),
      publisher: createFakePublisher((_batch, index) => (index === 1 ? broker : undefined)),
    };
    const tools = { ...world, settings: { ...world.settings, maxBatchRecords: 1 } };
    const { job, outcome } = start(tools);
    await world.clock.advance(hourMs);

    await expect(outcome).resolves.toEqual({ kind: 'done' });
    expect(keysOf(world.publisher.batches)).toEqual(['media 1', 'media 2']);
    expect(world.publisher.batches.map(({ state }) => state.sequence)).toEqual([1, 2]);
    expect(job.state.sequence).toBe(2);
  });

  test('keeps the last committed state when the last attempt fails', async () => {
    const world = worldOf(pageOf([{ id: '1' }], 'A'), away, away, away);
    const tools = {
      ...world,
      settings: { ...world.settings, maxBatchRecords: 1 },
      retry: { ...world.retry, maxAttempts: 1 },
    };
    const { job, outcome } = start(tools);

    await expect(outcome).resolves.toMatchObject({ kind: 'failed' });
    expect(job.state.sequence).toBe(1);
  });
});

describe('the disposition wait', () => {
  const limit = new WaitError('graph.rate-limited', 'too many calls', {
    scope: { kind: 'account', id: account.id },
    retryAfterMs: 5 * minuteMs,
  });

  test('pauses the request of a limited scope and then continues the poll at the same page', async () => {
    const world = worldOf(pageOf([{ id: '1' }], 'A'), limit, pageOf([{ id: '2' }]));
    const { outcome } = start(world);
    await world.clock.advance(5 * minuteMs - 1);
    expect(world.graph.requests).toHaveLength(2);
    await world.clock.advance(1);

    await expect(outcome).resolves.toEqual({ kind: 'done' });
    expect(world.graph.queries.map(({ after }) => after)).toEqual([undefined, 'A', 'A']);
    expect(world.telemetry.ofType('poll-failed')).toEqual([]);
  });

  test('blocks the scope and repeats the poll when the limit comes from the publisher', async () => {
    const world = {
      ...worldOf(page, page),
      publisher: createFakePublisher((_batch, index) => (index === 0 ? limit : undefined)),
    };
    const { outcome } = start(world);
    await world.clock.advance(5 * minuteMs - 1);
    expect(world.graph.requests).toHaveLength(1);
    await world.clock.advance(1);

    await expect(outcome).resolves.toEqual({ kind: 'done' });
    expect(world.telemetry.ofType('poll-failed')).toMatchObject([
      { disposition: 'wait', code: 'graph.rate-limited', retryInMs: 5 * minuteMs },
    ]);
  });

  // Invariant 8
  test("delays the polls of the limited account and no other account's polls (Invariant 8)", async () => {
    const world = worldOf(limit, page, page, page);
    start(world);
    await settle();
    const same = start(world);
    const other = start(world, calm, otherAccount);

    await expect(other.outcome).resolves.toEqual({ kind: 'done' });
    expect(world.graph.requests).toHaveLength(2);
    await world.clock.advance(5 * minuteMs);
    await expect(same.outcome).resolves.toEqual({ kind: 'done' });
  });

  test('does not count as a failed attempt', async () => {
    const world = worldOf(limit, limit, limit, away, away, page);
    const { outcome } = start(world);
    await world.clock.advance(hourMs);

    await expect(outcome).resolves.toEqual({ kind: 'done' });
  });

  test("frees the poll's permit for other polls during the wait", async () => {
    const world = { ...worldOf(limit, page, page), pollPermits: new Semaphore(1) };
    start(world);
    await settle();
    const other = start(world, calm, otherAccount);
    await world.clock.advance(999);
    expect(world.graph.requests).toHaveLength(1);
    await world.clock.advance(1);

    await expect(other.outcome).resolves.toEqual({ kind: 'done' });
  });
});

describe('the disposition', () => {
  const part = new DeadLetterError('graph.bad-body', 'not JSON', { path: '', raw: '<html>' });
  const process = new StopProcessError('kafka.unauthorized', 'no', { exitCode: 3 });

  test.each([
    ['skip', 'failed', new SkipError('graph.gone', 'the account is gone'), 'fail'],
    ['dead-letter', 'failed', part, 'dead-letter'],
    ['stop-stream', 'stop-stream', new StopStreamError('graph.permission', 'no'), 'stop-stream'],
    ['stop-account', 'stop-account', new StopAccountError('graph.token', 'old'), 'stop-account'],
  ])('%s ends the poll at once with the outcome %s', async (_name, kind, error, disposition) => {
    const world = worldOf(error);
    const { outcome } = start(world);

    await expect(outcome).resolves.toEqual({ kind, error });
    expect(world.clock.slept).toEqual([]);
    expect(world.telemetry.ofType('poll-failed')).toMatchObject([
      { code: error.code, disposition, message: error.message, retryInMs: null },
    ]);
  });

  test('dead-letter publishes the unreadable part and then ends the poll', async () => {
    const world = worldOf(part);
    await start(world).outcome;

    expect(keysOf(world.publisher.batches)).toEqual(['dead_letters media/17841400000000001']);
  });

  test('stop-process throws the error to the caller', async () => {
    await expect(start(worldOf(process)).outcome).rejects.toBe(process);
  });

  test('unexpected, for an error without a disposition, fails the poll without a retry', async () => {
    const world = worldOf(new TypeError('a bug'));
    const { outcome } = start(world);

    await expect(outcome).resolves.toMatchObject({ kind: 'failed' });
    expect(world.graph.requests).toHaveLength(1);
    expect(world.telemetry.ofType('poll-failed')).toMatchObject([
      { code: 'internal.unexpected', disposition: 'unexpected', retryInMs: null },
    ]);
  });
});

describe('an abort of a poll', () => {
  test('ends the back-off with the abort reason and without a further event', async () => {
    const stop = new AbortController();
    const world = worldOf(away);
    const { outcome } = start(world, stop.signal);
    await settle();
    stop.abort(new Error('stopping'));

    await expect(outcome).rejects.toThrow('stopping');
    expect(world.telemetry.events.map(({ type }) => type)).toEqual(['calls', 'poll-failed']);
  });

  test('ends the wait for a rate limit', async () => {
    const stop = new AbortController();
    const world = worldOf(page);
    world.rateLimiter.block({ kind: 'app', id: '' }, hourMs);
    const { outcome } = start(world, stop.signal);
    await settle();
    stop.abort(new Error('stopping'));

    await expect(outcome).rejects.toThrow('stopping');
    expect(world.graph.requests).toEqual([]);
  });

  test('ends the wait for a permit', async () => {
    const stop = new AbortController();
    const world = { ...worldOf(page), pollPermits: new Semaphore(0) };
    const { outcome } = start(world, stop.signal);
    await settle();
    stop.abort(new Error('stopping'));

    await expect(outcome).rejects.toThrow('stopping');
  });

  test('rejects with the abort reason rather than the error of the aborted request', async () => {
    const stop = new AbortController();
    const graph = createFakeGraph(() => {
      stop.abort(new Error('stopping'));
      return away;
    });
    const world = createWorld({ graph });

    await expect(start(world, stop.signal).outcome).rejects.toThrow('stopping');
    expect(world.telemetry.events.map(({ type }) => type)).toEqual(['calls']);
  });
});
