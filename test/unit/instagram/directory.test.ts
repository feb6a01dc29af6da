import { describe, expect, test } from '@jest/globals';
import { narrowAccounts } from '../../../src/instagram/directory.ts';
import { answering, startHttpServer } from '../../support/http-server.ts';
import { calm, open } from './opened.ts';

const linked = (pageId: string, id: string): unknown => ({
  id: pageId,
  name: 'A page',
  instagram_business_account: { id, username: 'one' },
});

describe('allow list', () => {
  test('reports a named account that no token reaches', async () => {
    await using server = await startHttpServer(answering(200, { data: [linked('501', '17')] }));
    await using adapter = open(server.url, { accounts: ['17', '18'] });

    const { problems } = await adapter.directory.list(calm);

    expect(problems).toEqual([expect.stringContaining('INSTAGRAM_ACCOUNTS names 18, which no')]);
  });

  test('takes effect at the next listing after it is changed', async () => {
    await using server = await startHttpServer(
      answering(200, { data: [linked('501', '17'), linked('502', '18')] }),
    );
    await using adapter = open(server.url, { accounts: ['17'] });
    const list = async () => (await adapter.directory.list(calm)).accounts.map(({ id }) => id);

    expect(await list()).toEqual(['17']);
    adapter.directory.setAccounts(['18']);
    expect(await list()).toEqual(['18']);
    adapter.directory.setAccounts([]);
    expect(await list()).toEqual(['17', '18']);
  });

  const one = { id: '1', pageId: null, username: null };
  const two = { id: '2', pageId: '5', username: 'two' };

  test.each([
    { title: 'keeps all accounts when it is empty', allow: [], accounts: [one, two], missing: [] },
    {
      title: 'keeps the accounts that it names',
      allow: ['2', '1'],
      accounts: [one, two],
      missing: [],
    },
    {
      title: 'reports a named account that is unreachable',
      allow: ['2', '3'],
      accounts: [two],
      missing: ['3'],
    },
    {
      title: 'keeps no account when no named account is reachable',
      allow: ['3'],
      accounts: [],
      missing: ['3'],
    },
  ])('$title', ({ allow, accounts, missing }) => {
    expect(narrowAccounts([one, two], allow)).toEqual({ accounts, missing });
  });
});
