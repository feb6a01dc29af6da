import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Asked, NOW, startAsking } from './asking.ts';

const DAY_MS = 86_400_000;
const day = (offset: number) =>
  new Date(Date.parse(NOW) + offset * DAY_MS).toISOString().slice(0, 10);

/** The parameters of one request and the message that rejects it. */
type Case = readonly [name: string, parameters: Record<string, string>, message: string];

describe('simulator rejections', () => {
  let asked: Asked;
  let account: string;

  beforeAll(async () => {
    asked = await startAsking();
    account = asked.world.accounts[0]?.id ?? '';
  });

  afterAll(async () => {
    await asked[Symbol.asyncDispose]();
  });

  const userCases: readonly Case[] = [
    [
      'name the first unknown metric before any other error',
      { metric: 'reach,impressions,nonsense', period: 'nonsense' },
      '(#100) metric[1] must be one of the following values: reach, follower_count, website_clicks,',
    ],
    [
      'list only the metrics that lack metric_type',
      { metric: 'reach,views,likes', period: 'day' },
      '(#100) The following metrics (views,likes) should be specified with parameter metric_type=total_value',
    ],
    [
      'apply to a period that a metric lacks',
      { metric: 'online_followers', period: 'day' },
      '(#100) The following periods (day) are incompatible with the metric (online_followers)',
    ],
    [
      'apply to a window of more than 30 days',
      { metric: 'reach', period: 'day', since: day(-40), until: day(-5) },
      '(#100) There cannot be more than 30 days (2592000 s) between since and until.',
    ],
    [
      'apply to follower_count before the last 30 days',
      { metric: 'follower_count', period: 'day', since: day(-50), until: day(-40) },
      '(#100) (follower_count) metric only supports querying data for the last 30 days excluding the current day',
    ],
    [
      'apply to days older than two years',
      { metric: 'reach', period: 'day', since: day(-800), until: day(-790) },
      '(#100) since param is not valid. Metrics data is available for the last 2 years',
    ],
    [
      'apply to a breakdown that a metric lacks',
      { metric: 'likes', period: 'day', metric_type: 'total_value', breakdown: 'country' },
      '(#100) Incompatible breakdowns (country) for metric (likes)',
    ],
  ];

  it.each(userCases)('of account insights %s', async (_, parameters, message) => {
    const [status, code, , came] = await asked.refusal(`/${account}/insights`, parameters);

    expect([status, code]).toEqual([400, 100]);
    expect(String(came)).toContain(message);
  });

  const mediaOf = (product: string, before = false) =>
    asked.world.accounts[0]?.media.find(
      ({ productType, traits }) => productType === product && traits.beforeConversion === before,
    )?.id ?? '';

  it('name every metric that a reel does not have', async () => {
    const refusal = await asked.refusal(`/${mediaOf('REELS')}/insights`, {
      metric: 'reach,follows,profile_visits',
    });

    expect(refusal).toEqual([
      400,
      100,
      undefined,
      '(#100) The Media Insights API does not support the follows, profile_visits metric for this media product type.',
    ]);
  });

  it('apply to a whole page that nests insights of a media from before the conversion', async () => {
    const refusal = await asked.refusal(`/${account}/media`, {
      limit: '30',
      fields: 'id,insights.metric(reach)',
    });

    expect(refusal).toEqual([400, 100, 2_108_006, 'Invalid parameter']);
  });

  it('are absent for an empty list, whatever fields are requested', async () => {
    const { text } = await asked.ask(`/${account}/media`, {
      since: '2001-01-01',
      until: '2001-01-02',
      fields: 'nonsense,insights.metric(nonsense)',
    });

    expect(text).toBe('{"data":[]}');
  });

  it('apply to an unknown field when the list has a node', async () => {
    expect(await asked.refusal(`/${account}/media`, { fields: 'id,video_duration' })).toEqual([
      400,
      100,
      undefined,
      '(#100) Tried accessing nonexisting field (video_duration)',
    ]);
  });

  it.each([
    ['the root on graph.facebook.com', false, ''],
    ['an edge on graph.facebook.com', false, 'media'],
    ['the root on graph.instagram.com', true, ''],
    ['an edge on graph.instagram.com', true, 'media'],
  ])('of ids are server errors: %s', async (_, instagram, edge) => {
    const token = asked.world.accounts[0]?.instagramToken ?? '';
    const path = edge === '' ? '/' : `/${account}/${edge}`;

    const { status, body } = await asked.ask(path, {
      ids: account,
      ...(instagram ? { access_token: token } : {}),
    });

    expect([status, body]).toEqual([
      500,
      {
        error: {
          message: 'The ids query parameter is deprecated in v26.0+',
          type: 'OAuthException',
          code: 100,
          fbtrace_id: expect.stringMatching(/^A[\w-]{22}$/),
        },
      },
    ]);
  });

  it('apply to insights of a story with fewer than five viewers', async () => {
    const unseen = asked.world.accounts[0]?.stories.find(
      (story) => (story.insights(Date.parse(NOW))?.['reach'] ?? 0) < 5,
    );

    expect(await asked.refusal(`/${unseen?.id ?? ''}/insights`, { metric: 'reach' })).toEqual([
      400,
      10,
      undefined,
      '(#10) Not enough viewers for the media to show insights',
    ]);
  });

  it('treat an object of another account as unknown', async () => {
    const token = asked.world.accounts[1]?.instagramToken ?? '';
    const [status, code, subcode] = await asked.refusal(`/${account}`, { access_token: token });

    expect([status, code, subcode]).toEqual([400, 100, 33]);
  });

  it.each([
    ['an unknown token', 'EAAGnonsense', 190],
    ['a missing token', '', 104],
  ])('apply to %s', async (_, token, code) => {
    const { status, body, headers } = await asked.ask(`/${account}`, { access_token: token });

    expect([status, (body['error'] as { code: number }).code]).toEqual([400, code]);
    expect(headers.get('www-authenticate')).toMatch(/^OAuth "Facebook Platform" "invalid_/);
  });

  it('use the wording of Instagram Login on graph.instagram.com', async () => {
    const token = asked.world.accounts[0]?.instagramToken ?? '';
    const { body } = await asked.ask(`/${mediaOf('REELS')}/insights`, {
      metric: 'follows',
      access_token: token,
    });
    const silent = await asked.ask(`/${account}/insights`, {
      metric: 'views',
      period: 'day',
      access_token: token,
    });

    expect(body['error']).toMatchObject({
      type: 'IGApiException',
      message:
        'The Media Insights API does not support the follows metric for this media product type.',
    });
    expect(silent.text).toBe('{"data":[]}');
  });
});
