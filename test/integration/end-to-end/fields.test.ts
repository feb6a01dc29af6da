import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { truthOf } from '../../../sandbox/graph-api/truth.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { openClient } from '../cli/installation.ts';
import { runCommand } from '../../support/command.ts';
import { type Deployment, comparable, DAY_MS, deploy } from './deployment.ts';
import { expectedComments, expectedForeign, type TrueAccount } from './expected-more.ts';

const hashSecret = 'a secret of 32 characters or more'.replaceAll(' ', '-');
const hash = (text: unknown) => createHmac('sha256', hashSecret).update(String(text)).digest('hex');

const rules = {
  STREAMS: 'media,comments,tags',
  STREAM_MEDIA_EXCLUDE: 'caption, children.media_url, owner',
  STREAM_COMMENTS_HASH: 'username,from.id,from.username',
  STREAM_COMMENTS_MASK: 'text',
  STREAM_TAGS_EXCLUDE: 'caption,like_count',
  STREAM_TAGS_HASH: 'username',
  FIELDS_HASH_SECRET: hashSecret,
};

type Entries = ReturnType<typeof expectedComments>;

const expectedTags = (account: TrueAccount) => expectedForeign(account, 'tags');

describe('streams with lists of fields', () => {
  let deployment: Deployment;

  beforeAll(async () => {
    // A day behind, so that every comment is old enough to be read.
    const size = { accounts: 2, smallAccounts: 0, mediaPerAccount: 8, storiesPerAccount: 0 };
    const odd = { preConversionMedia: 0, unseenStories: 0 };
    const now = Date.now() - DAY_MS;
    deployment = await deploy(createWorld({ seed: 61, insightsDays: 3, now, ...size, ...odd }));
  }, 120_000);

  afterAll(async () => {
    await deployment[Symbol.asyncDispose]();
  });

  const accounts = () => {
    const truth = truthOf(deployment.api.world, { comments: true, foreign: true });
    return truth['accounts'] as unknown as readonly TrueAccount[];
  };
  const valuesOf = async (stream: string) =>
    new Map((await deployment.read(stream)).map(({ key, value }) => [key, comparable(value)]));

  it('publish the records of the world without, or with replaced, values', async () => {
    expect(await deployment.once(rules)).toMatchObject({ code: 0 });

    const expected = (
      list: (account: TrueAccount) => Entries,
      changes: (one: Entries[number][1]) => object,
    ) =>
      new Map(
        accounts()
          .flatMap(list)
          .map(([key, record]) => [key, { ...record, ...changes(record) }]),
      );
    expect(await valuesOf('comments')).toEqual(
      expected(expectedComments, ({ username, from, text }) => ({
        text: text === null ? null : '[masked]',
        username: username === null ? null : hash(username),
        from: Object.fromEntries(
          Object.entries(from as object).map(([name, value]) => [name, hash(value)]),
        ),
      })),
    );
    expect(await valuesOf('tags')).toEqual(
      expected(expectedTags, ({ username }) => ({
        username: hash(username),
        caption: null,
        like_count: null,
      })),
    );
    const media = [...(await valuesOf('media')).values()];
    const children = media.flatMap((one) => (one['children'] ?? []) as readonly object[]);
    expect(media).toHaveLength(16);
    expect(new Set(media.flatMap(({ caption, owner }) => [caption, owner]))).toEqual(
      new Set([null]),
    );
    expect(new Set(media.map(({ username }) => typeof username))).toEqual(new Set(['string']));
    expect(children.length).toBeGreaterThan(0);
    expect(children).toEqual(children.map((one) => ({ ...one, media_url: null })));
  });

  it('publish nothing when only an excluded field has changed', async () => {
    const before = await valuesOf('media');
    const [media = ''] = before.keys();
    deployment.api.world.conditions.set({ captions: { [media]: 'Another caption' } });

    expect(await deployment.once(rules)).toMatchObject({ code: 0 });
    expect(await deployment.read('media')).toHaveLength(before.size);
  });

  it('write no value of them to a dead letter, to the log or to standard error', async () => {
    const [first, second] = accounts().map(({ id }) => id);
    const secret = { username: 'ann.secret', caption: 'My secret', caption_v2: 'My secret' };
    const node = { id: '17999', ...secret, like_count: 5, comments_count: 'many', permalink: 'p' };
    const { faults } = deployment.api;
    const effects = [
      { account: first ?? '', effect: { body: { data: [node, 'My secret'] } } },
      { account: second ?? '', effect: { body: 'username=ann.secret, caption=My secret' } },
    ];
    for (const { account, effect } of effects) {
      faults.add({ match: { endpoint: '/{account}/tags', account }, effect });
    }
    const { stderr, log } = await deployment.once({
      ...rules,
      STREAMS: 'tags',
      LOG_LEVEL: 'trace',
    });
    const letters = (await deployment.read('dead_letters')).map(({ key, value }) => ({
      key,
      path: value?.['path'],
      raw: value?.['raw'],
    }));

    expect(letters).toHaveLength(3);
    expect(letters).toEqual(
      expect.arrayContaining([
        {
          key: `tags/${first ?? ''}`,
          path: 'comments_count',
          raw: `{"id":"17999","permalink":"p","username":"${hash('ann.secret')}","comments_count":"many"}`,
        },
        { key: `tags/${first ?? ''}`, path: 'data[1]', raw: '[removed: 11 characters]' },
        { key: `tags/${second ?? ''}`, path: '', raw: '[removed: 38 characters]' },
      ]),
    );
    expect(`${stderr}${JSON.stringify(log)}`).not.toMatch(/ann\.secret|My secret/);
  });

  it('publish changed records with their values again after the lists are removed', async () => {
    deployment.api.faults.clear();

    expect(await deployment.once({ STREAMS: 'tags' })).toMatchObject({ code: 0 });
    // The last record of a key.
    expect(await valuesOf('tags')).toEqual(new Map(accounts().flatMap(expectedTags)));
  });

  it('publish every record again, and no earlier one is left, after the topic and the states are deleted', async () => {
    const admin = openClient(deployment.cluster).admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [deployment.topicOf('comments')] });
    await admin.disconnect();
    const reset = ['state', 'reset', '--stream', 'comments', '--apply'];
    expect(await runCommand(reset, { env: deployment.env })).toMatchObject({ exitCode: 0 });

    expect(await deployment.once({ STREAMS: 'comments' })).toMatchObject({ code: 0 });
    const expected = accounts().flatMap(expectedComments);
    expect(await deployment.read('comments')).toHaveLength(expected.length);
    expect(await valuesOf('comments')).toEqual(new Map(expected));
  });

  it.each(['once', 'run', 'check', 'config'])(
    'end `%s` with 2 before the first request when a field is unknown',
    async (command) => {
      deployment.api.ledger.clear();
      const env = { ...deployment.env, STREAM_TAGS_HASH: 'usernam' };
      const { exitCode, stderr } = await runCommand([command], { env });

      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/STREAM_TAGS_HASH.*"usernam".*did you mean username\?/);
      expect(stderr).toMatch(/FIELDS_HASH_SECRET.*got nothing/);
      expect(deployment.api.ledger.total().requests).toBe(0);
    },
  );
});
