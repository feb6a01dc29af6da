import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import { truthOf } from '../../../../sandbox/graph-api/truth.ts';
import { type Asked, listOf, startAsking, textOf } from './asking.ts';

const accountOf = (asked: Asked, index = 0) => asked.world.accounts[index]?.id ?? '';
const mediaOf = (asked: Asked, index = 0) => asked.world.accounts[0]?.media[index]?.id ?? '';
const truthOfMedia = ({ world }: Asked, id: string) => {
  const [account] = truthOf(world, { comments: true })['accounts'] as unknown as JsonObject[];
  const media = account?.['media'] as unknown as readonly JsonObject[];
  return media.find(({ fields }) => (fields as JsonObject)['id'] === id);
};

describe('simulator condition', () => {
  it.each([
    [
      'kind',
      '(#100) The Media Insights API does not support the reach, shares metric for this media product type.',
    ],
    ['media', '(#100) The metric reach, shares is not supported for this media type'],
    ['plain', '(#100) Les statistiques reach, shares ne sont pas disponibles pour ce contenu'],
    ['nameless', '(#100) The value must be a valid insights metric'],
    ['permission', '(#200) Missing permissions'],
  ] as const)(
    'refusalWording sets the wording of a rejected metric: %s',
    async (refusalWording, message) => {
      await using asked = await startAsking();
      const id = mediaOf(asked);
      asked.world.conditions.set({ refusedMetrics: { [id]: ['reach', 'shares'] }, refusalWording });

      const refusal = await asked.refusal(`/${id}/insights`, { metric: 'reach,likes,shares' });

      const isPermission = refusalWording === 'permission';
      expect(refusal).toEqual([...(isPermission ? [403, 200] : [400, 100]), undefined, message]);
    },
  );

  it.each([
    ['incompatible', 400, 100, '(#100) Incompatible breakdowns (follow_type) for metric (views)'],
    ['enum', 400, 100, '(#100) breakdown[0] must be one of the following values: country, city, '],
    ['unknown', 500, 1, 'An unknown error occurred'],
  ] as const)(
    'refusedBreakdowns rejects a metric by a breakdown, as breakdownRefusal tells: %s',
    async (breakdownRefusal, status, code, message) => {
      await using asked = await startAsking();
      const id = accountOf(asked);
      const total = { period: 'day', metric_type: 'total_value' };
      const views = { ...total, metric: 'views', breakdown: 'follow_type' };
      asked.world.conditions.set({ refusedBreakdowns: { [id]: ['views follow_type'] } });
      asked.world.conditions.set({ breakdownRefusal });
      const refusal = await asked.refusal(`/${id}/insights`, views);
      const other = await asked.ask(`/${id}/insights`, { ...views, metric: 'reach' });

      expect(refusal).toEqual([status, code, undefined, expect.stringContaining(message)]);
      expect(listOf(other.body)).toHaveLength(1);
    },
  );

  it('the audience of a week is smaller than that of a month', async () => {
    await using asked = await startAsking();
    const metric = 'reached_audience_demographics';
    const peopleOf = async (timeframe: string) => {
      const total = { metric, period: 'lifetime', metric_type: 'total_value', timeframe };
      const { text } = await asked.ask(`/${accountOf(asked)}/insights`, {
        ...total,
        breakdown: 'country',
      });
      const values = [...text.matchAll(/"value":(\d+)/g)].map(([, value]) => Number(value));
      return values.reduce((sum, value) => sum + value, 0);
    };
    const [week, month] = [await peopleOf('this_week'), await peopleOf('this_month')];

    expect(week).toBeGreaterThan(0);
    expect(week).toBeLessThan(month / 2);
  });

  it('oddInsights replaces the values of the first metric', async () => {
    await using asked = await startAsking();
    asked.world.conditions.set({ oddInsights: { [mediaOf(asked)]: [{ value: { a: 1 } }] } });

    const { body } = await asked.ask(`/${mediaOf(asked)}/insights`, { metric: 'reach,likes' });

    expect(listOf(body)[0]?.['values']).toEqual([{ value: { a: 1 } }]);
    expect(listOf(body)[1]?.['values']).toEqual([{ value: expect.any(Number) }]);
  });

  it('captions gives a media a caption that ends in half a surrogate pair', async () => {
    await using asked = await startAsking();
    const id = mediaOf(asked);
    await asked.admin('PATCH', 'world', { captions: { [id]: 'Cut \ud83d' } });

    const single = await asked.ask(`/${id}`, { fields: 'caption' });
    const listed = await asked.ask(`/${accountOf(asked)}/media`, { fields: 'caption', limit: '1' });

    expect(single.text).toBe(`{"caption":"Cut \\ud83d","id":"${id}"}`);
    expect(listOf(listed.body)[0]?.['caption']).toBe('Cut \ud83d');
    expect(truthOfMedia(asked, id)?.['fields']).toMatchObject({ caption: 'Cut \ud83d' });
  });

  it('emptyPages lists pages whose account is an empty list', async () => {
    await using asked = await startAsking();
    asked.world.conditions.set({ emptyPages: 2 });

    const { body } = await asked.ask('/me/accounts', {
      fields: 'id,instagram_business_account{id}',
    });

    expect(listOf(body)).toHaveLength(5);
    expect(listOf(body).slice(3)).toEqual([
      { id: '500000000000000', instagram_business_account: [] },
      { id: '500000000000001', instagram_business_account: [] },
    ]);
  });

  it('demographicsTwice returns two entries of one city that add up', async () => {
    await using asked = await startAsking();
    const cities = async () => {
      const { body } = await asked.ask(`/${accountOf(asked)}/insights`, {
        metric: 'follower_demographics',
        period: 'lifetime',
        metric_type: 'total_value',
        breakdown: 'city',
      });
      const { breakdowns } = listOf(body)[0]?.['total_value'] as unknown as {
        breakdowns: [{ results: { dimension_values: [string]; value: number }[] }];
      };
      return breakdowns[0].results;
    };
    const [whole] = await cities();
    asked.world.conditions.set({ demographicsTwice: true });

    const [first, second, third] = await cities();

    expect(second?.dimension_values).toEqual(first?.dimension_values);
    expect(third?.dimension_values).not.toEqual(first?.dimension_values);
    expect((first?.value ?? 0) + (second?.value ?? 0)).toBe(whole?.value);
  });
});

