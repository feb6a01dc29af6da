import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { truthOf } from '../../../sandbox/graph-api/truth.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import type { DecodedRecord } from '../../../sandbox/topics.ts';
import type { Deployment, Ended } from './deployment.ts';
import { comparable, DAY_MS, deploy } from './deployment.ts';
import type { TrueAccount } from './expected-more.ts';
import { expectedAudience, expectedTotals } from './expected-more.ts';

const METRICS = {
  user_engaged_audience: 'engaged_audience_demographics',
  user_reached_audience: 'reached_audience_demographics',
} as const;
const AUDIENCES = ['user_engaged_audience', 'user_reached_audience'] as const;
const HOUR_MS = 3_600_000;

function valuesOf(records: readonly DecodedRecord[]) {
  return new Map(records.map(({ key, value }) => [key, comparable(value)]));
}

function accountsOf({ api }: Deployment): readonly TrueAccount[] {
  const truth = truthOf(api.world, { totals: true });
  return truth['accounts'] as unknown as readonly TrueAccount[];
}

const world = { seed: 5, accounts: 3, mediaPerAccount: 30, storiesPerAccount: 0, insightsDays: 40 };

describe('the audiences, turned on by one line', () => {
  let deployment: Deployment;
  let ended: Ended;
  let accounts: readonly TrueAccount[];

  beforeAll(async () => {
    deployment = await deploy(createWorld(world));
    accounts = accountsOf(deployment);
    ended = await deployment.once({ STREAMS: AUDIENCES.join(',') });
  }, 120_000);

  afterAll(async () => {
    await deployment[Symbol.asyncDispose]();
  });

  it('ends with exit code 0', () => {
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  });

  it.each(AUDIENCES)('publishes %s equal to the world, each key once', async (stream) => {
    const records = await deployment.read(stream);
    const expected = accounts.flatMap((account) => expectedAudience(account, METRICS[stream]));

    // One account of the three has too few people for it.
    expect(records).toHaveLength(2 * 3);
    expect(valuesOf(records)).toEqual(new Map(expected));
  });

  it('counts the audiences of too few people, and asks three requests for each audience', () => {
    const polls = ended.log.filter(({ msg }) => msg === 'poll finished');
    const skipped = polls.map((poll) => JSON.stringify(poll['skipped'])).sort();

    expect(skipped).toEqual([
      ...Array<string>(2).fill('{"graph.not-enough-users":3}'),
      ...Array<string>(4).fill('{}'),
    ]);
    expect(insightsRequests(deployment)).toBe(3 * 2 * 3);
  });
});

describe('the daily totals, turned on by one line', () => {
  let deployment: Deployment;
  const once = () => deployment.once({ STREAMS: 'user_daily_totals' });

  beforeAll(async () => {
    // Half a day behind, so that what is corrected then is never ahead of the program's clock.
    deployment = await deploy(createWorld({ ...world, now: Date.now() - 12 * HOUR_MS }));
  }, 120_000);

  afterAll(async () => {
    await deployment[Symbol.asyncDispose]();
  });

  it('are published for thirty days, equal to the world, by two requests a day', async () => {
    const ended = await once();
    const found = await deployment.read('user_daily_totals');
    const polledMs = Number(found[0]?.value?.['polled_at']);
    const expected = accountsOf(deployment).flatMap((account) =>
      expectedTotals(account, polledMs - 30 * DAY_MS + HOUR_MS),
    );

    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(expected.length).toBeGreaterThanOrEqual(3 * 29);
    expect(valuesOf(found).size).toBe(found.length);
    for (const [key, record] of expected) {
      expect({ key, ...valuesOf(found).get(key) }).toEqual({ key, ...record });
    }
    expect(insightsRequests(deployment)).toBe(2 * found.length);
  });

  it('are asked for again for two days, and not published when nothing changed', async () => {
    const before = await deployment.read('user_daily_totals');
    deployment.api.ledger.clear();

    expect(await once()).toMatchObject({ code: 0 });
    expect(await deployment.read('user_daily_totals')).toHaveLength(before.length);
    // Three where a day's end and the look-back fall on one moment.
    expect([3 * 2 * 2, 3 * 3 * 2]).toContain(insightsRequests(deployment));
  });

  it('are published again where Meta corrected them, so that the last of each is the truth', async () => {
    const before = await deployment.read('user_daily_totals');
    deployment.api.world.clock.advance(11 * HOUR_MS);

    expect(await once()).toMatchObject({ code: 0 });

    const found = await deployment.read('user_daily_totals');
    const added = found.length - before.length;
    const days = accountsOf(deployment).flatMap((account) =>
      expectedTotals(account, Date.now() - 29 * DAY_MS),
    );
    const latest = valuesOf(found);
    for (const [key, record] of days)
      expect({ key, ...latest.get(key) }).toEqual({ key, ...record });
    expect(added).toBeGreaterThanOrEqual(3);
    expect(added).toBeLessThanOrEqual(3 * 3);
  });

  it('go on without a metric that left the API, at one request more', async () => {
    deployment.api.world.conditions.set({ removedMetrics: ['reposts'] });
    deployment.api.ledger.clear();
    const first = await once();
    const spent = insightsRequests(deployment);
    deployment.api.ledger.clear();
    const second = await once();

    expect([first.code, second.code]).toEqual([0, 0]);
    expect(spent - insightsRequests(deployment)).toBe(3);
    expect(insightsErrors(deployment)).toBe(0);
  });
});

function insightsRequests({ api }: Deployment): number {
  return api.ledger.byEndpoint()['/{account}/insights']?.requests ?? 0;
}

function insightsErrors({ api }: Deployment): number {
  return api.ledger.byEndpoint()['/{account}/insights']?.errors ?? 0;
}
