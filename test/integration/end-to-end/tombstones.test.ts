import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import type { DecodedRecord } from '../../../sandbox/topics.ts';
import { type Deployment, deploy } from './deployment.ts';

const lists = ['media', 'media_insights', 'stories', 'story_insights'] as const;
type List = (typeof lists)[number];

const worldOf = (seed: number) =>
  createWorld({
    seed,
    accounts: 2,
    smallAccounts: 0,
    mediaPerAccount: 12,
    preConversionMedia: 0,
    storiesPerAccount: 3,
    unseenStories: 0,
    insightsDays: 3,
  });

/** Deletes a post and a story of the first account and returns their ids. */
function deleteSome({ api: { world } }: Deployment) {
  const [first] = world.accounts;
  const [post, story] = [first?.media[4]?.id ?? '', first?.stories[1]?.id ?? ''];
  world.conditions.set({ deletedMedia: [post, story] });
  return { account: first?.id ?? '', post, story };
}

const goneOf = ({ post, story }: { post: string; story: string }, list: List) =>
  list === 'media' || list === 'media_insights' ? post : story;

const isTombstone = ({ value }: DecodedRecord) => value === null;

describe('deleted object with KAFKA_TOMBSTONES', () => {
  let deployment: Deployment;
  let gone: ReturnType<typeof deleteSome>;
  const before = new Map<string, readonly DecodedRecord[]>();
  const once = () => deployment.once({ KAFKA_TOMBSTONES: 'true' });

  beforeAll(async () => {
    deployment = await deploy(worldOf(31));
    await once();
    for (const role of [...lists, 'state']) before.set(role, await deployment.read(role));
    gone = deleteSome(deployment);
    await once();
  }, 120_000);

  afterAll(async () => {
    await deployment[Symbol.asyncDispose]();
  });

  it.each(lists)('was in %s before and gets one tombstone', async (list) => {
    const key = goneOf(gone, list);
    const records = await deployment.read(list);

    expect(before.get(list)?.map((record) => record.key)).toContain(key);
    expect(before.get(list)?.filter(isTombstone)).toEqual([]);
    expect(records.filter(isTombstone).map((record) => record.key)).toEqual([key]);
    expect(records.findLast((record) => record.key === key)).toMatchObject({
      value: null,
      headers: { stream: list, account: gone.account },
    });
  });

  it('has a last record before the tombstone of its insights that says that it was deleted', async () => {
    const ofStory = (await deployment.read('story_insights')).filter(
      ({ key }) => key === gone.story,
    );
    const reasons = ofStory.map(({ value }) => value?.['not_final_reason']);

    expect(reasons).toEqual([null, 'deleted', undefined]);
    expect(ofStory[1]?.value).toMatchObject({
      is_final: false,
      views: ofStory[0]?.value?.['views'],
    });
  });

  it.each(lists)(
    'is removed from the checkpoint of %s in the transaction of that poll',
    async (list) => {
      const stateKey = `${list}/${gone.account}`;
      const ofList = ({ key }: DecodedRecord) => key === stateKey;
      const states = (await deployment.read('state')).filter(ofList);
      const known = before.get('state')?.filter(ofList) ?? [];

      expect(states).toHaveLength(known.length + 1);
      // Base64, 16 bytes per key.
      const keys = [known.at(-1), states.at(-1)].map(
        (state) => Buffer.from(String(state?.value?.['published']), 'base64').length / 16,
      );
      expect(keys).toEqual(list.startsWith('media') ? [12, 11] : [3, 2]);
    },
  );

  it('gets no second tombstone at later polls', async () => {
    expect(await once()).toMatchObject({ code: 0 });

    for (const list of lists) {
      const tombstones = (await deployment.read(list)).filter(isTombstone);
      expect(tombstones.map(({ key }) => key)).toEqual([goneOf(gone, list)]);
    }
  });
});

describe('suspected truncation with KAFKA_TOMBSTONES', () => {
  it('skips deletions in the first poll, and applies them when the next poll has the same list', async () => {
    await using deployment = await deploy(worldOf(33));
    const once = async () => {
      const ended = await deployment.once({ KAFKA_TOMBSTONES: 'true', STREAMS: 'media,users' });
      expect(ended.code).toBe(0);
      const doubts = ended.log.filter(
        ({ msg }) => msg === 'list looks truncated, deletions skipped',
      );
      const tombstones = (await deployment.read('media')).filter(isTombstone);
      return { doubts: doubts.length, deleted: tombstones.map(({ key }) => key) };
    };
    const { accounts, conditions } = deployment.api.world;
    const posts = accounts[0]?.media.slice(1).map(({ id }) => id) ?? [];
    await once();
    conditions.set({ deletedMedia: posts });

    expect(await once()).toEqual({ doubts: 1, deleted: [] });
    const { doubts, deleted } = await once();
    expect(doubts).toBe(0);
    expect([...deleted].sort()).toEqual([...posts].sort());
  }, 120_000);
});

describe('deleted object without KAFKA_TOMBSTONES', () => {
  it('keeps its last record and gets no tombstone', async () => {
    await using deployment = await deploy(worldOf(32));
    expect(await deployment.once()).toMatchObject({ code: 0 });
    const gone = deleteSome(deployment);

    expect(await deployment.once()).toMatchObject({ code: 0 });

    for (const list of lists) {
      const records = await deployment.read(list);
      expect(records.filter(isTombstone)).toEqual([]);
      expect(records.map(({ key }) => key)).toContain(goneOf(gone, list));
    }
  }, 120_000);
});
