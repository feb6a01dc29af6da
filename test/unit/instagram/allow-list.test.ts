import { describe, expect, test } from '@jest/globals';
import { narrowAccounts } from '../../../src/instagram/directory.ts';
import { answering, startHttpServer } from '../../support/http-server.ts';
import { calm, open } from './opened.ts';

const linked = (pageId: string, id: string): unknown => ({
  id: pageId,
  name: 'A page',
  instagram_business_account: { id, username: 'one' },
});

describe('an allow list', () => {
  test('that names an account which no token reaches is a problem that is said', async () => {
    await using server = await startHttpServer(answering(200, { data: [linked('501', '17')] }));
    await using adapter = open(server.url, { accounts: ['17', '18'] });

    const { problems } = await adapter.directory.list(calm);

    expect(problems).toEqual([expect.stringContaining('INSTAGRAM_ACCOUNTS names 18, which no')]);
  });

  test('that is changed holds from the next listing on', async () => {
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
    { title: 'keeps all when it is empty', allow: [], accounts: [one, two], missing: [] },
    { title: 'keeps what it names', allow: ['2', '1'], accounts: [one, two], missing: [] },
    { title: 'names what is not reached', allow: ['2', '3'], accounts: [two], missing: ['3'] },
    { title: 'keeps none when none is reached', allow: ['3'], accounts: [], missing: ['3'] },
  ])('$title', ({ allow, accounts, missing }) => {
    expect(narrowAccounts([one, two], allow)).toEqual({ accounts, missing });
  });
});
