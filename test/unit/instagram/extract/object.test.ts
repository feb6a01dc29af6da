import { describe, expect, test } from '@jest/globals';
import { SkipError } from '../../../../src/engine/errors.ts';
import { profile } from '../../engine/supervision.ts';
import { extractAll, graphOf } from './extracting.ts';

describe('object extraction', () => {
  test('sends one request and returns one node', async () => {
    const graph = graphOf({ id: '17841400000000001' });
    const { pages } = await extractAll(profile, graph);

    expect(pages).toEqual([
      { nodes: [{ id: '17841400000000001' }], skipped: [], coveredUntilMs: null },
    ]);
    expect(graph.requests).toEqual([
      {
        endpoint: '/{account}',
        path: '/17841400000000001',
        query: { fields: 'id' },
        accountId: '17841400000000001',
      },
    ]);
  });

  test('repeats the request without a field that the API rejects', async () => {
    const request = { kind: 'object', fields: { ...fields('id'), ...fields('website') } } as const;
    const graph = graphOf(new SkipError('graph.field-refused', 'no', ['website']), { id: '1' });
    const { pages } = await extractAll({ ...profile, request }, graph);

    expect(graph.queries).toEqual([{ fields: 'id,website' }, { fields: 'id' }]);
    expect(pages[0]?.skipped).toEqual([{ reason: 'graph.field-refused', subject: 'website' }]);
  });
});

const fields = (name: string) =>
  ({ [name]: { field: { kind: 'text' }, required: false } }) as const;
