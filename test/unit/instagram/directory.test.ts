import { describe, expect, test } from '@jest/globals';
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
    adapter.directory.setAccounts({ accounts: ['18'] });
    expect(await list()).toEqual(['18']);
    adapter.directory.setAccounts({ accounts: [] });
    expect(await list()).toEqual(['17', '18']);
  });
});
