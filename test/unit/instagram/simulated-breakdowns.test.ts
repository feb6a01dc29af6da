import { describe, expect, it } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { startGraphApi, type GraphApi } from '../../../sandbox/graph-api/server.ts';
import { truthOf } from '../../../sandbox/graph-api/truth.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { openReading } from '../../../src/app.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Login } from '../../../src/engine/account.ts';
import type { Node } from '../../../src/engine/json.ts';
import { stateKey } from '../../../src/engine/state.ts';
import { openLocalCodec } from '../../../src/registry/index.ts';
import { pollWhenDue, startJob } from '../../../src/engine/poller.ts';
import type { Clock, Publisher, Restored } from '../../../src/engine/ports.ts';
import { type InstagramStreamName, streamNames } from '../../../src/instagram/streams/index.ts';
import { requestedStream } from '../../../src/source-settings.ts';
import { noSignal } from '../../support/registry-options.ts';

const dayMs = 86_400_000;
const logins = ['facebook', 'instagram'] as const;
const codec = openLocalCodec(streamNames);

const startApi = () =>
  startGraphApi({
    world: createWorld({
      seed: 3,
      now: '2026-05-12T12:00:00Z',
      accounts: 2,
      mediaPerAccount: 40,
      storiesPerAccount: 3,
      insightsDays: 30,
    }),
  });

