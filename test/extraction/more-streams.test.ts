import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import { FOREIGN_LISTS } from '../../sandbox/graph-api/nodes/foreign-node.ts';
import { truthOf } from '../../sandbox/graph-api/truth.ts';
import { createWorld } from '../../sandbox/graph-api/world.ts';
import type { DecodedRecord } from '../../sandbox/topics.ts';
import { type Ended, comparable, DAY_MS } from '../integration/end-to-end/deployment.ts';
import {
  type TrueAccount,
  expectedAudience,
  expectedBreakdowns,
  expectedChildren,
  expectedComments,
  expectedForeign,
  expectedTotals,
  schemaFields,
} from '../integration/end-to-end/expected-more.ts';
import { allSucceeded } from '../support/once-summary.ts';
import { textOf } from '../unit/sandbox/graph-api/asking.ts';
import { type Simulation, simulate } from './simulation.ts';

const METRICS = {
  user_engaged_audience: 'engaged_audience_demographics',
  user_reached_audience: 'reached_audience_demographics',
} as const;
const AUDIENCES = ['user_engaged_audience', 'user_reached_audience'] as const;
const HOUR_MS = 3_600_000;

type Part = 'totals' | 'comments' | 'foreign';

function valuesOf(records: readonly DecodedRecord[]) {
  return new Map(records.map(({ key, value }) => [key, comparable(value)]));
}

/** The truth of the accounts, with the parts that a test names: each takes its time. */
function accountsOf({ api }: Simulation, ...parts: readonly Part[]): readonly TrueAccount[] {
  const truth = truthOf(api.world, Object.fromEntries(parts.map((part) => [part, true])));
  return truth['accounts'] as unknown as readonly TrueAccount[];
}

function pollsOf(records: readonly DecodedRecord[]) {
  return records.map(({ headers }) => headers['poll']);
}

const world = { seed: 5, accounts: 3, mediaPerAccount: 30, storiesPerAccount: 0, insightsDays: 40 };

describe('audience streams', () => {
  let simulation: Simulation;
  let ended: Ended;
  let accounts: readonly TrueAccount[];

  beforeAll(async () => {
    simulation = await simulate(createWorld(world));
    accounts = accountsOf(simulation);
    ended = await simulation.once({ STREAMS: AUDIENCES.join(',') });
  }, 120_000);

  afterAll(async () => {
    await simulation[Symbol.asyncDispose]();
  });

  it('exit with code 0 when STREAMS names them', () => {
    expect(ended).toMatchObject({ code: 0, stderr: allSucceeded });
  });

  it.each(AUDIENCES)('publish %s equal to the world, each key once', async (stream) => {
    const records = await simulation.read(stream);
    const expected = accounts.flatMap((account) => expectedAudience(account, METRICS[stream]));

    // One account of the three has too few people for an audience.
    expect(records).toHaveLength(2 * 3);
    expect(valuesOf(records)).toEqual(new Map(expected));
  });

  it('count audiences with too few people, and send three requests per audience', () => {
    const polls = ended.log.filter(({ msg }) => msg === 'poll finished');
    const skipped = polls.map((poll) => JSON.stringify(poll['skipped'])).sort();

    expect(skipped).toEqual([
      ...Array<string>(2).fill('{"graph.not-enough-users":3}'),
      ...Array<string>(4).fill('{}'),
    ]);
    expect(insightsCalls(simulation)).toBe(3 * 2 * 3);
  });
});

