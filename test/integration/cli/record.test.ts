import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isObject, type Json } from '../../../sandbox/graph-api/json.ts';
import {
  type Exchange,
  createRecordedWorld,
  readRecording,
} from '../../../sandbox/graph-api/recorded-world.ts';
import { textOf } from '../../../sandbox/graph-api/recorded/collection.ts';
import { type GraphApi, startGraphApi } from '../../../sandbox/graph-api/server.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { verifyRecording } from '../../../sandbox/recordings/verify.ts';
import { runCommand } from '../../support/command.ts';

/** All differences of a recording from the simulator. */
async function differencesOf(exchanges: readonly Exchange[]): Promise<readonly string[]> {
  const verified = await verifyRecording(exchanges);
  return verified.flatMap(({ differences }) => differences);
}

/** Every text of some bodies that is no word of the API: an id, a name, a text, a URL. */
function privateTexts(value: Json): readonly string[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(privateTexts);
  if (isObject(value)) return Object.values(value).flatMap(privateTexts);
  const isPrivate = typeof value === 'string' && /\d{8}|^https?:|[a-z] [a-z]|\w\.\w/i.test(value);
  return isPrivate && !/^\d{4}-\d\d-\d\dT/.test(value) ? [value] : [];
}

describe('record', () => {
  let api: GraphApi;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'record-'));
    const size = { mediaPerAccount: 10, storiesPerAccount: 3, insightsDays: 10 };
    api = await startGraphApi({
      world: createWorld({ seed: 5, accounts: 3, ...size, live: true }),
    });
  });

  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const run = (args: readonly string[], changes: Readonly<Record<string, string>> = {}) => {
    const env = {
      INSTAGRAM_ACCESS_TOKEN: api.world.token,
      INSTAGRAM_BASE_URL: api.url,
      ...changes,
    };
    return runCommand(['record', ...args], { env });
  };

  describe('of every stream, with hashtags and accounts of others', () => {
    let out: string;
    let exchanges: readonly Exchange[];
    let printed: string;

    beforeAll(async () => {
      out = join(folder, 'account.ndjson');
      const { accounts, conditions } = api.world;
      const [own, , other] = accounts;
      // The token does not list the last account, so that it is one of others.
      conditions.set({ sensitiveHashtags: ['secret'], unlistedPages: [other?.pageId ?? ''] });
      const names = [other, own].map((account) => textOf(account?.user['username']));
      const lists = {
        INSTAGRAM_HASHTAGS: 'coffee,sunset,secret',
        INSTAGRAM_DISCOVERED_USERS: ['no_such_one', ...names].join(','),
      };
      printed = (await run(['--streams', 'all', '--out', out], lists)).stdout;
      conditions.clear();
      exchanges = await readRecording(out);
    }, 60_000);

    test('verify:recordings finds no difference, items of batches and errors included', async () => {
      expect(printed).toBe(
        `${out}: ${exchanges.length} exchanges. Read the file before you share it.\n`,
      );
      expect(exchanges.length).toBeGreaterThan(100);
      expect(exchanges.some(({ response }) => response.status === 400)).toBe(true);
      expect(await differencesOf(exchanges)).toEqual([]);
    }, 60_000);

    test('has a world whose accounts are those that the token lists', () => {
      const { accounts, pages } = createRecordedWorld(exchanges);
      const asked = exchanges.map(({ request }) => Object.values(request.query).join());

      expect(asked.filter((one) => one.startsWith('business_discovery.'))).toHaveLength(6);
      expect(exchanges.filter(({ request }) => request.path.endsWith('_search'))).toHaveLength(3);
      expect(accounts.map(({ user }) => user['username'])).toEqual([
        'user.invented.1',
        'user.invented.2',
      ]);
      expect(pages.filter(({ account }) => account !== undefined)).toHaveLength(2);
    });

    const changes: readonly [title: string, path: RegExp, from: string, to: string][] = [
      ['a field has another name', /\/media$/, '"caption":', '"legend":'],
      ['a metric has another title', /\/insights$/, '"title":"Reach"', '"title":"Range"'],
      ['an error has another code', /\/insights$/, '"code":100', '"code":101'],
      ['a page of comments has no next one', /\/comments$/, '"next":"', '"further":"'],
    ];
    test.each(changes)(
      'verify:recordings reports it when %s',
      async (_, path, from, to) => {
        const index = exchanges.findIndex(
          ({ request, response }) =>
            path.test(request.path) && JSON.stringify(response).includes(from),
        );
        const text = JSON.stringify(exchanges[index]).replace(from, to);
        const changed = exchanges.with(index, JSON.parse(text) as Exchange);

        expect(await differencesOf(changed)).not.toEqual([]);
      },
      60_000,
    );

    test('has no id, name, text, URL or token of the accounts, in any spelling', async () => {
      const recording = await readFile(out, 'utf8');
      const { accounts, pages, token } = api.world;
      const nowMs = api.world.clock.now();
      const listed = accounts.flatMap((one) => [...one.media, ...one.stories]);
      const comments = listed.flatMap((one) => one.comments(nowMs).slice(0, 3));
      const originals = [
        token,
        ...pages.flatMap((page) => [page.token, ...privateTexts(page.fields)]),
        ...accounts.flatMap((one) => [one.id, one.instagramToken, ...privateTexts(one.user)]),
        ...listed.flatMap((one) => [one.id, ...privateTexts(one.fields(nowMs))]),
        ...comments.flatMap(({ id, text, username, userId }) => [id, text, username, userId]),
      ].filter((value) => value.length >= 8);
      const spellings = [...new Set(originals)].flatMap((value) => [
        value,
        encodeURIComponent(value),
        Buffer.from(value).toString('base64').replace(/=+$/, '').slice(0, -1),
      ]);

      expect(originals.length).toBeGreaterThan(300);
      expect(spellings.filter((value) => recording.includes(value))).toEqual([]);
      expect((await stat(out)).mode & 0o777).toBe(0o600);
    });

    test('replaces a file only with --force', async () => {
      const before = await readFile(out, 'utf8');
      const refused = await run(['users', '--out', out]);
      const same = await readFile(out, 'utf8');
      const forced = await run(['users', '--out', out, '--force']);

      expect(refused.exitCode).toBe(2);
      expect(refused.stderr).toContain('the file exists; choose another, or replace it with');
      expect(same).toBe(before);
      expect(forced.exitCode).toBe(0);
      expect(await readRecording(out)).toHaveLength(4);
      expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([]);
    }, 60_000);
  });

  test('verify:recordings finds no difference in lists that --limit leaves before their end', async () => {
    const out = join(folder, 'limited.ndjson');
    const bounds = ['--limit', '4', '--days', '3', '--account', api.world.accounts[0]?.id ?? ''];
    const streams = ['users', 'media', 'comments', 'user_insights'];
    const { exitCode } = await run([...streams, '--out', out, ...bounds]);
    const exchanges = await readRecording(out);

    expect(exitCode).toBe(0);
    expect(exchanges.some(({ response }) => 'paging' in response.body)).toBe(true);
    expect(await differencesOf(exchanges)).toEqual([]);
  }, 60_000);

  test('verify:recordings finds no difference in a recording of Instagram Login', async () => {
    const out = join(folder, 'login.ndjson');
    const { exitCode } = await run(['users', 'media', 'media_insights', '--out', out], {
      INSTAGRAM_LOGIN: 'instagram',
      INSTAGRAM_ACCESS_TOKEN: api.world.accounts[0]?.instagramToken ?? '',
    });
    const exchanges = await readRecording(out);

    expect(exitCode).toBe(0);
    expect(exchanges[0]?.request.path).toMatch(/\/me$/);
    expect(await differencesOf(exchanges)).toEqual([]);
  }, 60_000);

  test('ends with 4 and keeps the errors when a poll fails', async () => {
    const denied = api.world.accounts[0]?.id ?? '';
    api.world.conditions.set({ deniedEdges: { [denied]: ['tags'] } });
    const out = join(folder, 'denied.ndjson');
    const { exitCode } = await run(['tags', '--out', out, '--account', denied]);
    api.world.conditions.clear();
    const exchanges = await readRecording(out);

    expect(exitCode).toBe(4);
    expect(exchanges.at(-1)?.response).toMatchObject({
      status: 400,
      body: { error: { code: 10 } },
    });
    expect(await differencesOf(exchanges)).toEqual([]);
  }, 60_000);

  test('ends with 3 and leaves no file when the token is rejected', async () => {
    const out = join(folder, 'rejected.ndjson');
    const token = 'EAAGnotavalidtokenatall';
    const { exitCode, stderr } = await run(['--out', out], { INSTAGRAM_ACCESS_TOKEN: token });

    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^graph\.token: /m);
    expect(await readdir(folder)).not.toContain('rejected.ndjson');
  }, 60_000);

  test.each([
    [[], "required option '--out <file>' not specified"],
    [['--out', '/nowhere/x.ndjson'], '--out "/nowhere/x.ndjson": the file cannot be written'],
    [['--out', 'x.ndjson', '--days', '0'], '--days "0": expected a whole number from 1 to 800'],
  ])('rejects invalid arguments with exit code 2: %j', async (args, message) => {
    const { exitCode, stderr } = await run(args);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});
