import { describe, expect, it } from '@jest/globals';
import type { FaultEffect } from '../../sandbox/graph-api/faults.ts';
import type { GraphApi } from '../../sandbox/graph-api/server.ts';
import { createWorld } from '../../sandbox/graph-api/world.ts';
import { comparable, DAY_MS } from '../integration/end-to-end/deployment.ts';
import { expectedRecords } from '../integration/end-to-end/expected-records.ts';
import { type Simulation, simulate } from './simulation.ts';

const streams = ['users', 'user_lifetime_insights', 'media', 'media_insights', 'stories'] as const;
const withStories = [...streams, 'story_insights'] as const;
type Checked = (typeof withStories)[number];

const simulateWorld = () =>
  simulate(
    createWorld({
      seed: 51,
      accounts: 2,
      smallAccounts: 0,
      mediaPerAccount: 14,
      storiesPerAccount: 3,
      insightsDays: 3,
      preConversionMedia: 0,
      unseenStories: 0,
    }),
  );

/** The records of a stream in Kafka and those that the world holds, by key. */
async function compared(simulation: Simulation, stream: Checked) {
  const records = await simulation.read(stream);
  const found = new Map(records.map(({ key, value }) => [key, comparable(value)]));
  return { found, expected: expectedRecords(simulation.truth(), '2000-01-01')[stream] };
}

async function expectAll(simulation: Simulation, without: readonly string[] = []): Promise<void> {
  for (const stream of withStories) {
    const { found, expected } = await compared(simulation, stream);
    const isLeft = stream.endsWith('_insights') ? without : [];
    expect(found).toEqual(new Map([...expected].filter(([key]) => !isLeft.includes(key))));
  }
}

const refused = (code: number, message: string, status = 400) => ({
  status,
  body: { error: { message, type: 'OAuthException', code } },
});

describe('poll of odd API answers', () => {
  it('publishes every record with single requests, and logs once, when the host rejects batch requests', async () => {
    await using simulation = await simulateWorld();
    const { world, ledger } = simulation.api;
    world.conditions.set({ batchRefused: true });
    const { code, log } = await simulation.once();

    expect(code).toBe(0);
    expect(log.filter(({ msg }) => msg === 'batches not available')).toHaveLength(1);
    const { calls, requests } = ledger.total();
    // Both insights streams of an account may send their first batch requests at the same time.
    expect(requests - calls).toBeLessThanOrEqual(2 * world.accounts.length);
    await expectAll(simulation);
  });

  it.each<[string, (api: GraphApi) => void]>([
    [
      'batch requests are answered in part',
      (api) => {
        api.world.conditions.set({ batchShort: 3 });
      },
    ],
    [
      'usage headers are only on the batch request',
      (api) => {
        api.world.conditions.set({ batchUsageHeaders: 'outer' });
      },
    ],
    [
      'a batch request has no usage headers',
      (api) => {
        api.world.conditions.set({ batchUsageHeaders: 'none' });
      },
    ],
    [
      'items of batch requests are null',
      (api) => api.faults.add({ match: { path: '/insights' }, times: 9, effect: { null: true } }),
    ],
    [
      'a batch request is answered with HTML',
      (api) =>
        api.faults.add({
          match: { endpoint: '/batch' },
          times: 1,
          effect: { html: true, status: 200 },
        }),
    ],
    [
      'a list is answered with an empty body once',
      (api) =>
        api.faults.add({
          match: { endpoint: '/{account}/media' },
          times: 1,
          effect: { empty: true, status: 200 },
        }),
    ],
    [
      'Meta cannot get the info of the app once',
      (api) =>
        api.faults.add({
          match: { endpoint: '/{account}/media' },
          times: 1,
          effect: refused(101, 'Cannot get application info due to a system error.', 500),
        }),
    ],
    [
      'Facebook pages have an empty list as account',
      (api) => {
        api.world.conditions.set({ emptyPages: 2 });
      },
    ],
    [
      'two cities have the same name',
      (api) => {
        api.world.conditions.set({ demographicsTwice: true });
      },
    ],
  ])('publishes every record when %s', async (_what, prepare) => {
    await using simulation = await simulateWorld();
    prepare(simulation.api);
    const { code, stderr } = await simulation.once();

    expect({ code, stderr }).toMatchObject({ code: 0 });
    await expectAll(simulation);
  });

  it('sends batch requests again after one was rejected with an unknown code', async () => {
    await using simulation = await simulateWorld();
    const { faults, ledger } = simulation.api;
    const effect = refused(4711, 'Something odd');
    faults.add({ match: { endpoint: '/batch' }, times: 1, effect });
    const { code, log } = await simulation.once();

    expect(code).toBe(0);
    expect(log.filter(({ msg }) => msg === 'batches not available')).toEqual([]);
    expect(log.filter(({ msg }) => msg === 'batch rejected')).toHaveLength(1);
    const { '/batch': batches } = ledger.byEndpoint();
    expect(batches?.requests).toBeGreaterThan(1);
    await expectAll(simulation);
  });

  it.each<[string, 'facebook' | 'instagram', FaultEffect]>([
    ['is null in each batch and not answered by itself', 'facebook', { null: true }],
    ['breaks its connection', 'instagram', { close: 'before' }],
  ])('excludes only the media that %s', async (_what, login, effect) => {
    await using simulation = await simulateWorld();
    const { api } = simulation;
    const [account] = api.world.accounts;
    const media = account?.media[4]?.id ?? '';
    api.faults.add({ match: { path: `/${media}/insights` }, effect });
    const tokens = api.world.accounts.map(({ instagramToken }) => instagramToken).join();
    const { code, stderr } = await simulation.once({
      ...(login === 'instagram' ? { INSTAGRAM_LOGIN: login, INSTAGRAM_ACCESS_TOKEN: tokens } : {}),
      POLLING_RETRY_BASE: '10ms',
    });
    const { found, expected } = await compared(simulation, 'media_insights');

    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(new Set(found.keys())).toEqual(
      new Set([...expected.keys()].filter((key) => key !== media)),
    );
  });

  it('excludes and names only the media that answers 803 and the story that answers code 12', async () => {
    await using simulation = await simulateWorld();
    const { api } = simulation;
    const [account] = api.world.accounts;
    const media = account?.media[4]?.id ?? '';
    const story = account?.storiesAt(api.world.clock.now())[1]?.id ?? '';
    api.faults.add({
      match: { path: `/${media}/insights` },
      effect: refused(803, '(#803) Some of the aliases you requested do not exist: insights'),
    });
    api.faults.add({
      match: { path: `/${story}/insights` },
      effect: refused(12, '(#12) singular statuses API is deprecated'),
    });
    await simulation.once();

    await expectAll(simulation, [media, story]);
    const states = await simulation.read('state');
    expect(JSON.stringify(states.map(({ value }) => value?.['refusals']))).toContain(media);
  });
});

