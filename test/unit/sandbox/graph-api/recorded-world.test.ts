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

  const insight = (id: string, name: string, value: number) => ({
    name,
    period: 'lifetime',
    values: [{ value }],
    title: { reach: 'Reach', views: 'Views' }[name],
    description: {
      reach: 'The number of unique accounts that viewed your content.',
      views: 'The number of times that your content was played or displayed.',
    }[name],
    id: `${id}/insights/${name}/lifetime`,
  });
  const rejected = (
    path: string,
    query: Record<string, string>,
    error: object,
    status = 400,
  ): Exchange => {
    const body = { error: { ...error, fbtrace_id: 'A' } };
    return { ...exchange(path, query, body), response: { status, body } };
  };

  it('answers insights of media as recorded, rejections included', async () => {
    const recording = [
      ...walk,
      exchange(
        `/${newest.id}/insights`,
        { metric: 'reach,views' },
        {
          data: [insight(newest.id, 'reach', 7), insight(newest.id, 'views', 9)],
        },
      ),
      rejected(
        `/${oldest.id}/insights`,
        { metric: 'reach' },
        {
          message: 'Invalid parameter',
          type: 'OAuthException',
          code: 100,
          error_data: { blame_field_specs: [['']] },
          error_subcode: 2108006,
          is_transient: false,
          error_user_title: 'Media posted before business account conversion',
          error_user_msg:
            "The media was posted before the most recent time that the user's account was converted to a business account from a personal account.",
        },
      ),
    ];

    const verified = await verifyRecording(recording);

    expect(verified.flatMap(({ differences }) => differences)).toEqual([]);
  });

  it('answers comments, their replies and the next pages as recorded', async () => {
    const comment = (id: string, more: object = {}) => ({
      id,
      timestamp: '2026-01-02T11:00:00+0000',
      text: 'lorem',
      from: { id: '9', username: 'user.invented.1' },
      ...more,
    });
    const fields = 'id,timestamp,text,from,replies.limit(1){id,timestamp,text,from}';
    const after = '18100000000000003';
    const next = `${host}/${after}/replies?limit=1&fields=id%2Ctimestamp%2Ctext%2Cfrom&access_token=X&after=QVFr`;
    const replies = {
      data: [comment('18100000000000004')],
      paging: { cursors: { before: 'QVFr', after: 'QVFr' }, next },
    };
    const recording = [
      ...walk,
      exchange(
        `/${newest.id}/comments`,
        { fields },
        {
          data: [comment(after, { replies })],
          paging: { cursors: { before: 'QVFd', after: 'QVFd' } },
        },
      ),
      exchange(
        `/${after}/replies`,
        { fields: 'id,timestamp,text,from', limit: '1', after: 'QVFr' },
        {
          data: [comment('18100000000000005')],
          paging: {
            cursors: { before: 'QVFs', after: 'QVFs' },
            previous: next
              .replace('after=QVFr', 'before=QVFs')
              .replace(
                'limit=1&fields=id%2Ctimestamp%2Ctext%2Cfrom',
                'fields=id%2Ctimestamp%2Ctext%2Cfrom&limit=1',
              ),
          },
        },
      ),
    ];

    const verified = await verifyRecording(recording);

    expect(verified.flatMap(({ differences }) => differences)).toEqual([]);
  });

  it('links each account to the page that names it, and shows the lists of businesses', () => {
    const pages = (path: string, ...ids: readonly (readonly [string, string | null])[]) =>
      exchange(
        path,
        { fields: 'id,instagram_business_account{id}' },
        {
          data: ids.map(([id, named]) => ({
            id,
            ...(named !== null && {
              instagram_business_account: { id: named, username: 'somebody' },
            }),
          })),
        },
      );
    const other = '17841400000000002';
    const world = createRecordedWorld([
      pages('/me/accounts', ['100000000000009', null], ['100000000000001', account]),
      exchange('/me/businesses', { fields: 'id' }, { data: [{ id: '300000000000001' }] }),
      pages('/300000000000001/owned_pages', ['100000000000002', other]),
    ]);

    expect(world.accounts.map(({ id, pageId }) => [id, pageId])).toEqual([
      [account, '100000000000001'],
      [other, '100000000000002'],
    ]);
    expect(world.conditions.spec.businesses).toEqual({
      '300000000000001': { owned: ['100000000000002'] },
    });
    expect(world.conditions.spec.unlistedPages).toEqual(['100000000000002']);
  });

  const discovery = (name: string) => ({ fields: `business_discovery.username(${name}){id}` });
  const search = (q: string) => ({ user_id: account, q });
  const others = [
    exchange(`/${account}`, discovery('a'), { business_discovery: { id: '19' }, id: account }),
    exchange(`/${account}`, discovery('gated'), { id: account }),
    rejected(`/${account}`, discovery('nobody'), {
      message: 'Invalid user id',
      type: 'OAuthException',
      code: 110,
      error_subcode: 2207013,
      is_transient: false,
      error_user_title: 'Cannot find User',
      error_user_msg: 'The user with username: nobody cannot be found.',
    }),
    exchange('/ig_hashtag_search', search('x-Y'), { data: [{ id: '17800000000000001' }] }),
    exchange(
      '/17800000000000001/top_media',
      { user_id: account },
      { data: [{ id: oldest.id }], paging: { cursors: { after: 'QVFh' } } },
    ),
    exchange('/17800000000000001/top_media', { user_id: account, after: 'QVFh' }, { data: [] }),
    exchange('/17800000000000001/recent_media', { user_id: account }, { data: [] }),
    rejected(
      '/ig_hashtag_search',
      search('secret'),
      { message: 'An unknown error occurred', type: 'OAuthException', code: 1 },
      500,
    ),
    rejected('/', { batch: '[]' }, { message: 'x', type: 'OAuthException', code: 200 }),
  ];

  it('has no account of a hashtag, of a user of others, or of a rejected batch', () => {
    const { accounts, pages } = createRecordedWorld([...walk, ...others]);

    expect(accounts.map(({ id, user }) => [id, user])).toEqual([
      [account, { id: account, username: 'somebody' }],
    ]);
    expect(pages).toHaveLength(1);
  });

  it('answers hashtags and user names as recorded, unknown and rejected ones included', async () => {
    const known = others.slice(0, -1);
    const verified = await verifyRecording([...walk, ...known]);

    expect(verified.flatMap(({ differences }) => differences)).toEqual([]);
  });

  const counted = (likes: number) =>
    exchange(
      `/${newest.id}`,
      { fields: 'media_type,like_count' },
      { media_type: 'IMAGE', like_count: likes, id: newest.id },
    );
  const commented = (...ids: readonly string[]) => {
    const paging = { cursors: { before: 'QVFd', after: 'QVFd' } };
    return exchange(`/${newest.id}/comments`, {}, { data: ids.map((id) => ({ id })), paging });
  };
  it.each([
    ['a count', counted(3), counted(4)],
    ['a list', commented('181'), commented('182', '181')],
  ])('counts no difference when %s has changed between two requests', async (_, ...changed) => {
    const verified = await verifyRecording([...walk, ...changed]);

    expect(verified.flatMap(({ differences }) => differences)).toEqual([]);
  });

  it('continues a list that the recording leaves before its end', async () => {
    const verified = await verifyRecording(walk.slice(0, 3));

    expect(verified.flatMap(({ differences }) => differences)).toEqual([]);
  });
});
