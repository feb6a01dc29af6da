import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import type { DecodedRecord } from '../../../sandbox/topics.ts';
import { streams, streamNames } from '../../../src/instagram/streams/index.ts';
import { type Deployment, type Ended, comparable, DAY_MS, deploy } from './deployment.ts';
import { type Truth, expectedRecords, STREAM_NAMES } from './expected-records.ts';
import { allSucceeded } from '../../support/once-summary.ts';
import { textOf } from '../../unit/sandbox/graph-api/asking.ts';

const startDate = new Date(Date.now() - 90 * DAY_MS).toISOString().slice(0, 10);

describe('first poll of five accounts with 600 media and 90 days', () => {
  let deployment: Deployment;
  let ended: Ended;
  let truth: Truth;
  const records = new Map<string, readonly DecodedRecord[]>();

  beforeAll(async () => {
    deployment = await deploy(
      createWorld({
        seed: 42,
        accounts: 5,
        mediaPerAccount: 121,
        storiesPerAccount: 5,
        insightsDays: 95,
        sparsePages: true,
      }),
    );
    truth = deployment.truth();
    ended = await deployment.once({ INSTAGRAM_START_DATE: startDate });
    for (const stream of STREAM_NAMES) records.set(stream, await deployment.read(stream));
  }, 120_000);

  afterAll(async () => {
    await deployment[Symbol.asyncDispose]();
  });

  it('exits with code 0 and prints a summary', () => {
    expect(ended).toMatchObject({ code: 0, stderr: allSucceeded });
  });

  it('meets a world with every type of media', () => {
    const kinds = new Set(
      truth.accounts.flatMap(({ media }) =>
        media.map(
          ({ fields }) => `${String(fields['media_type'])}/${String(fields['media_product_type'])}`,
        ),
      ),
    );
    expect(kinds).toEqual(
      new Set(['IMAGE/FEED', 'VIDEO/REELS', 'CAROUSEL_ALBUM/FEED', 'VIDEO/FEED']),
    );
    expect(truth.accounts.flatMap(({ media }) => media)).toHaveLength(605);
  });

  it.each([
    ['users', 5],
    // One account of five has too few followers for its demographics.
    ['user_lifetime_insights', 4 * 3],
    ['media', 605],
    // The three oldest posts of each account are from before it became professional.
    ['media_insights', 605 - 5 * 3],
    ['stories', 25],
    // One story of each account has too few viewers.
    ['story_insights', 20],
  ] as const)('publishes %s equal to the world, field by field, each key once', (stream, count) => {
    const expected = expectedRecords(truth, startDate)[stream];
    const published = records.get(stream) ?? [];
    const found = new Map(published.map(({ key, value }) => [key, comparable(value)]));

    expect(published).toHaveLength(count);
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [key, value] of expected) {
      expect({ key, ...found.get(key) }).toEqual({ key, ...value });
    }
  });

  it('publishes every day of user_insights since the start date, equal to the world', () => {
    const expected = expectedRecords(truth, startDate).user_insights;
    const published = records.get('user_insights') ?? [];
    // A day ends at midnight US Pacific: today's day may have ended.
    expect([5 * 90, 5 * 91]).toContain(published.length);
    expect(new Map(published.map(({ key, value }) => [key, comparable(value)]))).toEqual(expected);
  });

  it('names stream, account, poll and schema in the headers of every record', () => {
    for (const [stream, published] of records) {
      for (const { headers, value } of published) {
        const account = value?.['business_account_id'];
        expect(headers).toMatchObject({ stream, account });
        expect(headers['poll']).toMatch(new RegExp(`^${stream}/${String(account)}/`));
        expect(headers['schema']).toMatch(/^\d+$/);
      }
    }
  });

  it('removes the parameter _nc_rid from signed URLs', () => {
    const urls = (records.get('media') ?? []).map(({ value }) => value?.['media_url']);
    expect(urls.filter((url) => typeof url === 'string').length).toBeGreaterThan(400);
    expect(urls.filter((url) => typeof url === 'string' && url.includes('_nc_rid'))).toEqual([]);
  });

  it('keeps one state of user_insights per account, at the newest day', async () => {
    const state = await deployment.read('state');
    const cursors = new Map(
      state
        .filter(({ key }) => key.startsWith('user_insights/'))
        .map(({ key, value }) => [key, value?.['cursor']]),
    );
    const newest = truth.accounts.map((account) => [
      `user_insights/${account.id}`,
      Date.parse(String(account.days.at(-1)?.['end_time'])),
    ]);
    expect(cursors).toEqual(new Map(newest as [string, number][]));
  });

  it('writes no dead letter', async () => {
    expect(await deployment.read('dead_letters')).toEqual([]);
  });

  it('never requests a URL that holds the token', () => {
    const asked = deployment.api.ledger.entries.map(({ request }) => request);
    expect(asked.filter((request) => request.includes('access_token'))).toEqual([]);
    expect(asked.length).toBeGreaterThan(0);
  });
});

describe('first poll of the streams that are off by default', () => {
  // A mention is read when a webhook names it.
  const others = streamNames.filter((name) => !streams[name].isDefault && name !== 'mentions');

  it('publishes at least one record of each to its topic, each key once', async () => {
    const size = { accounts: 2, smallAccounts: 0, mediaPerAccount: 12, storiesPerAccount: 0 };
    const world = createWorld({ seed: 5, now: Date.now() - DAY_MS, ...size, insightsDays: 5 });
    await using deployment = await deploy(world);
    const [, other] = world.accounts;
    world.conditions.set({ captions: { [other?.media[0]?.id ?? '']: 'At the #harbour' } });
    const { code, stderr } = await deployment.once({
      STREAMS: others.join(','),
      INSTAGRAM_DISCOVERED_USERS: textOf(other?.user['username']),
      INSTAGRAM_HASHTAGS: 'harbour',
    });

    expect({ code, stderr }).toEqual({ code: 0, stderr: allSucceeded });
    for (const stream of others) {
      const keys = (await deployment.read(stream)).map(({ key }) => key);
      expect({ stream, isEmpty: keys.length === 0 }).toEqual({ stream, isEmpty: false });
      expect(new Set(keys).size).toBe(keys.length);
    }
  }, 120_000);
});
