import { describe, expect, test } from '@jest/globals';
import type { Handler } from '../../support/http-server.ts';
import { startHttpServer } from '../../support/http-server.ts';
import { calm, open } from './opened.ts';

const much = { message: "Please reduce the amount of data you're asking for", code: 1 };
const linked = { id: '501', instagram_business_account: { id: '17', username: 'one' } };
const cursors = ['', 'c1', 'c2', 'c3'];

/** A list of four pages with an account on the last; of the first more than `most` is too much. */
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

describe('a page of accounts that is too much data', () => {
  test('is asked for by half, which each success doubles again', async () => {
    await using server = await startHttpServer(listOf(7));
    await using adapter = open(server.url, { pageSize: 25 });

    await expect(adapter.directory.list(calm)).resolves.toMatchObject({ accounts: [{ id: '17' }] });
    expect(server.requests.map(({ query }) => query['limit'])).toEqual([
      '25',
      '13',
      '7',
      '14',
      '25',
      '25',
    ]);
  });

  test('fails the list when it is one entry', async () => {
    await using server = await startHttpServer(listOf(0));
    await using adapter = open(server.url, { pageSize: 2 });

    await expect(adapter.directory.list(calm)).rejects.toMatchObject({
      code: 'graph.too-much-data',
    });
    expect(server.requests.map(({ query }) => query['limit'])).toEqual(['2', '1']);
  });
});
