import { describe, expect, it } from '@jest/globals';
import {
  type Exchange,
  createRecordedWorld,
} from '../../../../sandbox/graph-api/recorded-world.ts';
import { verifyRecording } from '../../../../sandbox/recordings/verify.ts';

const account = '17841400000000001';
const host = 'https://graph.facebook.com/v23.0';

function exchange(path: string, query: Record<string, string>, body: unknown): Exchange {
  return {
    request: { method: 'GET', path: `/v23.0${path}`, query },
    response: { status: 200, body: body as Exchange['response']['body'] },
  };
}

const newest = {
  id: '18000000000000002',
  caption: 'Zürich 🏔',
  timestamp: '2026-01-02T10:00:00+0000',
};
const oldest = { id: '18000000000000001', timestamp: '2026-01-01T10:00:00+0000' };
const walk = [
  exchange(
    '/me/accounts',
    { fields: 'id' },
    {
      data: [{ id: '100000000000001' }],
      paging: { cursors: { before: 'QVFa', after: 'QVFa' } },
    },
  ),
  exchange(`/${account}`, { fields: 'username,id' }, { username: 'somebody', id: account }),
  exchange(
    `/${account}/media`,
    { limit: '1', fields: 'id,caption,timestamp' },
    {
      data: [newest],
      paging: {
        cursors: { before: 'QVFb', after: 'QVFb' },
        next: `${host}/${account}/media?limit=1&fields=id%2Ccaption%2Ctimestamp&access_token=X&after=QVFb`,
      },
    },
  ),
  exchange(
    `/${account}/media`,
    { limit: '1', fields: 'id,caption,timestamp', after: 'QVFb' },
    {
      data: [oldest],
      paging: {
        cursors: { before: 'QVFc', after: 'QVFc' },
        previous: `${host}/${account}/media?limit=1&fields=id%2Ccaption%2Ctimestamp&access_token=X&before=QVFc`,
      },
    },
  ),
];

describe('simulator world from a recording', () => {
  it('holds the accounts, pages and media of the recorded bodies', () => {
    const world = createRecordedWorld(walk);

    expect(world.accounts.map(({ id, pageId }) => [id, pageId])).toEqual([
      [account, '100000000000001'],
    ]);
    expect(world.accounts[0]?.user).toEqual({ id: account, username: 'somebody' });
    expect(world.accounts[0]?.media.map((media) => media.fields(0))).toEqual([newest, oldest]);
  });

  it('answers the recorded requests as recorded, cursors included', async () => {
    const verified = await verifyRecording(walk);

    expect(verified.map(({ differences }) => differences)).toEqual([[], [], [], []]);
  });

  it.each([
    ['another key order', { id: account, username: 'somebody' }, 'the keys id, username'],
    ['a key that no body of the world has', { username: 'somebody', id: account, x: 1 }, 'x'],
  ])('reports a difference: %s', async (_, body, difference) => {
    const changed = exchange(`/${account}`, { fields: 'username,id' }, body);
    const verified = await verifyRecording([...walk.slice(1), changed]);

    expect(verified.at(-1)?.differences.join()).toContain(difference);
  });

  it('reports an error with another message', async () => {
    const refused: Exchange = {
      ...exchange(
        `/${account}/feed`,
        {},
        {
          error: {
            message: '(#100) Other words',
            type: 'OAuthException',
            code: 100,
            fbtrace_id: 'A',
          },
        },
      ),
      response: {
        status: 400,
        body: {
          error: {
            message: '(#100) Other words',
            type: 'OAuthException',
            code: 100,
            fbtrace_id: 'A',
          },
        },
      },
    };
    const verified = await verifyRecording([...walk, refused]);

    expect(verified.at(-1)?.differences).toEqual([
      '.error.message: recorded "(#100) Other words", received "(#100) Tried accessing nonexisting field (feed)"',
    ]);
  });

  it('answers audiences, media by id and children as recorded, whatever the URL signatures', async () => {
    const insights = (query: Record<string, string>, entry: object) =>
      exchange(`/${account}/insights`, query, { data: [entry] });
    const audience = { metric: 'follower_demographics', period: 'lifetime' };
    const recording = [
      ...walk,
      insights(
        { ...audience, metric_type: 'total_value', breakdown: 'city' },
        {
          name: 'follower_demographics',
          period: 'lifetime',
          title: 'Follower demographics',
          description:
            'The demographic characteristics of followers, including countries, cities and gender distribution.',
          total_value: {
            breakdowns: [
              {
                dimension_keys: ['city'],
                results: [{ dimension_values: ['Lyon, Rhône-Alpes'], value: 7 }],
              },
            ],
          },
          id: `${account}/insights/follower_demographics/lifetime`,
        },
      ),
      exchange(
        `/${newest.id}`,
        { fields: 'media_type,media_url' },
        { media_type: 'IMAGE', media_url: 'https://a.example/1.jpg?sig=1', id: newest.id },
      ),
      exchange(
        `/${newest.id}`,
        { fields: 'media_type,media_url' },
        { media_type: 'IMAGE', media_url: 'https://b.example/1.jpg?sig=2', id: newest.id },
      ),
      exchange(`/${newest.id}/children`, {}, { data: [{ id: '18000000000000009' }] }),
    ];

    const verified = await verifyRecording(recording);

    expect(verified.flatMap(({ differences }) => differences)).toEqual([]);
  });

  it('answers as unknown an object that the recording answered as unknown', async () => {
    const gone = '18000000000000077';
    const refused: Exchange = {
      ...exchange(`/${gone}`, {}, {}),
      response: {
        status: 400,
        body: {
          error: {
            message: `Unsupported get request. Object with ID '${gone}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api`,
            type: 'GraphMethodException',
            code: 100,
            error_subcode: 33,
            fbtrace_id: 'A',
          },
        },
      },
    };

    const verified = await verifyRecording([...walk, refused]);

    expect(verified.at(-1)?.differences).toEqual([]);
  });
});
