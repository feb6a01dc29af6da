import { describe, expect, test } from '@jest/globals';
import { SkipError } from '../../../../src/engine/errors.ts';
import type { Node } from '../../../../src/engine/json.ts';
import type { StreamState } from '../../../../src/engine/state.ts';
import { runPoll } from '../../../../src/engine/poll.ts';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { type FakeGraph, createFakeGraph } from '../../../support/fake-graph.ts';
import { createFakePublisher } from '../../../support/fake-publisher.ts';
import { valueOf } from '../../../support/json-encoder.ts';
import { calm, createWorld, dayMs, firstState, pollOf, startMs } from '../../engine/world.ts';

type DailyStream = 'user_insights' | 'user_daily_totals';

/** Every day ends at 07:00 UTC here, and its values identify the day. */
const dayOf = (endMs: number) => Math.floor(endMs / dayMs);
const endOf = (day: number) => day * dayMs + 7 * 3_600_000;
const startDay = dayOf(startMs);

const refusalOf = (request: GraphRequest, refused: readonly string[]) => {
  const named = (request.query['metric'] ?? '').split(',').filter((name) => refused.includes(name));
  return named.length === 0 ? undefined : new SkipError('graph.metric-unknown', 'no', named);
};

/** A distinct value for each metric, period and day. */
const valueFor = (metric: string, period: string, day: number) =>
  metric === 'online_followers' ? { 7: day } : day * 10 + period.length + metric.length;

function answerTo({ query }: GraphRequest, nowMs: number): Node {
  const { metric = '', period = '', since, until, metric_type: total } = query;
  const [from, to] = [Number(since) * 1000, Math.min(Number(until) * 1000, nowMs)];
  const metrics = metric.split(',');
  if (total !== undefined) {
    const data = metrics.map((name) => ({
      name,
      total_value:
        name === 'follows_and_unfollows'
          ? { breakdowns: [{ results: [{ dimension_values: ['FOLLOWER'], value: dayOf(to) }] }] }
          : { value: valueFor(name, period, dayOf(to)) },
    }));
    return { data };
  }
  const days = Array.from({ length: 800 }, (_, index) => startDay - 700 + index).filter((day) => {
    const reaches = metrics.includes('reach') || endOf(day) > nowMs - 30 * dayMs;
    return endOf(day) >= from && endOf(day) <= to && reaches;
  });
  const data = metrics.map((name) => ({
    name,
    values: days.map((day) => ({
      value: valueFor(name, period, day),
      end_time: new Date(endOf(day)).toISOString().replace('.000Z', '+0000'),
    })),
  }));
  return { data };
}

/** An account that is polled once a day, and the contents of its topic. */
function follow(stream: DailyStream) {
  let nowMs = startMs;
  let refused: readonly string[] = [];
  let state: StreamState = firstState(streams[stream]);
  const topic = new Map<string, Record<string, unknown>>();
  const graph: FakeGraph = createFakeGraph(
    (request) => refusalOf(request, refused) ?? answerTo(request, nowMs),
  );
  return {
    topic,
    get state() {
      return state;
    },
    refuse(...metrics: readonly string[]) {
      refused = metrics;
    },
    /** Polls on this many days and returns the number of requests of each. */
    async days(count: number): Promise<readonly number[]> {
      const requests: number[] = [];
      for (let day = 0; day < count; day += 1) {
        const before = graph.requests.length;
        const publisher = createFakePublisher();
        const poll = pollOf(streams[stream], { state, startedMs: nowMs, cycleMs: nowMs });
        await runPoll(poll, createWorld({ graph, publisher }), calm);
        for (const record of publisher.batches.flatMap(({ records }) => records)) {
          topic.set(record.key, { ...valueOf(record), polled_at: null });
        }
        state = poll.state;
        requests.push(graph.requests.length - before);
        nowMs += dayMs;
      }
      return requests;
    },
  };
}

const trouble = {
  user_insights: ['reach'],
  user_daily_totals: ['views', 'follows_and_unfollows'],
} as const;

describe.each(['user_insights', 'user_daily_totals'] as const)('stream %s', (stream) => {
  test.each([
    ['a day', 1],
    ['a week', 8],
    ['longer than some metrics reach back', 45],
  ])(
    'publishes every day and every other value in the end when a metric is rejected for %s',
    async (_what, length) => {
      const [lucky, unlucky] = [follow(stream), follow(stream)];
      await lucky.days(20 + length + 10);
      await unlucky.days(20);
      unlucky.refuse(...trouble[stream]);
      await unlucky.days(length);
      const lacking = unlucky.topic.size;
      unlucky.refuse();
      await unlucky.days(10);

      expect(unlucky.topic).toEqual(lucky.topic);
      expect(unlucky.topic.size).toBeGreaterThan(lacking);
      expect(unlucky.state.rejections).toEqual([]);
    },
  );

  test('publishes every day in the end when a metric is rejected from the first poll on', async () => {
    const [lucky, unlucky] = [follow(stream), follow(stream)];
    await lucky.days(12);
    unlucky.refuse(...trouble[stream]);
    await unlucky.days(3);
    unlucky.refuse();
    await unlucky.days(9);

    expect(unlucky.topic).toEqual(lucky.topic);
  });

  test('requests a rejected metric once a week, as a retry probe', async () => {
    const account = follow(stream);
    const before = (await account.days(5)).at(-1) ?? 0;
    account.refuse(...trouble[stream]);
    const requests = await account.days(15);
    // Half of the requests are only for rejected metrics and are not sent, except as a retry probe.
    const calmly = before / 2;
    const found = calmly + trouble[stream].length + (stream === 'user_insights' ? 2 : 0);

    expect(requests.map((count) => count <= calmly)).toEqual(
      Array.from({ length: 15 }, (_, day) => day % 7 !== 0),
    );
    expect(requests[0]).toBe(found);
  });

  test('remembers no more days than before once all missing days are published', async () => {
    const account = follow(stream);
    await account.days(5);
    const { days, totals } = account.state;
    account.refuse(...trouble[stream]);
    await account.days(20);
    const lacking = account.state;
    account.refuse();
    await account.days(10);

    expect(lacking.days.length + lacking.totals.length).toBeGreaterThan(15);
    expect([account.state.days.length, account.state.totals.length]).toEqual([
      days.length,
      totals.length,
    ]);
  });
});
