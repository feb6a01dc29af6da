import { describe, expect, it } from '@jest/globals';
import { type Asked, listOf, startAsking } from './asking.ts';

const fields = 'id,instagram_business_account{id,username}';

/** Gives a simulator's second page to a business alone; returns the ids of both pages. */
async function addBusiness(asked: Asked) {
  const [first = '', second = ''] = asked.world.accounts.map(({ pageId }) => pageId);
  await asked.admin('PATCH', 'world', {
    businesses: { 9001: { owned: [second], client: [first] }, 9002: {} },
    unlistedPages: [second],
  });
  return { first, second };
}

const idsOf = async (asked: Asked, path: string, more: Record<string, string> = {}) =>
  listOf((await asked.ask(path, { fields, ...more })).body).map(({ id }) => id);

describe('simulator businesses', () => {
  it('list the pages that they own and those of their clients, with the accounts', async () => {
    await using asked = await startAsking();
    const { first, second } = await addBusiness(asked);
    const { body } = await asked.ask('/9001/owned_pages', { fields });

    expect(listOf(body)).toEqual([
      {
        id: second,
        instagram_business_account: {
          id: asked.world.accounts[1]?.id,
          username: asked.world.accounts[1]?.user['username'],
        },
      },
    ]);
    expect(await idsOf(asked, '/9001/client_pages')).toEqual([first]);
    expect(await idsOf(asked, '/9002/owned_pages')).toEqual([]);
    expect(await idsOf(asked, '/me/accounts')).not.toContain(second);
    expect(await idsOf(asked, '/me/businesses', { fields: 'id' })).toEqual(['9001', '9002']);
    expect((await asked.ask('/9001', { fields: 'id,name' })).body).toEqual({
      id: '9001',
      name: 'Business 9001',
    });
    expect(asked.api.ledger.entries.map(({ endpoint }) => endpoint)).toContain(
      '/{business}/client_pages',
    );
  });

  it('are unknown to other tokens, and have no other lists', async () => {
    await using asked = await startAsking();
    await addBusiness(asked);

    expect((await asked.refusal('/9003/owned_pages')).slice(0, 3)).toEqual([400, 100, 33]);
    expect((await asked.refusal('/9001/instagram_accounts')).slice(0, 2)).toEqual([400, 2500]);
    const access_token = asked.world.pages[0]?.token ?? '';
    const refusal = await asked.refusal('/9001/owned_pages', { access_token });
    expect(refusal.slice(0, 3)).toEqual([400, 100, 33]);
  });

  it.each([
    ['permission', [400, 200]],
    ['missing', [400, 100]],
  ])('answer a token without business_management as businessRefusal "%s"', async (kind, error) => {
    await using asked = await startAsking();
    await addBusiness(asked);
    asked.world.conditions.set({ businessRefusal: kind === 'missing' ? 'missing' : 'permission' });
    asked.world.tokens.set(asked.world.token, { scopes: ['instagram_basic'] });

    expect((await asked.refusal('/me/businesses')).slice(0, 2)).toEqual(error);
    expect((await asked.refusal('/9001/owned_pages')).slice(0, 2)).toEqual(error);
  });

  it('answer empty lists as businessRefusal "empty"', async () => {
    await using asked = await startAsking();
    await addBusiness(asked);
    asked.world.conditions.set({ businessRefusal: 'empty' });
    asked.world.tokens.set(asked.world.token, { scopes: ['instagram_basic'] });

    expect(await idsOf(asked, '/9001/owned_pages')).toEqual([]);
  });
});
