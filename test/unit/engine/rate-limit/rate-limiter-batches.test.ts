import { describe, expect, test } from '@jest/globals';
import { RateLimiter } from '../../../../src/engine/rate-limit/rate-limiter.ts';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import { account } from '../../../support/accounts.ts';
import { type Answer, createFakeGraph } from '../../../support/fake-graph.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { createRecordingTelemetry } from '../../../support/recording-telemetry.ts';
import { idle, limit, own } from './limiter-setup.ts';
import { calm, hourMs, minuteMs, startMs } from '../world.ts';

const requestsOf = (count: number): readonly GraphRequest[] =>
  Array.from({ length: count }, (_, index) => ({
    endpoint: '/{media}/insights',
    path: `/${index}/insights`,
    query: {},
    accountId: account.id,
  }));

/** A rate limiter over batch requests of an account, after one answered request. */
async function limitedWorld(
  answer: (request: GraphRequest) => Answer = ({ path }) => ({ id: path }),
) {
  const clock = createManualClock(startMs);
  const telemetry = createRecordingTelemetry();
  const rateLimiter = new RateLimiter({ clock, telemetry, maxConcurrentRequests: 8 });
  let isLimited = false;
  const transport = createFakeGraph((request) =>
    isLimited ? limit(own, 10 * minuteMs) : answer(request),
  );
  const graph = rateLimiter.limit(transport, { account, priority: 'normal', permit: idle });
  await graph.get({ endpoint: '/{account}', path: '/', query: {}, accountId: account.id }, calm);
  const paths: string[] = [];
  const all = async (count: number) => {
    for await (const { request } of graph.getEach(requestsOf(count), calm)) {
      paths.push(request.path);
    }
  };
  return {
    clock,
    rateLimiter,
    transport,
    all,
    paths,
    limit: (on: boolean) => {
      isLimited = on;
    },
  };
}

describe('RateLimiter: batch requests', () => {
  test('are replaced by single requests for the rest of the poll after three without an answer', async () => {
    const { all, transport, rateLimiter } = await limitedWorld();
    const isLost = (sent: number) => sent !== 2;
    let sent = 0;
    const graph = rateLimiter.limit(
      {
        ...transport,
        async getBatch(batch, signal) {
          sent += 1;
          if (!isLost(sent)) return transport.getBatch(batch, signal);
          return batch.map((request) => ({ request, isUnanswered: true as const }));
        },
      },
      { account, priority: 'normal', permit: idle },
    );
    const paths = new Set<string>();
    for await (const { request } of graph.getEach(requestsOf(400), calm)) paths.add(request.path);

    expect([paths.size, sent]).toEqual([400, 5]);
    // Another poll sends batches again.
    await all(60);
    expect(transport.batches).toEqual([50, 50, 10]);
  });

  test('are full while the quota has room', async () => {
    const { all, transport } = await limitedWorld();
    await all(120);

    expect(transport.batches).toEqual([50, 50, 20]);
  });

  test('are as large as the quota that remains before calls are spaced', async () => {
    const { all, transport, rateLimiter } = await limitedWorld();
    // Each call costs one percent of the quota, as far as is known; calls are spaced from 75 on.
    rateLimiter.onUsage({ scope: own, percent: 60, regainMs: 0 });
    await all(20);

    expect(transport.batches).toEqual([15, 5]);
  });

  test('start with a single request after a limit, and are full again once it was answered', async () => {
    const { all, transport, clock, rateLimiter } = await limitedWorld();
    rateLimiter.block(own, 10 * minuteMs);
    const done = all(120);
    await clock.advance(10 * minuteMs - 1);
    expect(transport.batches).toEqual([]);
    await clock.advance(1);
    await done;

    expect(transport.batches).toEqual([1, 50, 50, 19]);
  });

  test('pause when one of their items reports a limit, until the limit ends', async () => {
    let isFull = false;
    const { all, transport, paths, clock } = await limitedWorld(({ path }) => {
      if (isFull && path === '/2/insights') return limit(own, 5 * minuteMs);
      return { id: path };
    });
    isFull = true;
    const done = all(60);
    await clock.advance(5 * minuteMs - 1);
    expect(transport.batches).toEqual([50]);
    isFull = false;
    await clock.advance(1);
    await done;

    expect(transport.batches).toEqual([50, 1, 10]);
    expect(new Set(paths).size).toBe(60);
    expect(paths).toHaveLength(60);
  });

  test('wait longer each time the same limit is met again', async () => {
    const { all, transport, clock, limit: limited } = await limitedWorld();
    limited(true);
    const done = all(10);
    await clock.advance(10 * minuteMs);
    expect(transport.batches).toEqual([10, 1]);
    await clock.advance(10 * minuteMs);
    expect(transport.batches).toEqual([10, 1, 1]);
    await clock.advance(20 * minuteMs - 1);
    expect(transport.batches).toEqual([10, 1, 1]);
    limited(false);
    await clock.advance(hourMs);
    await done;
  });

  test('cost one call per item: a rise of one percent after fifty items makes each item cheap', async () => {
    const { all, transport, rateLimiter, clock } = await limitedWorld();
    rateLimiter.onUsage({ scope: own, percent: 50, regainMs: 0 });
    for (let percent = 51; percent < 60; percent += 1) {
      rateLimiter.onUsage({ scope: own, percent, regainMs: 0, calls: 50 });
    }
    const done = all(100);
    await clock.advance(minuteMs);

    expect(transport.batches).toEqual([50, 50]);
    await done;
  });
});
