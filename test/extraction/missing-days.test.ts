import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createWorld } from '../../sandbox/graph-api/world.ts';
import { DAY_MS } from '../integration/end-to-end/deployment.ts';
import { startLeapingRun } from '../integration/end-to-end/leaping-run.ts';
import { type Simulation, simulate } from './simulation.ts';

type Values = Readonly<Record<string, unknown>>;

/** The last value of every key, like a table of the topic. */
async function tableOf(simulation: Simulation, role: string): Promise<Map<string, Values>> {
  const records = await simulation.read(role);
  return new Map(records.map(({ key, value }) => [key, value as Values]));
}

describe('account metric that is removed and comes back', () => {
  let simulation: Simulation;
  let lacking: Map<string, Values>;

  beforeAll(async () => {
    const world = createWorld({
      seed: 7,
      now: '2026-03-02T06:00:00Z',
      accounts: 1,
      smallAccounts: 0,
      mediaPerAccount: 2,
      storiesPerAccount: 0,
      insightsDays: 40,
    });
    const whole = await simulate(world);
    simulation = {
      ...whole,
      env: {
        ...whole.env,
        STREAMS: 'user_insights,user_daily_totals,stories',
        INSTAGRAM_START_DATE: '2026-02-25',
        STREAM_USER_INSIGHTS_INTERVAL: '24h',
        STREAM_USER_DAILY_TOTALS_INTERVAL: '24h',
        STREAM_STORIES_INTERVAL: '24h',
      },
    };
    await using run = await startLeapingRun(simulation);
    await run.pass(DAY_MS);
    world.conditions.set({ removedMetrics: ['reach', 'views'] });
    await run.pass(4 * DAY_MS);
    lacking = await tableOf(simulation, 'user_insights');
    world.conditions.clear();
    await run.pass(6 * DAY_MS);
  }, 120_000);

  afterAll(async () => {
    await simulation[Symbol.asyncDispose]();
  });

  it('is the only missing value of the days in between', () => {
    const without = [...lacking.values()].filter(({ reach }) => reach === null);

    expect(without.length).toBeGreaterThanOrEqual(3);
    for (const day of without) expect(day['follower_count']).not.toBeNull();
  });

  it.each([
    ['user_insights', ['reach', 'reach_week', 'reach_days_28', 'follower_count']],
    ['user_daily_totals', ['views', 'likes', 'follows']],
  ] as const)(
    'is published for the missing days in %s, and no known value is lost',
    async (role, fields) => {
      const table = await tableOf(simulation, role);

      expect(table.size).toBeGreaterThan(10);
      for (const [key, day] of table) {
        expect([key, fields.filter((field) => typeof day[field] !== 'number')]).toEqual([key, []]);
      }
    },
  );
});
