import { describe, expect, test } from '@jest/globals';
import { DeadLetterError } from '../../../src/engine/errors.ts';
import { mapPage } from '../../../src/engine/mapping.ts';
import type { Stream } from '../../../src/engine/stream.ts';
import { account } from '../../support/accounts.ts';
import { posts, startMs } from './world.ts';

const origin = { account, polledAtMs: startMs };
const page = { skipped: [], coveredUntilMs: null };

describe('mapPage', () => {
  // Invariant 3
  test('puts every node in exactly one place: record, dead letter or skipped (Invariant 3)', () => {
    const stream: Stream = {
      ...posts,
      toRecord: (node, ...context) =>
        node['caption'] === 'few'
          ? { kind: 'skipped', reason: 'graph.not-enough-users' }
          : posts.toRecord(node, ...context),
    };
    const nodes = [{ id: '1', caption: 'few' }, { caption: 'bad' }, { id: '3', caption: 'good' }];
    const mapped = mapPage(stream, { ...page, nodes }, origin);

    expect(mapped.records.map((record) => record['id'])).toEqual(['3']);
    expect(mapped.rejected.map(({ path }) => path)).toEqual(['id']);
    expect(mapped.skipped).toEqual(['graph.not-enough-users']);
  });

  test('maps the nodes after an invalid one, and keeps the path and the raw text of the invalid one', () => {
    const mapped = mapPage(
      posts,
      { ...page, nodes: [{ id: '1' }, { id: '2', like_count: 'many' }, { id: '3' }] },
      origin,
    );

    expect(mapped.records.map((record) => record['id'])).toEqual(['1', '3']);
    expect(mapped.rejected).toMatchObject([
      { code: 'mapping.invalid', path: 'like_count', raw: '{"id":"2","like_count":"many"}' },
    ]);
  });

  // Invariant 3
  test('keeps a record when parts of it or of its page are dead-lettered (Invariant 3)', () => {
    const ofPage = new DeadLetterError('graph.bad-body', 'no node', { path: 'data[1]', raw: '7' });
    const ofPart = new DeadLetterError('mapping.invalid', 'no number', {
      path: 'reach',
      raw: '"n/a"',
    });
    const stream: Stream = {
      ...posts,
      toRecord: ({ id = null }) => ({
        kind: 'record',
        record: { id },
        unknown: [],
        rejected: [ofPart],
      }),
    };
    const nodes = [{ id: '1' }];
    const mapped = mapPage(stream, { ...page, nodes, rejected: [ofPage] }, origin);

    expect(mapped.records).toEqual([{ id: '1' }]);
    expect(mapped.rejected).toEqual([ofPage, ofPart]);
  });

  test('lists each unknown field of a page once', () => {
    const nodes = [
      { id: '1', a: 1 },
      { id: '2', a: 1, b: 2 },
    ];

    expect([...mapPage(posts, { ...page, nodes }, origin).unknown]).toEqual(['a', 'b']);
  });

  test('keeps the reasons for which the extractor skipped objects', () => {
    const skipped = [{ reason: 'graph.gone', subject: '7' } as const];

    expect(mapPage(posts, { ...page, nodes: [], skipped }, origin).skipped).toEqual(['graph.gone']);
  });

  test('rethrows an error that is not a rejection', () => {
    const broken = {
      ...posts,
      toRecord: () => {
        throw new TypeError('a bug');
      },
    };

    expect(() => mapPage(broken, { ...page, nodes: [{ id: '1' }] }, origin)).toThrow('a bug');
  });
});
