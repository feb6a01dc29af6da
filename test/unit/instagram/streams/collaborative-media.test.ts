import { describe, expect, test } from '@jest/globals';
import { RetryError } from '../../../../src/engine/errors.ts';
import { createListCaches } from '../../../../src/instagram/extract/extraction.ts';
import { collaborativeMedia } from '../../../../src/instagram/streams/collaborative-media.ts';
import { createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { extractAll } from '../extract/extracting.ts';
import { mappedTo, origin, provenance, requestsOf } from './requests.ts';

describe('the stream collaborative_media', () => {
  test('requests the list with every field of the edge, and no insights', async () => {
    expect(await requestsOf(collaborativeMedia, { listed: [{ id: '1' }] })).toEqual([
      {
        path: '/17841400000000001/collaborative_media',
        query: {
          fields:
            'id,media_type,media_product_type,media_url,permalink,thumbnail_url,timestamp,username,caption,comments_count,like_count,reposts_count,saved_count,shares_count,total_like_count,total_comments_count,total_views_count',
          limit: '100',
        },
      },
    ]);
  });

  test('maps fields that the API leaves out to null', () => {
    expect(collaborativeMedia.toRecord({ id: '1', username: 'owner' }, origin)).toEqual(
      mappedTo({
        ...provenance,
        id: '1',
        username: 'owner',
        media_type: null,
        media_product_type: null,
        media_url: null,
        permalink: null,
        thumbnail_url: null,
        timestamp: null,
        caption: null,
        comments_count: null,
        like_count: null,
        reposts_count: null,
        saved_count: null,
        shares_count: null,
        total_like_count: null,
        total_comments_count: null,
        total_views_count: null,
      }),
    );
  });

  test('halves its pages while Meta rejects them as too much data, and begins the next poll near that size', async () => {
    const tooMuch = new RetryError('graph.too-much-data', 'Please reduce the amount of data');
    const graph = createFakeGraph(({ query }) =>
      Number(query['limit']) > 15 ? tooMuch : pageOf([{ id: '1' }]),
    );
    const caches = createListCaches(100);
    const first = await extractAll(collaborativeMedia, graph, { caches });
    const second = await extractAll(collaborativeMedia, graph, { caches });

    expect([first.error, second.error]).toEqual([undefined, undefined]);
    expect(graph.queries.map(({ limit }) => limit)).toEqual(['100', '50', '25', '13', '19', '13']);
  });
});
