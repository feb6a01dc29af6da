/**
 * Meta's errors, written down as literals: status, order of keys, codes, messages. Each comment
 * says when an error was seen, and whether it was recorded or observed.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ShapeSite, keysOf, openShapeSite } from './shape-site.ts';

/** A trace id; no two errors share one. */
const trace = expect.stringMatching(/^A[\w-]{22}$/);

let site: ShapeSite;

beforeAll(async () => {
  site = await openShapeSite();
});

afterAll(async () => {
  await site.asked[Symbol.asyncDispose]();
});

/** A request for insights, and the error that rejects it. */
interface Case {
  readonly media: 'reel' | 'feedVideo' | 'story' | 'converted';
  readonly metric: string;
  readonly error: Readonly<Record<string, unknown>>;
}

describe('simulator error, as recorded from', () => {
  it.each<[string, Case]>([
    [
      // Observed 2026-09-22, v26.0.
      'metrics of another media type',
      {
        media: 'reel',
        metric: 'reach,profile_visits,follows',
        error: {
          message:
            '(#100) The Media Insights API does not support the profile_visits, follows metric for this media product type.',
          type: 'OAuthException',
          code: 100,
          fbtrace_id: trace,
        },
      },
    ],
    [
      // Observed 2026-07-10, media of 2022.
      'an old feed video',
      {
        media: 'feedVideo',
        metric: 'reach,views,likes,comments,saved,shares,total_interactions',
        error: {
          message:
            '(#100) The Media Insights API does not support the views, likes, comments, shares, total_interactions metric for this media product type.',
          type: 'OAuthException',
          code: 100,
          fbtrace_id: trace,
        },
      },
    ],
    [
      // Recorded; the long envelope.
      'a media from before the conversion',
      {
        media: 'converted',
        metric: 'reach',
        error: {
          message: 'Invalid parameter',
          type: 'OAuthException',
          code: 100,
          error_data: { blame_field_specs: [['']] },
          error_subcode: 2_108_006,
          is_transient: false,
          error_user_title: 'Media posted before business account conversion',
          error_user_msg:
            "The media was posted before the most recent time that the user's account was converted to a business account from a personal account.",
          fbtrace_id: trace,
        },
      },
    ],
  ])('graph.facebook.com: %s', async (_, { media, metric, error }) => {
    const answer = await site.get(`/${site[media]}/insights`, { metric });

    expect([answer.status, answer.body]).toEqual([400, { error }]);
    expect(keysOf(answer.body['error'])).toEqual(keysOf(error));
  });

  it.each<[string, Case]>([
    [
      // Recorded 2026-09, v26.0: without "(#100) ".
      'unknown metrics',
      {
        media: 'reel',
        metric: 'impressions',
        error: {
          message:
            'The Media Insights API does not support the impressions metric for this media product type.',
          type: 'IGApiException',
          code: 100,
          fbtrace_id: trace,
        },
      },
    ],
    [
      // Observed 2026-08-04.
      'metrics of posts for a story',
      {
        media: 'story',
        metric: 'likes,comments,saved',
        error: {
          message:
            'The Media Insights API does not support the likes, comments, saved metric for this media product type.',
          type: 'IGApiException',
          code: 100,
          fbtrace_id: trace,
        },
      },
    ],
    [
      // Recorded: the sentence is the message, there is no title.
      'a media from before the conversion',
      {
        media: 'converted',
        metric: 'reach',
        error: {
          message:
            "The media was posted before the most recent time that the user's account was converted to a business account from a personal account.",
          type: 'IGApiException',
          code: 100,
          error_subcode: 2_108_006,
          fbtrace_id: trace,
        },
      },
    ],
  ])('graph.instagram.com: %s', async (_, { media, metric, error }) => {
    const query = { metric, ...site.instagram };
    const answer = await site.get(`/${site[media]}/insights`, query);

    expect([answer.status, answer.body]).toEqual([400, { error }]);
    expect(keysOf(answer.body['error'])).toEqual(keysOf(error));
  });

  // Recorded 2026-09, v26.0.
  it('graph.instagram.com: a media from before the conversion, in the language of the account', async () => {
    site.asked.world.conditions.set({ locale: 'pt' });
    const query = { metric: 'reach', ...site.instagram };

    const { body } = await site.get(`/${site.converted}/insights`, query);

    site.asked.world.conditions.clear();
    expect(body['error']).toEqual({
      message:
        'Os conteúdos multimédia foram publicados antes da hora mais recente em que a conta do utilizador foi convertida numa conta comercial a partir de uma conta pessoal.',
      type: 'IGApiException',
      code: 100,
      error_subcode: 2_108_006,
      fbtrace_id: trace,
    });
  });

  // Observed 2026-05-08 and 2026-09-01.
  it('graph.facebook.com: facebook_views of a media that is not on Facebook', async () => {
    const path = `/${site.notOnFacebook}/insights`;

    expect(await site.asked.refusal(path, { metric: 'facebook_views' })).toEqual([
      400,
      -1,
      2_207_086,
      'Fatal',
    ]);
  });

  // Observed 2026-09-26, v26.0.
  it('graph.facebook.com: business discovery of an unknown name', async () => {
    const fields = 'business_discovery.username(nobody){followers_count}';

    expect(await site.asked.refusal(`/${site.account}`, { fields })).toEqual([
      400,
      110,
      2_207_013,
      'Invalid user id',
    ]);
  });

  // Observed 2026-08-10 to 2026-10-06 on both hosts; the type is an assumption.
  it.each([false, true])('both hosts: ids at the root, Instagram Login: %s', async (instagram) => {
    const query = { ids: '18000000000000001,18000000000000002', fields: 'id' };

    const answer = await site.get('/', { ...query, ...(instagram ? site.instagram : {}) });

    expect([answer.status, answer.body['error']]).toEqual([
      500,
      {
        message: 'The ids query parameter is deprecated in v26.0+',
        type: 'OAuthException',
        code: 100,
        fbtrace_id: trace,
      },
    ]);
  });
});
