import { describe, expect, test } from '@jest/globals';
import { listAccounts } from '../../../src/instagram/accounts.ts';
import { type Handler, answering, startHttpServer } from '../../support/http-server.ts';
import { calm, open, rejection } from './opened.ts';

const much = { message: "Please reduce the amount of data you're asking for", code: 1 };
const linked = { id: '501', instagram_business_account: { id: '17', username: 'one' } };
const cursors = ['', 'c1', 'c2', 'c3'];

/** A list of four pages with an account on the last; a first page of more than `most` is too much data. */
const listOf =
  (most: number): Handler =>
  ({ query: { after = '', limit = '' } }, response) => {
    const isMuch = after === '' && Number(limit) > most;
    const next = cursors[cursors.indexOf(after) + 1];
    const paging = { cursors: { after: next }, next: 'https://graph.facebook.com/' };
    const page = next === undefined ? { data: [linked] } : { data: [], paging };
    response.statusCode = isMuch ? 500 : 200;
    response.end(JSON.stringify(isMuch ? { error: much } : page));
  };

describe('page size of the account list', () => {
  test('is halved until Meta accepts the page, and grows towards the refused size', async () => {
    await using server = await startHttpServer(listOf(7));
    await using adapter = open(server.url, { pageSize: 25 });

    await expect(adapter.directory.list(calm)).resolves.toMatchObject({ accounts: [{ id: '17' }] });
    expect(server.requests.map(({ query }) => query['limit'])).toEqual([
      '25',
      '13',
      '7',
      '10',
      '11',
      '11',
    ]);
  });

  test('is not halved below one entry: the list fails when one entry is too much data', async () => {
    await using server = await startHttpServer(listOf(0));
    await using adapter = open(server.url, { pageSize: 2 });

    await expect(adapter.directory.list(calm)).rejects.toMatchObject({
      code: 'graph.too-much-data',
    });
    expect(server.requests.map(({ query }) => query['limit'])).toEqual(['2', '1']);
  });
});

const field = '(#100) Tried accessing nonexisting field (username) on node type (IGUser)';
const refusal = { error: { message: field, type: 'OAuthException', code: 100 } };

describe('account list without usernames', () => {
  test('is requested again, all its pages included, when Meta rejects the field username', async () => {
    const list = listOf(25);
    await using server = await startHttpServer((request, response, raw) => {
      const isRejected = request.query['fields']?.includes('username') === true;
      if (isRejected) response.writeHead(400).end(JSON.stringify(refusal));
      else list(request, response, raw);
    });
    await using adapter = open(server.url, { pageSize: 25 });

    await expect(adapter.directory.list(calm)).resolves.toMatchObject({ accounts: [{ id: '17' }] });
    expect(server.requests.map(({ query }) => query['fields'])).toEqual([
      'id,instagram_business_account{id,username}',
      ...Array<string>(4).fill('id,instagram_business_account{id}'),
    ]);
  });
});

describe('end of the account list', () => {
  test.each([
    ['null', { next: null, cursors: { after: 'c1' } }],
    ['empty', { next: '', cursors: { after: 'c1' } }],
    ['in an empty list', []],
  ])('is reached when paging.next is %s', async (_name, paging) => {
    await using server = await startHttpServer(answering(200, { data: [linked], paging }));
    await using adapter = open(server.url);

    await expect(adapter.directory.list(calm)).resolves.toMatchObject({ accounts: [{ id: '17' }] });
    expect(server.requests).toHaveLength(1);
  });

  test('is enforced with an error after 10,000 pages whose cursors never end', async () => {
    let pages = 0;
    const get = () => {
      pages += 1;
      const cursors = { after: `c${pages}` };
      return Promise.resolve({ data: [], paging: { cursors, next: 'https://example.org' } });
    };

    const error = await rejection(
      listAccounts({ login: 'facebook', graph: { get }, pageSize: 100, signal: calm }),
    );

    expect(error).toMatchObject({
      disposition: 'retry',
      code: 'graph.server',
      message:
        '/me/accounts: the list does not end after 10000 pages; it is read again from the start',
    });
    expect(pages).toBe(10_000);
  });
});

describe('entry of the account list', () => {
  const rest = '; check that page and its link to Instagram';
  const one = { id: '17', pageId: '501', username: 'one' };

  async function listed(...entries: readonly unknown[]) {
    await using server = await startHttpServer(answering(200, { data: [...entries, linked] }));
    await using adapter = open(server.url);
    return await adapter.directory.list(calm);
  }

  test.each([
    ['null', null],
    ['an empty object as PHP writes it', []],
  ])(
    'has no account when its instagram_business_account is %s',
    async (_name, instagram_business_account) => {
      await expect(listed({ id: '500', instagram_business_account })).resolves.toEqual({
        accounts: [one],
        problems: [],
        warnings: [],
      });
    },
  );

  test.each([
    ['is null', null, 'data[0]": expected an object, got null'],
    ['is a text', 'x', 'data[0]": expected an object, got string'],
    [
      'has an account that is a text',
      { id: '5', instagram_business_account: '1' },
      'data[0].instagram_business_account": expected an object, got string',
    ],
    [
      'has an account with an invalid id',
      { id: '5', instagram_business_account: { id: '../1' } },
      'data[0].instagram_business_account.id": expected an id (a text of digits), got string',
    ],
  ])(
    'is excluded and reported in a warning when it %s (Invariant 3)',
    async (_name, entry, words) => {
      await expect(listed(entry)).resolves.toEqual({
        accounts: [one],
        problems: [],
        warnings: [`/me/accounts: left out "${words}${rest}`],
      });
    },
  );

  test('keeps its account without the page when the id of the page is invalid (Invariant 3)', async () => {
    await expect(
      listed({ id: null, instagram_business_account: { id: '18', username: 'two' } }),
    ).resolves.toEqual({
      accounts: [{ id: '18', pageId: null, username: 'two' }, one],
      problems: [],
      warnings: [
        `/me/accounts: left out "data[0].id": expected an id (a text of digits), got null${rest}`,
      ],
    });
  });

  test('is reported by path for the first ten unreadable entries, and by count for the rest', async () => {
    const { warnings } = await listed(...Array<null>(14).fill(null));

    expect(warnings).toHaveLength(11);
    expect(warnings.at(-1)).toBe('/me/accounts: left out 4 more entries that cannot be read');
  });
});
