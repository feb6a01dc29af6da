import { describe, expect, test } from '@jest/globals';
import { SkipError } from '../../../../src/engine/errors.ts';
import type { Json, Node } from '../../../../src/engine/json.ts';
import { createListCaches } from '../../../../src/instagram/extract/extraction.ts';
import { childrenCache } from '../../../../src/instagram/extract/media-children.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { account } from '../../../support/accounts.ts';
import { type Answer, createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { startMs } from '../../engine/world.ts';
import { extractAll, graphOf } from './extracting.ts';

const { media_children: mediaChildren } = streams;
const timestamp = '2026-05-12T05:26:06+0000';
const photo: Node = { id: '1', media_type: 'IMAGE', timestamp };

function album(id: string, children: readonly Json[]): Node {
  return { id, media_type: 'CAROUSEL_ALBUM', timestamp, children: { data: children } };
}

describe('the extraction of media_children', () => {
  test('yields each child with its album and its place, and every id after the whole list', async () => {
    const graph = graphOf(
      pageOf([photo, album('2', [{ id: '21' }, { id: '22' }])], 'A'),
      pageOf([album('3', [{ id: '31' }])]),
    );
    const { nodes, pages } = await extractAll(mediaChildren, graph);

    expect(nodes).toEqual([
      { id: '21', media_id: '2', position: 1 },
      { id: '22', media_id: '2', position: 2 },
      { id: '31', media_id: '3', position: 1 },
    ]);
    expect(pages.at(-1)?.scanned).toEqual({
      present: new Set(['21', '22', '31']),
      expired: new Set(),
      claimed: null,
    });
    expect(graph.requests).toHaveLength(2);
  });

  test('reports no deleted children while an album is listed without them', async () => {
    const bare = { id: '2', media_type: 'CAROUSEL_ALBUM', timestamp };
    const { pages, nodes } = await extractAll(
      mediaChildren,
      graphOf(pageOf([bare, album('3', [{ id: '31' }])])),
    );

    expect(nodes).toEqual([{ id: '31', media_id: '3', position: 1 }]);
    expect(pages.filter(({ scanned }) => scanned !== undefined)).toEqual([]);
  });

  test('reports no deleted children while a media is listed without its kind', async () => {
    const { pages } = await extractAll(mediaChildren, graphOf(pageOf([{ id: '2', timestamp }])));

    expect(pages.filter(({ scanned }) => scanned !== undefined)).toEqual([]);
  });

  test.each([
    ['a media without id and children', { media_type: 'IMAGE' }, 'id'],
    ['an entry that is no object', album('2', [7, { id: '22' }]), 'data[0]'],
    ['children that are no object', { ...album('2', []), children: 'x' }, 'children'],
    ['children that are no list', { ...album('2', []), children: { data: 'x' } }, 'data'],
  ])('rejects %s, and reports no deleted children', async (_what, broken, path) => {
    const { pages } = await extractAll(
      mediaChildren,
      graphOf(pageOf([broken, album('3', [{ id: '31' }])])),
    );

    expect(pages.flatMap(({ rejected = [] }) => rejected)).toMatchObject([{ path }]);
    expect(pages.flatMap(({ nodes }) => nodes).map(({ id }) => id)).toContain('31');
    expect(pages.filter(({ scanned }) => scanned !== undefined)).toEqual([]);
  });

  test('counts a child that cannot be read as present, and keeps the places of the others', async () => {
    const gone = new SkipError('graph.ambiguous', 'gone');
    const graph = createFakeGraph(({ path, query }): Answer => {
      const isExpanded = query['fields']?.includes('children{id,') === true;
      const ids = [{ id: '21' }, { id: '22' }, { id: '23' }];
      if (path.endsWith('/media')) return isExpanded ? gone : pageOf([album('2', ids)]);
      if (path === '/2' || path === '/22') return gone;
      return { id: path.slice(1) };
    });
    const { nodes, pages } = await extractAll(mediaChildren, graph);

    expect(nodes).toEqual([
      { id: '21', media_id: '2', position: 1 },
      { id: '23', media_id: '2', position: 3 },
    ]);
    expect(pages.at(-1)?.scanned?.present).toEqual(new Set(['21', '22', '23']));
  });

  test('reports no deleted children of a list that is cut at the bound of the API', async () => {
    const caches = createListCaches(100);
    childrenCache(caches, account.id).noteReportedCount(10_001, startMs);
    const page = pageOf([album('2', [{ id: '21' }])]);
    const { pages } = await extractAll(mediaChildren, graphOf(page), { caches });

    expect(pages.at(-1)?.scanned?.beforeCut).toEqual(new Set());
  });
});
