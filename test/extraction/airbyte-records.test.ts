import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createWorld } from '../../sandbox/graph-api/world.ts';
import { type Json, type Node, openApi, textOf } from '../support/airbyte/api.ts';
import { type Comparison, compare } from '../support/airbyte/compare.ts';
import { type Emitted, sync } from '../support/airbyte/connector.ts';
import { differences, lastRecordOnly } from '../support/airbyte/differences.ts';
import { type Ended, DAY_MS } from '../integration/end-to-end/deployment.ts';
import { allSucceeded } from '../support/once-summary.ts';
import { STREAM_NAMES, type StreamName } from '../integration/end-to-end/expected-records.ts';
import { type Simulation, simulate } from './simulation.ts';

const hourMs = 3_600_000;

/** The primary keys of the connector's streams, in the form of the program's keys. */
const keyOf: Readonly<Record<StreamName, (record: Node) => string>> = {
  users: idOf,
  user_insights: ({ business_account_id: account, date }) => `${textOf(account)}/${instant(date)}`,
  user_lifetime_insights: ({ business_account_id: account, breakdown }) =>
    `${textOf(account)}/${textOf(breakdown)}`,
  media: idOf,
  media_insights: idOf,
  stories: idOf,
  story_insights: idOf,
};

function idOf({ id }: Node): string {
  return textOf(id);
}

function instant(date: Json | undefined): string {
  return new Date(textOf(date)).toISOString().replace('.000Z', 'Z');
}

/** Null unless `STREAM_MEDIA_INSIGHTS_EXTRA` or `STREAM_STORY_INSIGHTS_EXTRA` requests them. */
const optionalMetrics = [
  'media_insights.crossposted_views',
  'media_insights.facebook_views',
  'media_insights.profile_activity_actions',
  'media_insights.total_comments',
  'media_insights.total_likes',
  'media_insights.total_views',
  'story_insights.profile_activity_actions',
];

describe("comparison with the records of Airbyte's connector", () => {
  let simulation: Simulation;
  let emitted: Emitted;
  let nowMs: number;
  let ended: Ended;
  const published = new Map<StreamName, ReadonlyMap<string, Node>>();
  const compared = new Map<StreamName, Comparison>();

  beforeAll(async () => {
    const world = createWorld({
      seed: 11,
      accounts: 3,
      mediaPerAccount: 115,
      storiesPerAccount: 4,
      insightsDays: 40,
    });
    simulation = await simulate(world);
    nowMs = Date.parse(simulation.truth().now);
    emitted = await sync(openApi(simulation.api.url, world.token), nowMs);
    ended = await simulation.once();
    for (const stream of STREAM_NAMES) {
      const records = await simulation.read(stream);
      published.set(stream, new Map(records.map(({ key, value }) => [key, plain(value)])));
    }
    for (const stream of STREAM_NAMES) {
      const ours = published.get(stream);
      const pairs = emitted[stream].flatMap((theirs) => {
        const same = ours?.get(keyOf[stream](theirs));
        return same === undefined ? [] : [{ theirs, ours: same }];
      });
      compared.set(stream, compare(stream, pairs, differences));
    }
  }, 180_000);

  afterAll(async () => {
    await simulation[Symbol.asyncDispose]();
  });

  it('starts from a poll that succeeded', () => {
    expect(ended).toMatchObject({ code: 0, stderr: allSucceeded });
  });

  it.each([
    ['users', 3],
    ['user_lifetime_insights', 2 * 3],
    ['media', 3 * 115],
    // The three oldest posts of each account are from before it became professional.
    ['media_insights', 3 * 112],
    ['stories', 3 * 4],
    // One story of each account has fewer than five viewers.
    ['story_insights', 3 * 3],
  ] as const)('finds the same records of %s, under the same keys', (stream, count) => {
    const theirs = emitted[stream].map(keyOf[stream]).sort();

    expect(theirs).toHaveLength(count);
    expect([...(published.get(stream)?.keys() ?? [])].sort()).toEqual(theirs);
  });

  it('finds the same days of user_insights, except the first hour of the 30 days', () => {
    const begunMs = nowMs - 30 * DAY_MS + hourMs;
    const theirs = emitted.user_insights
      .filter(({ date }) => Date.parse(textOf(date)) >= begunMs)
      .map(keyOf.user_insights)
      .sort();

    expect(theirs.length).toBeGreaterThanOrEqual(3 * 29);
    expect([...(published.get('user_insights')?.keys() ?? [])].sort()).toEqual(theirs);
  });

  it.each(STREAM_NAMES)(
    'finds equal values in every field of %s, except the declared differences',
    (stream) => {
      expect(compared.get(stream)?.surprises).toEqual([]);
    },
  );

  it('finds every declared difference, except those of last records of stories', () => {
    const met = new Set([...compared.values()].flatMap((comparison) => [...comparison.met]));
    const missing = differences.map(({ field }) => field).filter((field) => !met.has(field));

    expect(missing).toEqual(lastRecordOnly.map(({ field }) => field));
  });

  it('declares every field of the records that the connector lacks, except optional metrics', () => {
    const declared = new Set(differences.map(({ field }) => field));
    const undeclared = STREAM_NAMES.flatMap((stream) => {
      const theirs = new Set(emitted[stream].flatMap((record) => Object.keys(record)));
      const ours = new Set([...(published.get(stream)?.values() ?? [])].flatMap(Object.keys));
      return [...ours]
        .filter((name) => !theirs.has(name) && !declared.has(`*.${name}`))
        .map((name) => `${stream}.${name}`)
        .filter((field) => !declared.has(field));
    });

    expect(undeclared.sort()).toEqual(optionalMetrics);
  });

  it('finds that Airbyte fails, and this program publishes no record, for an account with fewer than a hundred followers', () => {
    const keys = [...(published.get('user_lifetime_insights')?.keys() ?? [])];

    expect(emitted.failing).toHaveLength(1);
    expect(keys.filter((key) => key.startsWith(`${emitted.failing[0] ?? ''}/`))).toEqual([]);
  });
});

/** A copy with prototypes: Avro's maps have none, which a comparison would report as a difference. */
function plain(value: unknown): Node {
  return JSON.parse(JSON.stringify(value)) as Node;
}