describe('stream user_daily_totals', () => {
  let simulation: Simulation;
  const once = () => simulation.once({ STREAMS: 'user_daily_totals' });
  const behindMs = 12 * HOUR_MS;

  beforeAll(async () => {
    // Half a day behind, so that corrections are never ahead of the program's clock.
    simulation = await simulate(createWorld({ ...world, now: Date.now() - behindMs }));
  }, 120_000);

  afterAll(async () => {
    await simulation[Symbol.asyncDispose]();
  });

  it('publishes thirty days, equal to the world, with two calls per day', async () => {
    const ended = await once();
    const found = await simulation.read('user_daily_totals');
    const polledMs = Number(found[0]?.value?.['polled_at']);
    const expected = accountsOf(simulation, 'totals').flatMap((account) =>
      expectedTotals(account, polledMs - 30 * DAY_MS + HOUR_MS),
    );

    expect(ended).toMatchObject({ code: 0, stderr: allSucceeded });
    expect(expected.length).toBeGreaterThanOrEqual(3 * 29);
    expect(valuesOf(found).size).toBe(found.length);
    for (const [key, record] of expected) {
      expect({ key, ...valuesOf(found).get(key) }).toEqual({ key, ...record });
    }
    expect(insightsCalls(simulation)).toBe(2 * found.length);
  });

  it('requests two days again, and publishes nothing when nothing changed', async () => {
    const before = await simulation.read('user_daily_totals');
    simulation.api.ledger.clear();

    expect(await once()).toMatchObject({ code: 0 });
    expect(await simulation.read('user_daily_totals')).toHaveLength(before.length);
    // Three days when the end of a day and the look-back coincide.
    expect([3 * 2 * 2, 3 * 3 * 2]).toContain(insightsCalls(simulation));
  });

  it('publishes corrected days again, so that the last record of each day is the truth', async () => {
    const before = await simulation.read('user_daily_totals');
    simulation.api.world.clock.advance(11 * HOUR_MS);

    expect(await once()).toMatchObject({ code: 0 });

    const found = await simulation.read('user_daily_totals');
    const added = found.length - before.length;
    // A day that is two days old only by the program's clock is corrected only in the world.
    const settledMs = Date.now() - 2 * DAY_MS;
    const days = accountsOf(simulation, 'totals')
      .flatMap((account) => expectedTotals(account, Date.now() - 29 * DAY_MS))
      .filter(([, { date }]) => Number(date) > settledMs || Number(date) <= settledMs - behindMs);
    const latest = valuesOf(found);
    expect(days.length).toBeGreaterThanOrEqual(3 * 27);
    for (const [key, record] of days)
      expect({ key, ...latest.get(key) }).toEqual({ key, ...record });
    // Which days a correction changes depends on the time of day; each of them is published once.
    const earlier = valuesOf(before);
    const corrected = [...latest].filter(
      ([key, value]) => !isDeepStrictEqual(value, earlier.get(key)),
    );
    expect(corrected.length).toBeGreaterThan(0);
    expect(added).toBe(corrected.length);
  });

  it('has beside it user_daily_breakdowns, equal to the world but for a rejected breakdown', async () => {
    const [refused] = accountsOf(simulation, 'totals');
    const refusedBreakdowns = { [refused?.id ?? '']: ['views follow_type'] };
    simulation.api.world.conditions.set({ refusedBreakdowns });
    simulation.api.ledger.clear();
    const sinceMs = Date.now() - 4 * DAY_MS;
    const ended = await simulation.once({
      STREAMS: 'user_daily_breakdowns',
      INSTAGRAM_START_DATE: new Date(sinceMs).toISOString().slice(0, 10),
    });
    const found = await simulation.read('user_daily_breakdowns');
    const expected = new Map(accountsOf(simulation, 'totals').flatMap(expectedBreakdowns));

    expect(ended).toMatchObject({ code: 0 });
    expect(found.length).toBeGreaterThanOrEqual(3 * 3);
    for (const [key, record] of valuesOf(found)) {
      expect({ key, ...record }).toEqual({ key, ...expected.get(key) });
    }
    expect(insightsCalls(simulation)).toBe(10 * found.length - found.length / 3 + 1);
    simulation.api.world.conditions.clear();
  });

  it('continues without a metric that left the API, at the cost of one request', async () => {
    simulation.api.world.conditions.set({ removedMetrics: ['reposts'] });
    simulation.api.ledger.clear();
    const first = await once();
    const spent = insightsCalls(simulation);
    simulation.api.ledger.clear();
    const second = await once();

    expect([first.code, second.code]).toEqual([0, 0]);
    expect(spent - insightsCalls(simulation)).toBe(3);
    expect(insightsErrors(simulation)).toBe(0);
  });
});

