import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type GraphApi, startGraphApi } from '../../../sandbox/graph-api/server.ts';
import { type World, createWorld } from '../../../sandbox/graph-api/world.ts';
import type { InstagramOptions } from '../../../src/instagram/options.ts';
import { calm, open, rejection } from './opened.ts';

const sizes = { mediaPerAccount: 1, storiesPerAccount: 0, insightsDays: 1 };
let world: World;
let api: GraphApi;
/** The ids of the accounts, and those of their pages. */
let ids: readonly string[];
let pages: readonly string[];

beforeEach(async () => {
  world = createWorld({ seed: 5, accounts: 4, pagesWithoutAccount: 0, ...sizes });
  api = await startGraphApi({ world });
  ids = world.accounts.map(({ id }) => id);
  pages = world.accounts.map(({ pageId }) => pageId);
  // `/me/accounts` has the first page only.
  world.conditions.set({
    unlistedPages: pages.slice(1),
    businesses: { 9001: { owned: pages.slice(1, 2), client: pages.slice(2, 3) } },
  });
});
afterEach(async () => {
  await api[Symbol.asyncDispose]();
});

const openFor = (businesses: readonly string[], more: Partial<InstagramOptions> = {}) =>
  open(api.url, { accessTokens: [world.token], businesses, ...more });

const withoutPermission = () => {
  const scopes = ['pages_show_list', 'instagram_basic'];
  world.tokens.set(world.token, { scopes });
};

const endpoints = () => api.ledger.entries.map(({ endpoint }) => endpoint);

describe('accounts of businesses', () => {
  test('are those of the pages that the business owns and of its clients, besides the listed ones', async () => {
    await using adapter = openFor(['9001']);

    const { accounts, problems, warnings } = await adapter.directory.list(calm);

    expect(accounts.map(({ id, pageId }) => [id, pageId])).toEqual(
      [0, 1, 2].map((place) => [ids[place], pages[place]]),
    );
    expect([problems, warnings]).toEqual([[], []]);
    expect(endpoints()).toEqual([
      '/me/accounts',
      '/{business}/owned_pages',
      '/{business}/client_pages',
    ]);
    expect(adapter.events.filter(({ type }) => type === 'request')).toHaveLength(3);
  });

  test('have their page when the token was granted them too, which names no page', async () => {
    world.conditions.set({ unlistedPages: pages });
    await using adapter = openFor(['9001']);

    const { accounts } = await adapter.directory.list(calm);

    expect(accounts.map(({ id, pageId }) => [id, pageId])).toEqual(
      [null, pages[1], pages[2], null].map((pageId, place) => [ids[place], pageId]),
    );
  });

  test('are not listed without the setting', async () => {
    await using adapter = openFor([]);

    const { accounts } = await adapter.directory.list(calm);

    expect(accounts.map(({ id }) => id)).toEqual(ids.slice(0, 1));
    expect(endpoints()).toEqual(['/me/accounts']);
  });

  test('are those of every business of the token with "all", each account once', async () => {
    const businesses = {
      9001: { owned: pages.slice(0, 2) },
      9002: { client: pages.slice(1, 4) },
    };
    world.conditions.set({ businesses });
    await using adapter = openFor(['all', '9001']);

    const { accounts } = await adapter.directory.list(calm);

    expect(accounts.map(({ id }) => id)).toEqual(ids);
    expect(endpoints().filter((one) => one === '/me/businesses')).toHaveLength(1);
    expect(endpoints().filter((one) => one === '/{business}/owned_pages')).toHaveLength(2);
  });

  test('come from every page of a list, whose size is halved when it is too much data', async () => {
    world.conditions.set({ businesses: { 9001: { owned: pages.slice(1) } }, tooMuchData: 1 });
    await using adapter = openFor(['9001'], { pageSize: 2 });

    const { accounts } = await adapter.directory.list(calm);

    expect(accounts.map(({ id }) => id)).toEqual(ids);
  });

  test('stay listed when another business is unknown, which is reported (Invariant 8)', async () => {
    await using adapter = openFor(['9009', '9001']);

    const { accounts, problems } = await adapter.directory.list(calm);

    expect(accounts.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    expect(problems).toEqual([
      expect.stringMatching(/^\/9009\/owned_pages cannot be listed\. .*'9009' does not exist/),
      expect.stringMatching(/^\/9009\/client_pages cannot be listed\. /),
    ]);
  });

  test.each([['permission'], ['missing']] as const)(
    'are reported with the permission that the token lacks, when Meta answers "%s"',
    async (businessRefusal) => {
      world.conditions.set({ businessRefusal });
      withoutPermission();
      await using adapter = openFor(['9001', 'all']);

      const { accounts, problems } = await adapter.directory.list(calm);

      expect(accounts.map(({ id }) => id)).toEqual(ids.slice(0, 1));
      expect(problems).toHaveLength(3);
      expect(problems).toEqual([
        expect.stringMatching(/^\/me\/businesses cannot be listed\. .*business_management/),
        expect.stringMatching(/^\/9001\/owned_pages cannot be listed\. .*business_management/),
        expect.stringMatching(/^\/9001\/client_pages cannot be listed\. .*business_management/),
      ]);
    },
  );

  test('are reported as missing, with the permission, when Meta answers empty lists', async () => {
    world.conditions.set({ businessRefusal: 'empty' });
    withoutPermission();
    await using adapter = openFor(['9001', 'all']);

    const { problems, warnings } = await adapter.directory.list(calm);

    const advice =
      'check that the token has the permission business_management, and its user a role in the business';
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      `/me/businesses: the list is empty; ${advice}`,
      `business 9001: no page of it or of its clients has an Instagram account; ${advice}`,
    ]);
  });

  test('are reported by no token that does not reach a business, when another token does', async () => {
    const other = world.tokens.issue({
      owner: { kind: 'user' },
      issuedAtMs: world.clock.now(),
      expiresAtMs: null,
      shortLived: false,
      scopes: ['pages_show_list', 'instagram_basic'],
    });
    await using adapter = openFor(['9001'], { accessTokens: [other, world.token] });
    const list = async () => {
      const { accounts, problems, warnings } = await adapter.directory.list(calm);
      return { tokens: accounts.map(({ token }) => token), problems, warnings };
    };

    const expected = { tokens: ['1', '2', '2'], problems: [], warnings: [] };
    expect(await list()).toEqual(expected);
    world.conditions.set({ businessRefusal: 'empty' });
    expect(await list()).toEqual(expected);
  });

  test('stay listed while their lists fail', async () => {
    await using adapter = openFor(['all']);
    await adapter.directory.list(calm);
    withoutPermission();

    const { accounts, problems } = await adapter.directory.list(calm);

    expect(accounts.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    expect(problems).toHaveLength(3);
  });

  test('fail the start with their error when no list has an account', async () => {
    world.conditions.set({ unlistedPages: pages, businessRefusal: 'permission' });
    withoutPermission();
    await using adapter = openFor(['9001'], { accounts: ['@nobody.at.all'] });
    // No account is granted either.
    world.conditions.set({ vanishedAccounts: ids });

    await expect(rejection(adapter.directory.list(calm))).resolves.toMatchObject({
      code: 'graph.permission',
    });
  });
});

