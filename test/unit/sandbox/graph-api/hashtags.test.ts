import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import { type Asked, listOf, startAsking, textOf } from './asking.ts';

const DAY_MS = 86_400_000;

const accountOf = (asked: Asked, index = 0) => asked.world.accounts[index]?.id ?? '';

const search = (asked: Asked, q: string, account = accountOf(asked)) =>
  asked.ask('/ig_hashtag_search', { user_id: account, q });

async function idOf(asked: Asked, q: string): Promise<string> {
  const [found] = listOf((await search(asked, q)).body);
  return textOf(found?.['id']);
}

/** Gives the newest posts of an account a caption with a hashtag. */
function caption({ world }: Asked, count: number, text: string): readonly string[] {
  const ids = (world.accounts[0]?.media ?? []).slice(0, count).map(({ id }) => id);
  world.conditions.set({ captions: Object.fromEntries(ids.map((id) => [id, text])) });
  return ids;
}

describe('simulator hashtags', () => {
  it('have one id for all accounts, and count as calls of the app', async () => {
    await using asked = await startAsking();
    const first = await search(asked, 'coke');
    const second = await search(asked, 'Coke', accountOf(asked, 1));

    expect(first.status).toBe(200);
    expect(first.body).toEqual(second.body);
    expect(Object.keys(listOf(first.body)[0] ?? {})).toEqual(['id']);
    expect(first.headers.get('x-app-usage')).not.toBeNull();
    expect(first.headers.get('x-business-use-case-usage')).toBeNull();
  });

  it('are thirty in seven days for each account, and the same one again is free', async () => {
    await using asked = await startAsking();
    for (let index = 0; index < 30; index += 1) await search(asked, `tag${index}`);

    expect((await search(asked, 'tag0')).status).toBe(200);
    expect((await search(asked, 'new')).status).toBe(400);
    expect((await search(asked, 'new', accountOf(asked, 1))).status).toBe(200);
    asked.world.clock.advance(7 * DAY_MS);
    expect((await search(asked, 'new')).status).toBe(200);
  });

  it.each([
    ['parameter', [400, 100, undefined, '(#100) Invalid parameter']],
    ['server', [500, 1, undefined, 'An unknown error occurred']],
  ] as const)('are rejected by the error "%s" when they are sensitive', async (how, refusal) => {
    await using asked = await startAsking();
    asked.world.conditions.set({ sensitiveHashtags: ['secret'], hashtagRefusal: how });
    const parameters = { user_id: accountOf(asked), q: 'Secret' };

    expect(await asked.refusal('/ig_hashtag_search', parameters)).toEqual(refusal);
  });

  it('list media without the user, with the same cursor on each page', async () => {
    await using asked = await startAsking();
    const ids = caption(asked, 5, 'A #Coke day');
    const id = await idOf(asked, 'coke');
    const parameters = { user_id: accountOf(asked), fields: 'id,username,caption', limit: '3' };
    const pages: JsonObject[] = [];
    for (let after = ''; pages.length < 3; after = 'QVFIUhashtag') {
      const cursor = after === '' ? {} : { after };
      pages.push((await asked.ask(`/${id}/top_media`, { ...parameters, ...cursor })).body);
    }
    const found = pages.flatMap((page) => listOf(page));

    expect(pages.map(({ paging }) => paging)).toEqual([
      { cursors: { after: 'QVFIUhashtag' } },
      { cursors: { after: 'QVFIUhashtag' } },
      undefined,
    ]);
    expect(found.map((media) => media['id']).toSorted()).toEqual([...ids].toSorted());
    expect(found.every((media) => !('username' in media))).toBe(true);
  });

  it('need a search before their lists, and no Instagram Login', async () => {
    await using asked = await startAsking();
    const user_id = accountOf(asked);
    const access_token = asked.world.accounts[0]?.instagramToken ?? '';

    expect(await asked.refusal('/17841593698074073/recent_media', { user_id })).toContain(33);
    expect((await asked.refusal('/ig_hashtag_search', { user_id, q: 'a', access_token }))[0]).toBe(
      400,
    );
  });
});