describe('streams comments and tags', () => {
  let simulation: Simulation;
  const once = () => simulation.once({ STREAMS: 'comments,tags' });
  const spentAt = (endpoint: string) => simulation.api.ledger.byEndpoint()[endpoint]?.calls ?? 0;
  const all = (list: typeof expectedComments) =>
    new Map(accountsOf(simulation, 'comments').flatMap(list));

  beforeAll(async () => {
    // A day behind, so that every comment is old enough to be read.
    simulation = await simulate(createWorld({ ...world, now: Date.now() - DAY_MS }));
  }, 120_000);

  afterAll(async () => {
    await simulation[Symbol.asyncDispose]();
  });

  it('publish records equal to the world, each key once', async () => {
    expect(await once()).toMatchObject({ code: 0, stderr: allSucceeded });

    const comments = await simulation.read('comments');
    expect(comments).toHaveLength(all(expectedComments).size);
    expect(valuesOf(comments)).toEqual(all(expectedComments));
    expect(comments.some(({ value }) => value?.['parent_id'] !== null)).toBe(true);
  });

  it('cost one call per page of a media with comments, and one per list', () => {
    const pages = accountsOf(simulation, 'comments').flatMap(({ media }) =>
      media.map(({ comments }) => Math.ceil(comments.length / 50)),
    );
    const counted = pages.filter((count) => count > 0).length;
    const all = pages.reduce((sum, count) => sum + count, 0);

    expect(all).toBeGreaterThan(counted);
    // A media may count comments that the API does not list.
    expect(spentAt('/{media}/comments')).toBeGreaterThanOrEqual(all);
    expect([spentAt('/{account}/media'), spentAt('/{account}/tags')]).toEqual([3, 3]);
  });

  it('cost one list each, and publish nothing, when nothing changed', async () => {
    const before = await simulation.read('comments');
    simulation.api.ledger.clear();

    expect(await once()).toMatchObject({ code: 0 });

    expect(await simulation.read('comments')).toHaveLength(before.length);
    expect(simulation.api.ledger.byEndpoint()).toMatchObject({
      '/{account}/media': { requests: 3 },
      '/{account}/tags': { requests: 3 },
    });
    expect(spentAt('/{media}/comments')).toBe(0);
  });

  it('publish only new records at the next poll, each key once', async () => {
    const before = await simulation.read('comments');
    simulation.api.world.clock.advance(23 * HOUR_MS);

    expect(await once()).toMatchObject({ code: 0 });

    const found = await simulation.read('comments');
    const keys = (records: typeof found) => records.map(({ key }) => key).sort();
    expect(found.length).toBeGreaterThan(before.length);
    expect(keys(found)).toEqual([...all(expectedComments).keys()].sort());
  });

  it('stop for the account without the permission only, and name the permission', async () => {
    const [denied, other] = accountsOf(simulation, 'comments');
    const before = new Set(pollsOf(await simulation.read('tags')));
    const { conditions, clock } = simulation.api.world;
    conditions.set({ deniedEdges: { [denied?.id ?? '']: ['tags', 'comments'] } });
    clock.advance(40 * 60_000);
    const { log } = await simulation.once({
      STREAMS: 'comments,tags',
      STREAM_TAGS_PUBLISH: 'always',
    });
    const added = (await simulation.read('tags')).filter(
      ({ headers }) => !before.has(headers['poll']),
    );
    const stopped = log.filter(({ code }) => code === 'graph.permission');

    expect(new Set(stopped.map(({ accountId }) => accountId))).toEqual(new Set([denied?.id]));
    expect(JSON.stringify(stopped)).toContain('instagram_manage_comments');
    expect(added.length).toBeGreaterThanOrEqual(5);
    expect(added.map(({ value }) => value?.['business_account_id'])).toContain(other?.id);
    expect(added.map(({ value }) => value?.['business_account_id'])).not.toContain(denied?.id);
  });
});