it('poll of odd API answers: fails and records no rejection when all insights are rejected', async () => {
  await using simulation = await simulateWorld();
  const { faults } = simulation.api;
  faults.add({
    match: { endpoint: '/{media}/insights' },
    effect: refused(100, 'Unsupported get request. Authorization Error'),
  });
  const failed = await simulation.once();
  faults.clear();
  const later = await simulation.once();

  expect(failed.code).toBe(3);
  expect(later).toMatchObject({ code: 0 });
  await expectAll(simulation);
});

it('poll of odd API answers: publishes well-formed text for a caption that ends in half an emoji', async () => {
  await using simulation = await simulateWorld();
  const { world } = simulation.api;
  const id = world.accounts[0]?.media[2]?.id ?? '';
  world.conditions.set({ captions: { [id]: 'New drop \ud83d' } });
  await simulation.once();
  const captions = (await simulation.read('media'))
    .filter(({ key }) => key === id)
    .map(({ value }) => value?.['caption']);

  expect(captions).toEqual(['New drop \ufffd']);
});

describe('stream comments', () => {
  /** Media and key of each comment in Kafka after a poll. */
  async function commentsOf(simulation: Simulation) {
    expect(await simulation.once({ STREAMS: 'media,comments' })).toMatchObject({ code: 0 });
    const records = await simulation.read('comments');
    return records.map(({ key, value }) => ({ key, mediaId: value?.['media_id'] }));
  }

  it('publishes comments that become visible late, though newer ones were published', async () => {
    await using simulation = await simulateWorld();
    const { world } = simulation.api;
    await using other = await simulateWorld();
    const all = await commentsOf(other);
    const newest = world.accounts[0]?.media[0]?.id;
    const hidden = all
      .filter(({ mediaId }) => mediaId === newest)
      .slice(0, 3)
      .map(({ key }) => key);
    world.conditions.set({ hiddenComments: hidden });
    const before = (await commentsOf(simulation)).map(({ key }) => key);
    world.conditions.set({ hiddenComments: null });
    // A media is read again when its count has changed.
    world.clock.advance(3 * DAY_MS);
    const after = (await commentsOf(simulation)).map(({ key }) => key);

    expect(hidden).toHaveLength(3);
    // The replies of a hidden comment are not listed either.
    expect(before.length).toBeLessThanOrEqual(all.length - 3);
    expect(before.filter((key) => hidden.includes(key))).toEqual([]);
    expect(after).toEqual(expect.arrayContaining(hidden));
    expect(new Set(after).size).toBe(after.length);
  });

  it('publishes 130,000 comments of one media in parts, each once', async () => {
    await using simulation = await simulateWorld();
    const { world } = simulation.api;
    const { id } = world.accounts[0]?.media[9] ?? { id: '' };
    world.conditions.set({ manyComments: { [id]: 130_000 } });
    const keys = (await commentsOf(simulation))
      .filter(({ mediaId }) => mediaId === id)
      .map(({ key }) => key);

    expect(new Set(keys).size).toBe(130_000);
    expect(keys).toHaveLength(130_000);
  }, 180_000);
});
