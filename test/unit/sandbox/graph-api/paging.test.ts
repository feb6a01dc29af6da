import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import { standingWorld, startAsking } from './asking.ts';

interface Page {
  readonly data: readonly { readonly id: string }[];
  readonly paging?: {
    readonly cursors: { readonly before: string; readonly after: string };
    readonly next?: string;
    readonly previous?: string;
  };
}

function page(body: JsonObject): Page {
  return body as unknown as Page;
}

describe('simulator paging', () => {
  it('has no previous on the first page, no next on the last page, and cursors on both', async () => {
    await using asked = await startAsking();
    const path = `/${asked.world.accounts[0]?.id ?? ''}/media`;

    const first = page((await asked.ask(path, { limit: '20' })).body);
    const after = first.paging?.cursors.after ?? '';
    const last = page((await asked.ask(path, { limit: '20', after })).body);

    expect(Object.keys(first.paging ?? {})).toEqual(['cursors', 'next']);
    expect(Object.keys(last.paging ?? {})).toEqual(['cursors', 'previous']);
    expect([first.data.length, last.data.length]).toEqual([20, 10]);
    const ids = [...first.data, ...last.data].map(({ id }) => id);
    expect(ids).toEqual(asked.world.accounts[0]?.media.map(({ id }) => id));
  });

  it('is absent from an empty list', async () => {
    await using asked = await startAsking(standingWorld({ storiesPerAccount: 0 }));

    const { text } = await asked.ask(`/${asked.world.accounts[0]?.id ?? ''}/stories`);

    expect(text).toBe('{"data":[]}');
  });

  it('puts the token and every parameter, and then the cursor, into next', async () => {
    await using asked = await startAsking();

    const { body } = await asked.ask(`/${asked.world.accounts[0]?.id ?? ''}/media`, {
      fields: 'id,caption',
      limit: '5',
    });

    const { searchParams } = new URL(page(body).paging?.next ?? '');
    expect([...searchParams.keys()]).toEqual(['fields', 'limit', 'access_token', 'after']);
    expect(searchParams.get('access_token')).toBe(asked.world.token);
  });

  it('resumes at the item of the cursor, whatever is posted meanwhile', async () => {
    await using asked = await startAsking(standingWorld({ postsPerDay: 24 }));
    const path = `/${asked.world.accounts[0]?.id ?? ''}/media`;
    const old = asked.world.accounts[0]?.media.map(({ id }) => id) ?? [];
    const first = page((await asked.ask(path, { limit: '10' })).body);

    asked.world.clock.advance(6 * 3_600_000);
    const after = first.paging?.cursors.after ?? '';
    const second = page((await asked.ask(path, { limit: '10', after })).body);

    expect(second.data.map(({ id }) => id)).toEqual(old.slice(10, 20));
    expect(asked.world.accounts[0]?.media.length).toBeGreaterThan(old.length);
  });

  it('includes short and empty pages with a next in a sparse world', async () => {
    await using asked = await startAsking(standingWorld({ sparsePages: true }));
    const path = `/${asked.world.accounts[0]?.id ?? ''}/media`;
    const sizes: number[] = [];
    const ids: string[] = [];
    let after = '';
    for (let more = true; more;) {
      const { data, paging } = page(
        (await asked.ask(path, { limit: '8', ...(after && { after }) })).body,
      );
      sizes.push(data.length);
      ids.push(...data.map(({ id }) => id));
      more = paging?.next !== undefined;
      after = paging?.cursors.after ?? '';
    }

    expect(sizes).toContain(0);
    expect(new Set(sizes).size).toBeGreaterThan(2);
    expect(ids).toEqual(asked.world.accounts[0]?.media.map(({ id }) => id));
  });

  it.each([1, 2, 3, 7, 12, 29])(
    'resumes after %i items when the last of them was deleted meanwhile',
    async (limit) => {
      await using asked = await startAsking();
      const [account] = asked.world.accounts;
      const { id = '', media = [] } = account ?? {};
      const path = `/${id}/media`;
      const first = await asked.ask(path, { limit: String(limit) });
      const { after } = (first.body['paging'] as unknown as { cursors: { after: string } }).cursors;
      asked.world.conditions.set({ deletedMedia: [media[limit - 1]?.id ?? ''] });

      const { body } = await asked.ask(path, { limit: '1', after });

      expect(body['data']).toEqual([{ id: media[limit]?.id }]);
    },
  );
});
