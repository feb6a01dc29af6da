import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GraphApi } from '../../sandbox/graph-api/server.ts';
import { createWorld } from '../../sandbox/graph-api/world.ts';
import { type Ended, comparable } from '../integration/end-to-end/deployment.ts';
import {
  type StreamName,
  type TrueAccount,
  type Truth,
  expectedRecords,
} from '../integration/end-to-end/expected-records.ts';
import { type Simulation, simulate } from './simulation.ts';

/** Meta's answer when its server fails for one media. */
const serverError = {
  status: 500,
  body: { error: { message: 'An unknown error has occurred.', type: 'OAuthException', code: 1 } },
};

type Fields = Readonly<Record<string, unknown>>;

/** Sets every kind of rejection on a world, and returns the affected objects. */
function refuse({ world: { accounts, conditions }, faults }: GraphApi) {
  const [first, second, third] = accounts;
  const posts = first?.media.filter(({ traits }) => !traits.beforeConversion) ?? [];
  const albums = second?.media.filter(({ children }) => children.length > 2) ?? [];
  const refusingMedia = idOf(posts.find(({ productType }) => productType === 'FEED'));
  conditions.set({
    removedMetrics: ['saved'],
    refusedMetrics: { [refusingMedia]: ['shares'] },
    deletedMedia: [idOf(albums[1]?.children[0]), idOf(posts[7])],
    brokenChildren: [idOf(albums[0]?.children[1])],
    deniedAccounts: [idOf(third)],
    locale: 'fr',
  });
  const [failing, closed] = [idOf(posts[11]), idOf(posts[23])];
  faults.add({ match: { path: `/${failing}/insights` }, effect: serverError });
  faults.add({ match: { path: `/${closed}/insights` }, effect: { error: 'no-permission' } });
  return {
    refusingMedia,
    denied: idOf(third),
    brokenChild: `${idOf(albums[0])}/${idOf(albums[0]?.children[1])}`,
    withoutInsights: [failing, closed],
  };
}

function idOf(thing: { readonly id: string } | undefined): string {
  if (thing === undefined) throw new Error('the world lacks what the test needs');
  return thing.id;
}

describe('simultaneous rejections of every kind', () => {
  let simulation: Simulation;
  let ended: Ended;
  let truth: Truth;
  let refusingMedia = '';
  let denied = '';
  let brokenChild = '';
  let withoutInsights: readonly string[] = [];

  beforeAll(async () => {
    simulation = await simulate(
      createWorld({
        seed: 23,
        accounts: 3,
        smallAccounts: 0,
        mediaPerAccount: 60,
        storiesPerAccount: 3,
        insightsDays: 5,
      }),
    );
    ({ refusingMedia, denied, brokenChild, withoutInsights } = refuse(simulation.api));
    truth = simulation.truth();
    ended = await simulation.once();
  }, 120_000);

  afterAll(async () => {
    await simulation[Symbol.asyncDispose]();
  });

  /** The expected records: all except the rejected ones. */
  function expected(stream: StreamName): Map<string, Fields> {
    const reachable = truth.accounts.filter((account: TrueAccount) => account.id !== denied);
    const all = expectedRecords({ ...truth, accounts: reachable }, '2000-01-01')[stream];
    const left = stream === 'media_insights' ? withoutInsights : [];
    return new Map(
      [...all]
        .filter(([key]) => !left.some((id) => key.endsWith(id)))
        .map(([key, record]) => [
          key,
          {
            ...record,
            ...(stream === 'media_insights' && { saved: null }),
            ...(stream === 'media_insights' && key === refusingMedia && { shares: null }),
          },
        ]),
    );
  }

  it('name the account whose permission is missing, and fail no other poll', () => {
    const [summary, ...above] = ended.stderr.trim().split('\n').toReversed();
    const lines = above.filter((line) => !line.includes(': left out '));

    expect(ended.code).toBe(3);
    expect(summary).toMatch(/^\d+ polls?, .*failed/);
    expect(lines).not.toEqual([]);
    expect(lines.every((line) => line.includes(denied) && line.includes('graph.permission'))).toBe(
      true,
    );
  });

  it.each([
    'users',
    'user_lifetime_insights',
    'media',
    'media_insights',
    'stories',
    'story_insights',
  ] as const)('leave all other records of %s published', async (stream) => {
    const records = await simulation.read(stream);
    const found = new Map(records.map(({ key, value }) => [key, comparable(value)]));

    expect(found).toEqual(expected(stream));
    expect(records).toHaveLength(expected(stream).size);
  });

  it('are counted by reason', () => {
    const skipped = ended.log
      .filter(({ msg, stream }) => msg === 'poll finished' && stream === 'media_insights')
      .map((entry) => entry['skipped'] as Readonly<Record<string, number>>);

    expect(skipped).toHaveLength(2);
    for (const counts of skipped) {
      expect(counts['graph.metric-unknown']).toBeGreaterThanOrEqual(1);
      expect(counts['graph.media-before-conversion']).toBeGreaterThanOrEqual(1);
    }
    for (const reason of ['graph.metric-refused', 'graph.server', 'graph.permission']) {
      expect(skipped.map((counts) => counts[reason] ?? 0).sort()).toEqual([0, 1]);
    }
  });

  it('are remembered: the next start requests nothing that was rejected', async () => {
    simulation.api.ledger.clear();
    await simulation.once();

    const rejected = simulation.api.ledger.entries.filter(
      ({ endpoint, status, request }) =>
        endpoint.startsWith('/{media}') && status >= 400 && !request.includes('replies'),
    );
    // A story with fewer than five viewers may have more by now.
    expect(rejected).toEqual([]);
  });

  it('are kept in the state with their reason', async () => {
    const media = (await simulation.read('state')).filter(({ key }) => key.startsWith('media/'));
    const refusals = media.flatMap(({ value }) => value?.['refusals'] as readonly Fields[]);
    expect(refusals).toContainEqual(
      expect.objectContaining({ subject: brokenChild, metric: null, reason: 'graph.ambiguous' }),
    );
    const state = (await simulation.read('state')).findLast(({ key }) =>
      key.startsWith('media_insights/'),
    );

    expect(state?.value?.['refusals']).toContainEqual(
      expect.objectContaining({ subject: '*', metric: 'saved', reason: 'graph.metric-unknown' }),
    );
  });
});
