import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import { truthOf } from '../../../../sandbox/graph-api/truth.ts';
import { type Asked, standingWorld, startAsking, textOf } from './asking.ts';

const HOUR_MS = 3_600_000;

const isFeedVideo = (fields: JsonObject) =>
  fields['media_type'] === 'VIDEO' && fields['media_product_type'] === 'FEED';
const feedVideos = ({ world }: Asked) => {
  const [account] = truthOf(world)['accounts'] as unknown as readonly JsonObject[];
  const media = account?.['media'] as unknown as readonly JsonObject[];
  return media.filter(({ fields }) => isFeedVideo(fields as JsonObject));
};

describe('simulator metrics by media type', () => {
  it('are only reach and saved for the two old feed videos', async () => {
    await using asked = await startAsking();
    const [first, second, ...others] = feedVideos(asked);
    const id = textOf((first?.['fields'] as JsonObject)['id']);

    const refusal = await asked.refusal(`/${id}/insights`, {
      metric: 'reach,views,likes,comments,saved,shares,total_interactions',
    });
    const { status } = await asked.ask(`/${id}/insights`, { metric: 'reach,saved' });

    expect(refusal).toEqual([
      400,
      100,
      undefined,
      '(#100) The Media Insights API does not support the views, likes, comments, shares, total_interactions metric for this media product type.',
    ]);
    expect(status).toBe(200);
    expect(Object.keys(first?.['insights'] as JsonObject)).toEqual(['reach', 'saved']);
    expect([first?.['before_conversion'], second?.['before_conversion']]).toEqual([false, false]);
    expect(others).toEqual([]);
  });

  it('include two feed videos right after the posts from before the conversion', () => {
    const { media = [] } = standingWorld().accounts[0] ?? {};

    expect(media.slice(-6).map((one) => isFeedVideo(one.fields(0)))).toEqual([
      ...[false, true, true],
      ...[false, false, false],
    ]);
    expect(media.slice(-3).every(({ traits }) => traits.beforeConversion)).toBe(true);
  });

  it('include no feed video with oldFeedVideos 0, nor among new posts', () => {
    const world = standingWorld({ oldFeedVideos: 0 });
    world.clock.advance(20 * 24 * HOUR_MS);
    const { media = [] } = world.accounts[0] ?? {};

    expect(media.length).toBeGreaterThan(60);
    expect(media.filter((one) => isFeedVideo(one.fields(0)))).toEqual([]);
  });

  it('lack facebook_views in the truth of media that are not on Facebook', () => {
    const world = standingWorld();
    const [account] = truthOf(world)['accounts'] as unknown as readonly JsonObject[];
    const truths = account?.['media'] as unknown as readonly { insights: JsonObject }[];
    const reels = (world.accounts[0]?.media ?? []).flatMap(({ productType, traits }, index) =>
      productType === 'REELS' ? [{ traits, insights: truths[index]?.insights ?? {} }] : [],
    );

    expect(new Set(reels.map(({ traits }) => traits.onFacebook))).toEqual(new Set([true, false]));
    expect(reels.map(({ insights }) => 'facebook_views' in insights)).toEqual(
      reels.map(({ traits }) => traits.onFacebook),
    );
  });

  it.each([
    [
      'REELS',
      'follows,profile_visits,profile_activity,navigation,replies,link_clicks',
      'follows, profile_visits, profile_activity, navigation, replies, link_clicks',
    ],
    [
      'FEED',
      'ig_reels_avg_watch_time,ig_reels_video_view_total_time,reels_skip_rate,crossposted_views,navigation,replies',
      'ig_reels_avg_watch_time, ig_reels_video_view_total_time, reels_skip_rate, crossposted_views, navigation, replies',
    ],
    [
      'STORY',
      'likes,comments,saved,total_likes,total_comments,reels_skip_rate',
      'likes, comments, saved, total_likes, total_comments, reels_skip_rate',
    ],
  ])('of other types are rejected for a %s in one message', async (product, metric, names) => {
    await using asked = await startAsking();
    const { media = [], stories = [] } = asked.world.accounts[0] ?? {};
    const found = [...media, ...stories.slice(-1)].find((one) => one.productType === product);

    const [, , , message] = await asked.refusal(`/${found?.id ?? ''}/insights`, {
      metric: `reach,${metric}`,
    });

    expect(message).toBe(
      `(#100) The Media Insights API does not support the ${names} metric for this media product type.`,
    );
  });
});

describe('simulator counts', () => {
  const PAIRS = [
    ['like_count', 'likes'],
    ['comments_count', 'comments'],
    ['saved_count', 'saved'],
    ['shares_count', 'shares'],
    ['reposts_count', 'reposts'],
    ['total_like_count', 'total_likes'],
    ['total_comments_count', 'total_comments'],
    ['total_views_count', 'total_views'],
  ] as const;

  it('equal the metrics of the same moment, for every post at any age', () => {
    const world = standingWorld();
    const startMs = world.clock.now();
    const posts = world.accounts.flatMap(({ media }) => media);

    const differing = posts.flatMap((post) =>
      [0, 1, 5, 24, 500].flatMap((hours) => {
        const nowMs = startMs + hours * HOUR_MS;
        const [fields, metrics] = [post.fields(nowMs), post.insights(nowMs) ?? {}];
        return PAIRS.filter(
          ([count, metric]) =>
            count in fields && metric in metrics && fields[count] !== metrics[metric],
        ).map(([count]) => `${post.id} ${count} after ${hours} h`);
      }),
    );

    expect(differing).toEqual([]);
  });

  it('of comments are zero when comments are off', () => {
    const nowMs = standingWorld().clock.now();
    const closed = standingWorld().accounts.flatMap(({ media }) =>
      media.filter((one) => one.fields(nowMs)['is_comment_enabled'] === false),
    );

    expect(closed.length).toBeGreaterThan(2);
    expect(closed.map((one) => one.fields(nowMs)['comments_count'])).toEqual(closed.map(() => 0));
  });

  it('equal the nested metrics in a page of the media list', async () => {
    await using asked = await startAsking();

    const { body } = await asked.ask(`/${asked.world.accounts[0]?.id ?? ''}/media`, {
      fields:
        'like_count,comments_count,saved_count,shares_count,reposts_count,insights.metric(likes,comments,saved,shares,reposts)',
      limit: '9',
    });
    const nodes = body['data'] as unknown as readonly {
      [count: string]: number | undefined;
      insights: never;
    }[];

    const values = nodes.map(({ insights }) =>
      (insights as { data: { values: [{ value: number }] }[] }).data.map(
        (metric) => metric.values[0].value,
      ),
    );
    expect(values.map(([, ...others]) => others)).toEqual(
      nodes.map((node) =>
        ['comments_count', 'saved_count', 'shares_count', 'reposts_count'].map(
          (count) => node[count],
        ),
      ),
    );
    // Likes that the owner hides are not in the list.
    expect(nodes.map((node) => node['like_count'])).toEqual(
      values.map(([likes], index) => (index === 5 ? undefined : likes)),
    );
  });
});