/** The program without Kafka: it reads the simulator over HTTP and keeps records and states. */
async function follow(api: GraphApi, login: Login, settings: NodeJS.ProcessEnv = {}) {
  const { url, world } = api;
  const nowMs = (): number => world.clock.now();
  const token = login === 'facebook' ? world.token : world.accounts[0]?.instagramToken;
  const env = {
    INSTAGRAM_LOGIN: login,
    INSTAGRAM_ACCESS_TOKEN: token,
    INSTAGRAM_ACCOUNTS: world.accounts[0]?.id,
    INSTAGRAM_BASE_URL: url,
    INSTAGRAM_START_DATE: '2026-05-01',
    KAFKA_BROKERS: 'none:9092',
    SCHEMA_REGISTRY_URL: 'http://none:8081',
    HTTP_ENABLED: 'false',
    LOG_LEVEL: 'silent',
    ...settings,
  };
  // The time is that of the world; waits, such as for a place in the queue, are real.
  const clock: Clock = { nowMs, sleep: (ms, signal) => setTimeout(ms, undefined, { signal }) };
  const config = loadConfig({ env, args: {}, nowMs: nowMs() });
  const reader = openReading(config, { version: '1.2.3', hostName: 'here', clock }, codec.encoder);
  const { accounts } = await reader.directory.list(noSignal);
  const [account] = accounts;
  if (account === undefined) throw new Error('the world has no account');
  const states = new Map<string, Restored>();
  const topic = new Map<string, Node>();
  const publisher: Publisher = {
    publish({ records, state }) {
      states.set(stateKey(state.stream, state.accountId), { kind: 'state', state });
      for (const { role, key, value } of records) {
        if (value !== null) topic.set(key, codec.toJson(role, value) as Node);
      }
      return Promise.resolve();
    },
  };
  return {
    id: account.id,
    topic,
    truth: () => {
      const all = truthOf(world, { totals: true })['accounts'] as unknown as readonly Node[];
      return all.find(({ id }) => id === account.id) ?? {};
    },
    /** Polls a stream and returns its calls of insights. */
    async poll(name: InstagramStreamName) {
      api.ledger.clear();
      const stream = requestedStream(config, name);
      const job = { ...startJob(stream, account, states).job, cycleMs: nowMs() };
      const tools = { ...reader.tools, publisher };
      const outcome = await pollWhenDue(job, tools, { nextPollMs: null, signal: noSignal });
      expect(outcome).toEqual({ kind: 'done' });
      const byEndpoint = api.ledger.byEndpoint();
      return (byEndpoint['/{account}/insights'] ?? byEndpoint['/{media}/insights'])?.calls ?? 0;
    },
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');

type Followed = Awaited<ReturnType<typeof follow>>;

const pairs = [
  ...['views follow_type', 'reach follow_type', 'profile_links_taps contact_button_type'],
  ...['views', 'reach', 'total_interactions', 'likes', 'comments', 'shares', 'saves'].map(
    (metric) => `${metric} media_product_type`,
  ),
];

/** The breakdowns of each day of the topic, beside those of the world. */
function compareDays({ topic, truth }: Followed) {
  const days = truth()['totals'] as unknown as readonly Node[];
  const known = new Map(
    days.map(({ end_time: end, breakdowns }) => [
      new Date(textOf(end)).toISOString().slice(0, 10),
      breakdowns as Node,
    ]),
  );
  return [...topic.values()].map((record) => {
    const truly = known.get(textOf(record['date']).slice(0, 10)) ?? {};
    const fields = pairs.map((pair) => [pair, record[pair.replace(' ', '_by_')] ?? null] as const);
    const expected = pairs.map((pair) => [pair, truly[pair] ?? null] as const);
    return { found: Object.fromEntries(fields), expected: Object.fromEntries(expected) };
  });
}

describe.each(logins)('the simulator with %s login', (login) => {
  it('user_daily_breakdowns: publishes each day and breakdown of the world, at ten calls a day', async () => {
    await using api = await startApi();
    await using followed = await follow(api, login);
    const calls = await followed.poll('user_daily_breakdowns');
    const days = compareDays(followed);

    expect(days.length).toBeGreaterThanOrEqual(11);
    expect(calls).toBe(10 * days.length);
    for (const { found, expected } of days) expect(found).toEqual(expected);
    expect(days[0]?.found['views media_product_type']).toMatchObject({ REEL: expect.any(Number) });
  });

  it.each([
    ['incompatible', 1],
    ['enum', 1],
    // A failure of the server is repeated once.
    ['unknown', 2],
  ] as const)(
    'user_daily_breakdowns: has null in the one breakdown that is rejected (%s), and completes it later',
    async (breakdownRefusal, failures) => {
      await using api = await startApi();
      await using followed = await follow(api, login);
      const { world } = api;
      const refusedBreakdowns = { [followed.id]: ['reach media_product_type'] };
      world.conditions.set({ refusedBreakdowns, breakdownRefusal });
      const calls = await followed.poll('user_daily_breakdowns');
      const refused = compareDays(followed);

      expect(calls).toBe(9 * refused.length + failures);
      for (const { found, expected } of refused) {
        expect(found).toEqual(expected);
        expect(found['reach media_product_type']).toBeNull();
      }

      world.conditions.clear();
      world.clock.advance(8 * dayMs);
      await followed.poll('user_daily_breakdowns');
      const isMissing = ({ found }: (typeof refused)[number]) =>
        found['reach media_product_type'] === null;
      const missing = compareDays(followed).map(isMissing);

      // The days of the last two weeks are complete.
      expect(missing).toEqual([...Array<boolean>(6).fill(true), ...Array<boolean>(14).fill(false)]);
    },
  );

  it('user_daily_breakdowns: requests no excluded breakdown', async () => {
    await using api = await startApi();
    const excluded = pairs.slice(1).map((pair) => pair.replace(' ', '_by_'));
    const settings = { STREAM_USER_DAILY_BREAKDOWNS_EXCLUDE: excluded.join(',') };
    await using followed = await follow(api, login, settings);
    const calls = await followed.poll('user_daily_breakdowns');

    expect(calls).toBe(followed.topic.size);
  });

  it.each([
    ['user_engaged_audience', 'engaged_audience_demographics', 'this_month', 'audiences'],
    ['user_reached_audience', 'reached_audience_demographics', 'this_month', 'audiences'],
    [
      'user_engaged_audience_week',
      'engaged_audience_demographics',
      'this_week',
      'audiences_of_week',
    ],
    [
      'user_reached_audience_week',
      'reached_audience_demographics',
      'this_week',
      'audiences_of_week',
    ],
  ] as const)('%s: publishes the audience of its time span', async (name, metric, span, key) => {
    await using api = await startApi();
    await using followed = await follow(api, login);
    await followed.poll(name);
    const audiences = followed.truth()[key] as unknown as Readonly<Record<string, Node>>;

    expect(followed.topic.size).toBe(3);
    for (const breakdown of ['city', 'country', 'age,gender']) {
      expect(followed.topic.get(`${followed.id}/${breakdown}`)).toMatchObject({
        metric,
        timeframe: span,
        value: audiences[metric]?.[breakdown],
      });
    }
  });

  it.each(['kind', 'permission', 'nameless'] as const)(
    'media_insights: has each extra metric that a media has, and null where it is rejected (%s)',
    async (refusalWording) => {
      await using api = await startApi();
      const ofFacebook = ['total_views', 'total_likes', 'total_comments'];
      const names = [
        ...['crossposted_views', 'facebook_views', 'profile_activity_actions'],
        ...(login === 'facebook' ? ofFacebook : []),
      ];
      const settings = { STREAM_MEDIA_INSIGHTS_EXTRA: names.join(',') };
      await using followed = await follow(api, login, settings);
      const listed = followed.truth()['media'] as unknown as readonly Node[];
      const some = textOf((listed[0]?.['fields'] as Node)['id']);
      const refusedMetrics = { [some]: ['facebook_views', 'total_views'] };
      api.world.conditions.set({ refusedMetrics, refusalWording });
      await followed.poll('media_insights');
      const truth = followed.truth()['media'] as unknown as readonly Readonly<
        Record<'fields' | 'insights' | 'profile_actions', Node>
      >[];
      const read = truth.filter(({ fields }) => followed.topic.has(textOf(fields['id'])));

      expect(read.length).toBeGreaterThan(25);
      for (const { fields, insights, profile_actions: actions } of read) {
        const record = followed.topic.get(textOf(fields['id'])) ?? {};
        const { reach = null } = insights;
        const present = Object.entries(actions).filter(([, count]) => Number(count) > 0);
        const hasActions = present.length > 0 && Number(insights['profile_activity']) > 0;
        expect(record).toMatchObject({
          reach,
          ...Object.fromEntries(
            [...ofFacebook, 'crossposted_views', 'facebook_views'].map((name) => [
              name,
              names.includes(name) ? (insights[name] ?? null) : null,
            ]),
          ),
          profile_activity_actions: hasActions ? Object.fromEntries(present) : null,
        });
      }
      const values = read.map(({ fields }) => followed.topic.get(textOf(fields['id'])));
      for (const name of names) {
        expect(values.some((record) => record?.[name] !== null)).toBe(true);
      }
      expect(followed.topic.get(some)).toMatchObject({ facebook_views: null });
    },
  );

  it('story_insights: has the actions on the profile when they are asked for', async () => {
    await using api = await startApi();
    const settings = { STREAM_STORY_INSIGHTS_EXTRA: 'profile_activity_actions' };
    await using followed = await follow(api, login, settings);
    await followed.poll('story_insights');
    const stories = followed.truth()['stories'] as unknown as readonly Node[];
    const published = stories.flatMap(({ fields, profile_actions: actions }) => {
      const record = followed.topic.get(textOf((fields as Node)['id']));
      const shown = Object.entries(actions as Node).filter(([, count]) => Number(count) > 0);
      return record === undefined ? [] : [[record, Object.fromEntries(shown)] as const];
    });

    expect(published.length).toBeGreaterThan(0);
    for (const [record, actions] of published) {
      const expected = Object.keys(actions).length > 0 ? actions : null;
      expect(record['profile_activity_actions']).toEqual(expected);
    }
    expect(published.some(([record]) => record['profile_activity_actions'] !== null)).toBe(true);
  });
});
