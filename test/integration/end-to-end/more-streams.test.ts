import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { truthOf } from '../../../sandbox/graph-api/truth.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import type { DecodedRecord } from '../../../sandbox/topics.ts';
import type { Deployment, Ended } from './deployment.ts';
import { comparable, deploy } from './deployment.ts';
import type { TrueAccount } from './expected-more.ts';
import { expectedAudience } from './expected-more.ts';

const AUDIENCES = ['user_engaged_audience', 'user_reached_audience'] as const;
const METRICS = {
  user_engaged_audience: 'engaged_audience_demographics',
  user_reached_audience: 'reached_audience_demographics',
} as const;

function valuesOf(records: readonly DecodedRecord[]) {
  return new Map(records.map(({ key, value }) => [key, comparable(value)]));
}

describe('the streams that are off by default, turned on by one line', () => {
  let deployment: Deployment;
  let ended: Ended;
  let accounts: readonly TrueAccount[];

  beforeAll(async () => {
    deployment = await deploy(
      createWorld({
        seed: 5,
        accounts: 3,
        mediaPerAccount: 30,
        storiesPerAccount: 0,
        insightsDays: 40,
      }),
    );
    const truth = truthOf(deployment.api.world);
    accounts = truth['accounts'] as unknown as readonly TrueAccount[];
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
    const { requests } = deployment.api.ledger.byEndpoint()['/{account}/insights'] ?? {};

    expect(skipped).toEqual([
      ...Array<string>(2).fill('{"graph.not-enough-users":3}'),
      ...Array<string>(4).fill('{}'),
    ]);
    expect(requests).toBe(3 * 2 * 3);
  });
});