describe('stream media_children', () => {
  let simulation: Simulation;
  const once = () => simulation.once({ STREAMS: 'media_children', KAFKA_TOMBSTONES: 'true' });
  const all = () => accountsOf(simulation).flatMap(expectedChildren);

  beforeAll(async () => {
    simulation = await simulate(createWorld({ ...world, now: Date.now() - DAY_MS }));
  }, 120_000);

  afterAll(async () => {
    await simulation[Symbol.asyncDispose]();
  });

  it('publishes each child of the world once, with its album and place, from the list alone', async () => {
    expect(await once()).toMatchObject({ code: 0, stderr: allSucceeded });

    const found = await simulation.read('media_children');
    expect(all().length).toBeGreaterThan(20);
    expect(found).toHaveLength(all().length);
    expect(valuesOf(found)).toEqual(new Map(all()));
    expect(Object.keys(simulation.api.ledger.byEndpoint())).not.toContain('/{media}');
  });

  it('deletes the children of a deleted album, and keeps a child that cannot be read', async () => {
    const before = new Set(pollsOf(await simulation.read('media_children')));
    const [deleted, other] = (accountsOf(simulation)[0]?.media ?? []).filter(
      ({ children }) => children.length > 0,
    );
    const broken = String(other?.children[0]?.['id']);
    simulation.api.world.conditions.set({
      deletedMedia: [String(deleted?.fields['id'])],
      brokenChildren: [broken],
    });

    expect(await once()).toMatchObject({ code: 0 });

    const added = (await simulation.read('media_children')).filter(
      ({ headers }) => !before.has(headers['poll']),
    );
    expect(added.map(({ key, value }) => [key, value]).sort()).toEqual(
      deleted?.children.map(({ id }) => [id, null]).sort(),
    );
  });
});

describe.each([...FOREIGN_LISTS.keys()])('the stream %s of other users’ media', (stream) => {
  it('publishes each entry of the world once, and each field of its schema, from pages of few entries', async () => {
    const standing = createWorld({ ...world, now: Date.now() - DAY_MS });
    await using simulation = await simulate(standing);
    simulation.api.world.conditions.set({ tooMuchData: 12 });

    const ended = await simulation.once({ STREAMS: stream });
    const found = await simulation.read(stream);
    const expected = accountsOf(simulation, 'foreign').flatMap((one) =>
      expectedForeign(one, stream),
    );
    const filled = expected.flatMap(([, record]) =>
      Object.keys(record).filter((name) => record[name] !== null),
    );

    expect(ended).toMatchObject({ code: 0, stderr: allSucceeded });
    expect(found).toHaveLength(expected.length);
    expect(valuesOf(found)).toEqual(new Map(expected));
    expect(new Set(filled)).toEqual(new Set(schemaFields(stream)));
    expect(simulation.api.ledger.byEndpoint()).not.toHaveProperty(['/{media}/insights']);
  }, 120_000);
});

describe('the streams of public content', () => {
  it('publish the content once, through one account, and count hashtags in the state', async () => {
    const standing = createWorld({ ...world, now: Date.now() - DAY_MS });
    await using simulation = await simulate(standing);
    const [, other] = simulation.api.world.accounts;
    const newest = (other?.media ?? []).slice(0, 3).map(({ id }) => id);
    const captions = Object.fromEntries(newest.map((id) => [id, 'At the #harbour']));
    simulation.api.world.conditions.set({ captions });
    const names = ['discovered_users', 'discovered_media', 'hashtag_media'] as const;
    const once = () =>
      simulation.once({
        STREAMS: names.join(','),
        INSTAGRAM_DISCOVERED_USERS: `nobody,${textOf(other?.user['username'])}`,
        INSTAGRAM_DISCOVERED_MEDIA_AGE: '3650d',
        INSTAGRAM_HASHTAGS: '#Harbour',
      });
    const read = async () => await Promise.all(names.map((name) => simulation.read(name)));

    const ended = await once();
    const [users = [], media = [], found = []] = await read();
    expect(ended.code).toBe(0);
    expect(users.map(({ key }) => key)).toEqual([other?.id]);
    expect(media.map(({ key }) => key).sort()).toEqual(other?.media.map(({ id }) => id).sort());
    const top = found.filter(({ value }) => value?.['list'] === 'top');
    expect(top.map(({ value }) => value?.['id'])).toEqual(expect.arrayContaining(newest));
    simulation.api.ledger.clear();

    expect((await once()).code).toBe(0);
    expect(await read()).toEqual([users, media, found]);
    // Neither the unknown name nor the hashtag is searched again.
    const { '/{account}': accounts, ...others } = simulation.api.ledger.byEndpoint();
    expect(accounts?.calls).toBe(3);
    expect(others).not.toHaveProperty(['/ig_hashtag_search']);
  }, 120_000);
});

function insightsCalls({ api }: Simulation): number {
  return api.ledger.byEndpoint()['/{account}/insights']?.calls ?? 0;
}

function insightsErrors({ api }: Simulation): number {
  return api.ledger.byEndpoint()['/{account}/insights']?.errors ?? 0;
}