describe('account named by its user name', () => {
  const nameOf = (place: number) => world.accounts[place]?.user['username'] as string;

  test('is found in any list, whatever the case', async () => {
    await using adapter = openFor(['9001'], { accounts: [`@${nameOf(2).toLowerCase()}`] });

    const { accounts, problems } = await adapter.directory.list(calm);

    expect(accounts.map(({ id }) => id)).toEqual([ids[2]]);
    expect(problems).toEqual([]);
  });

  test('is found among the accounts granted to a token whose list is empty', async () => {
    world.conditions.set({ unlistedPages: pages });
    await using adapter = openFor([], { accounts: [`@${nameOf(3).toLowerCase()}`] });

    const { accounts } = await adapter.directory.list(calm);

    expect(accounts).toEqual([{ id: ids[3], pageId: null, username: nameOf(3) }]);
  });

  test('is missing with the nearest name when no token reaches it, and ends the start when it is the only one', async () => {
    const wrong = `@${nameOf(0).toLowerCase().slice(0, -1)}`;
    const problem = new RegExp(`did you mean @${nameOf(0).toLowerCase()} for ${wrong}\\?`);
    await using partly = openFor([], { accounts: [wrong, String(ids[1])] });
    await using alone = openFor([], { accounts: [wrong] });

    expect((await partly.directory.list(calm)).problems).toEqual([expect.stringMatching(problem)]);
    await expect(rejection(alone.directory.list(calm))).resolves.toMatchObject({
      code: 'accounts.none',
      message: expect.stringMatching(problem),
    });
  });

  test('is excluded, and the start ends when no account is left', async () => {
    world.conditions.set({ unlistedPages: [] });
    const accountsExclude = [`@${nameOf(0).toLowerCase()}`, ...ids.slice(2)];
    await using adapter = openFor([], { accountsExclude });
    await using none = openFor([], { accountsExclude: ids });

    expect((await adapter.directory.list(calm)).accounts.map(({ id }) => id)).toEqual([ids[1]]);
    await expect(rejection(none.directory.list(calm))).resolves.toMatchObject({
      code: 'accounts.none',
      message: expect.stringContaining('INSTAGRAM_ACCOUNTS_EXCLUDE leaves no account of the token'),
    });
  });
});