/** A media with a comment that has replies, one of the replies, and another comment. */
function discussed({ world }: Asked) {
  const nowMs = world.clock.now();
  for (const media of world.accounts[0]?.media ?? []) {
    const comments = media.comments(nowMs);
    const comment = comments.find(({ replies }) => replies.length > 1);
    const other = comments.find((one) => one !== comment);
    const [reply] = comment?.replies ?? [];
    if (comment !== undefined && reply !== undefined && other !== undefined) {
      return { id: media.id, comment: comment.id, reply: reply.id, other: other.id };
    }
  }
  throw new Error('no media has a comment with replies, and another');
}

describe('simulator condition for comments', () => {
  it('hiddenComments hides comments and replies in lists, and lists them again when cleared', async () => {
    await using asked = await startAsking();
    const { id, comment, reply, other } = discussed(asked);
    const listed = async () => {
      const fields = 'id,replies{id}';
      const { text } = await asked.ask(`/${id}/comments`, { fields, limit: '50' });
      return [comment, reply, other].map((one) => text.includes(`"${one}"`));
    };
    const count = async () => (await asked.ask(`/${id}`, { fields: 'comments_count' })).body;
    const before = await count();

    asked.world.conditions.set({ hiddenComments: [reply, other] });

    expect(await listed()).toEqual([true, false, false]);
    expect((await asked.refusal(`/${other}`)).slice(0, 3)).toEqual([400, 100, 33]);
    expect(await count()).toEqual(before);
    asked.world.conditions.set({ hiddenComments: null });
    expect(await listed()).toEqual([true, true, true]);
  });

  it('manyComments counts and lists any number of comments, and creates only those that are read', async () => {
    await using asked = await startAsking();
    const id = mediaOf(asked, 20);
    asked.world.conditions.set({ manyComments: { [id]: 130_000 } });
    const list = asked.world.accounts[0]?.media[20]?.manyComments;
    const place = (index: number) => list?.at(index)?.id;

    const first = await asked.ask(`/${id}/comments`, { limit: '50' });
    const { cursors } = first.body['paging'] as unknown as { cursors: { after: string } };
    const second = await asked.ask(`/${id}/comments`, { limit: '50', after: cursors.after });
    const fields = 'comments_count,comments.limit(1){id},insights.metric(comments)';
    const { text } = await asked.ask(`/${id}`, { fields });

    expect([place(0), place(49), place(50), place(99)]).toEqual([
      listOf(first.body)[0]?.['id'],
      listOf(first.body)[49]?.['id'],
      listOf(second.body)[0]?.['id'],
      listOf(second.body)[49]?.['id'],
    ]);
    expect(place(130_000)).toBeUndefined();
    expect(text).toContain('"comments_count":130000');
    expect(text).toContain('"values":[{"value":130000}]');
  });

  it('manyComments ends its list with the oldest comment', async () => {
    await using asked = await startAsking();
    const id = mediaOf(asked, 20);
    asked.world.conditions.set({ manyComments: { [id]: 60 } });

    const first = await asked.ask(`/${id}/comments`, { limit: '50' });
    const paging = first.body['paging'] as unknown as { next: string; cursors: { after: string } };
    const last = await asked.ask(`/${id}/comments`, { limit: '50', after: paging.cursors.after });

    expect(paging.next).toMatch(/^http/);
    expect(listOf(last.body)).toHaveLength(10);
    expect(last.body['paging']).not.toHaveProperty('next');
    const created = asked.world.accounts[0]?.media[20]?.createdAtMs ?? 0;
    expect(Date.parse(textOf(listOf(last.body).at(-1)?.['timestamp']))).toBe(created + 1000);
  });
});
