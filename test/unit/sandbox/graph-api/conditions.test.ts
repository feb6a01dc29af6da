import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import { truthOf } from '../../../../sandbox/graph-api/truth.ts';
import type { World } from '../../../../sandbox/graph-api/world.ts';
import { listOf, standingWorld, startAsking } from './asking.ts';

const accountOf = (world: World, index = 0) => world.accounts[index]?.id ?? '';

function albumOf(world: World) {
  const album = world.accounts[0]?.media.find(({ children }) => children.length > 2);
  return { id: album?.id ?? '', children: album?.children.map(({ id }) => id) ?? [] };
}

describe('simulator condition', () => {
  it('removedMetrics removes a metric from the enums of media and accounts', async () => {
    await using asked = await startAsking();
    asked.world.conditions.set({ removedMetrics: ['views'] });
    const media = asked.world.accounts[0]?.media[0]?.id ?? '';

    const [, , , ofMedia] = await asked.refusal(`/${media}/insights`, { metric: 'reach,views' });
    const [, , , ofAccount] = await asked.refusal(`/${accountOf(asked.world)}/insights`, {
      metric: 'views',
      period: 'day',
    });

    expect(ofMedia).toMatch(/^\(#100\) metric\[1\] must be one of the following values: impress/);
    expect(ofAccount).toMatch(/^\(#100\) metric\[0\] must be one of the following values: reach,/);
    expect(ofMedia).not.toContain(' views,');
    expect(ofAccount).not.toContain(' views,');
  });

  it('refusedMetrics rejects a metric for one media only', async () => {
    await using asked = await startAsking();
    const [first, second] = asked.world.accounts[0]?.media.map(({ id }) => id) ?? [];
    asked.world.conditions.set({ refusedMetrics: { [first ?? '']: ['shares', 'reach'] } });

    const refusal = await asked.refusal(`/${first ?? ''}/insights`, { metric: 'reach,shares' });
    const other = await asked.ask(`/${second ?? ''}/insights`, { metric: 'reach,shares' });

    expect(refusal).toEqual([
      400,
      100,
      undefined,
      '(#100) The Media Insights API does not support the reach, shares metric for this media product type.',
    ]);
    expect(other.status).toBe(200);
  });

  it('deletedMedia hides a deleted post and its children everywhere', async () => {
    await using asked = await startAsking();
    const album = albumOf(asked.world);
    asked.world.conditions.set({ deletedMedia: [album.id] });
    const path = `/${accountOf(asked.world)}`;

    const list = await asked.ask(`${path}/media`, { limit: '100' });
    const user = await asked.ask(path, { fields: 'media_count' });

    expect(listOf(list.body).map(({ id }) => id)).not.toContain(album.id);
    expect(listOf(list.body)).toHaveLength(29);
    expect(user.body['media_count']).toBe(29);
    for (const id of [album.id, album.children[0] ?? '']) {
      expect((await asked.refusal(`/${id}`)).slice(0, 3)).toEqual([400, 100, 33]);
    }
  });

  it('deletedMedia removes a deleted child from its album', async () => {
    await using asked = await startAsking();
    const { id, children } = albumOf(asked.world);
    asked.world.conditions.set({ deletedMedia: children.slice(1, 2) });

    const { body } = await asked.ask(`/${id}/children`);

    expect(listOf(body).map((child) => child['id'])).toEqual(children.filter((_, at) => at !== 1));
  });

  it('brokenChildren fails a page that expands a broken child, names the child, and still lists its id', async () => {
    await using asked = await startAsking();
    const { id, children } = albumOf(asked.world);
    const broken = children[1] ?? '';
    asked.world.conditions.set({ brokenChildren: [broken] });
    const list = `/${accountOf(asked.world)}/media`;

    const page = await asked.refusal(list, { limit: '100', fields: 'children{id,media_url}' });
    const alone = await asked.refusal(`/${broken}`);
    const ids = await asked.ask(`/${id}`, { fields: 'children' });

    expect(page.slice(0, 3)).toEqual([400, 100, 33]);
    expect(page[3]).toContain(`Object with ID '${broken}' does not exist`);
    expect(alone.slice(0, 3)).toEqual([400, 100, 33]);
    expect(listOf(ids.body['children'] as JsonObject)).toHaveLength(children.length);
  });

  it.each([
    ['copyright-check', 9005],
    ['discovery-only', 36_104],
  ] as const)(
    'fatalFields fails a media list that requests a fatal field: %s',
    async (error, code) => {
      await using asked = await startAsking();
      asked.world.conditions.set({ fatalFields: { [accountOf(asked.world)]: { caption: error } } });

      const refusal = await asked.refusal(`/${accountOf(asked.world)}/media`, {
        fields: 'caption',
      });
      const other = await asked.ask(`/${accountOf(asked.world, 1)}/media`, { fields: 'caption' });

      expect(refusal[1]).toBe(code);
      expect(other.status).toBe(200);
    },
  );

  it('deniedAccounts lists an account without permission, and rejects every read of it', async () => {
    await using asked = await startAsking();
    const denied = accountOf(asked.world);
    asked.world.conditions.set({ deniedAccounts: [denied] });
    const media = asked.world.accounts[0]?.media[0]?.id ?? '';

    const pages = await asked.ask('/me/accounts', { fields: 'instagram_business_account{id}' });

    expect(pages.text).toContain(denied);
    for (const path of [`/${denied}`, `/${denied}/media`, `/${media}`, `/${media}/insights`]) {
      expect(await asked.refusal(path, { metric: 'reach' })).toEqual([
        400,
        10,
        undefined,
        '(#10) Application does not have permission for this action',
      ]);
    }
  });

  it.each([
    ['expired', 463, /^Error validating access token: Session has expired on \w+day, \d\d-Feb-26 /],
    ['password', 460, /changed their password/],
    ['checkpoint', 459, /log in to www\.facebook\.com/],
    ['removed', 458, /has not authorized application \d+\.$/],
    ['revoked', 467, /the user logged out/],
  ] as const)('badTokens rejects a token in the case %s', async (trouble, subcode, message) => {
    await using asked = await startAsking();
    asked.world.conditions.set({ badTokens: { [asked.world.token]: trouble } });

    const [status, code, sub, text] = await asked.refusal('/me/accounts');

    expect([status, code, sub]).toEqual([400, 190, subcode]);
    expect(text).toMatch(message);
  });

  it('vanishedAccounts hides an account everywhere', async () => {
    await using asked = await startAsking();
    const gone = accountOf(asked.world);
    asked.world.conditions.set({ vanishedAccounts: [gone] });

    const pages = await asked.ask('/me/accounts', { fields: 'instagram_business_account{id}' });

    expect(pages.text).not.toContain(gone);
    expect((await asked.refusal(`/${gone}/media`)).slice(0, 3)).toEqual([400, 100, 33]);
  });

  it('tooMuchData fails a page above the limit', async () => {
    await using asked = await startAsking();
    asked.world.conditions.set({ tooMuchData: 10 });
    const path = `/${accountOf(asked.world)}/media`;

    expect(await asked.refusal(path, { limit: '11' })).toEqual([
      500,
      1,
      99,
      "Please reduce the amount of data you're asking for, then retry your request",
    ]);
    expect((await asked.ask(path, { limit: '10' })).status).toBe(200);
  });

  it('locale sets the language of the user message, and leaves the message in English', async () => {
    await using asked = await startAsking();
    asked.world.conditions.set({ locale: 'fr' });
    const old = asked.world.accounts[0]?.media.find(({ traits }) => traits.beforeConversion)?.id;

    const { body } = await asked.ask(`/${old ?? ''}/insights`, { metric: 'reach' });

    expect(body['error']).toMatchObject({
      message: 'Invalid parameter',
      error_subcode: 2_108_006,
      error_user_title: 'Contenu publié avant la conversion en compte professionnel',
    });
  });

  it('is changed, read and cleared over HTTP', async () => {
    await using asked = await startAsking();

    const set = await asked.admin('PATCH', 'world', { removedMetrics: ['views'], tooMuchData: 5 });
    const one = await asked.admin('PATCH', 'world', { removedMetrics: null });
    await asked.admin('DELETE', 'world');

    expect(set.body['conditions']).toEqual({ removedMetrics: ['views'], tooMuchData: 5 });
    expect(one.body['conditions']).toEqual({ tooMuchData: 5 });
    expect(asked.world.conditions.spec).toEqual({});
  });

  it.each([
    [{ nonsense: 1 }, /"nonsense", expected one of removedMetrics, /],
    [{ tooMuchData: 0 }, /^tooMuchData: got 0, expected a whole number of at least 1$/],
    [{ badTokens: { x: 'old' } }, /^badTokens\.x: got "old", expected one of expired, password/],
    [{ limits: { account: {} } }, /^limits\.account\.calls: got nothing, expected a whole number/],
    [[], /^body: got \[\], expected a JSON object$/],
  ])('is rejected when it is invalid: %j', async (body, message) => {
    await using asked = await startAsking();

    const answer = await asked.admin('PATCH', 'world', body);

    expect([answer.status, answer.body['error']]).toEqual([400, expect.stringMatching(message)]);
    expect(asked.world.conditions.spec).toEqual({});
  });

  it('is reflected in the truth', () => {
    const world = standingWorld();
    const [first, second] = world.accounts[0]?.media.map(({ id }) => id) ?? [];
    world.conditions.set({
      deletedMedia: [first ?? ''],
      refusedMetrics: { [second ?? '']: ['reach'] },
      removedMetrics: ['views'],
      vanishedAccounts: [accountOf(world, 1)],
    });

    const accounts = truthOf(world)['accounts'] as unknown as readonly JsonObject[];
    const media = accounts[0]?.['media'] as unknown as readonly JsonObject[];

    expect(accounts.map(({ id }) => id)).toEqual([accountOf(world)]);
    expect(media).toHaveLength(29);
    expect(media[0]?.['fields']).toMatchObject({ id: second });
    expect(media[0]?.['insights']).toHaveProperty('likes');
    expect(media[0]?.['insights']).not.toHaveProperty('reach');
    expect(media[0]?.['insights']).not.toHaveProperty('views');
  });
});
