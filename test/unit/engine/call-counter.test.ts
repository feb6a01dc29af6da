import { describe, expect, test } from '@jest/globals';
import { RetryError } from '../../../src/engine/errors.ts';
import { pollWhenDue } from '../../../src/engine/poller.ts';
import type { InstagramSource } from '../../../src/instagram/extract/extract.ts';
import { answersInTurn, createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { settle } from '../../support/manual-clock.ts';
import { calm, createWorld, jobOf, minuteMs, posts } from './world.ts';

const first = { data: [{ id: '1' }], paging: { cursors: { after: 'c1' }, next: 'https://a' } };
const away = new RetryError('graph.server', 'HTTP 500');

describe('the calls of a poll', () => {
  test('are counted page by page; those of a failed try have no result, and count once', async () => {
    const graph = createFakeGraph(answersInTurn(first, away, first, pageOf([{ id: '2' }])));
    const world = createWorld({ graph });
    const outcome = pollWhenDue(jobOf(posts), world, { nextPollMs: null, signal: calm });
    await settle();
    await world.clock.advance(minuteMs);
    await outcome;

    const found = { none: { found: 1, nothing: 0 } };
    expect(world.telemetry.ofType('calls').map(({ calls, results }) => [calls, results])).toEqual([
      [1, found],
      [1, {}],
      [1, found],
      [1, found],
    ]);
  });

  test('found nothing when the page has no changed record', async () => {
    const world = createWorld({
      settings: { ...createWorld().settings, publish: { media: 'changes' } },
    });
    const job = jobOf(posts);
    await pollWhenDue(job, world, { nextPollMs: null, signal: calm });
    await pollWhenDue(job, world, { nextPollMs: null, signal: calm });

    expect(world.telemetry.ofType('calls').map(({ results }) => results)).toEqual([
      { none: { found: 1, nothing: 0 } },
      { none: { found: 0, nothing: 1 } },
    ]);
  });

  test('count with the next page that has a node, as the scan of a list that leads to it', async () => {
    const emptyPage = { nodes: [], skipped: [], coveredUntilMs: null };
    const source: InstagramSource = {
      ...createWorld().source,
      async *pages({ graph, signal }) {
        await graph.get({ endpoint: '/', path: '/', query: {}, accountId: null }, signal);
        yield emptyPage;
        await graph.get({ endpoint: '/', path: '/', query: {}, accountId: null }, signal);
        yield { ...emptyPage, nodes: [{ id: '1' }] };
      },
    };
    const world = createWorld({ source });
    await pollWhenDue(jobOf(posts), world, { nextPollMs: null, signal: calm });

    expect(world.telemetry.ofType('calls').map(({ calls, results }) => [calls, results])).toEqual([
      [2, { none: { found: 2, nothing: 0 } }],
    ]);
  });

  test('found nothing when they led to no page with a node', async () => {
    const graph = createFakeGraph(() => pageOf([]));
    const world = createWorld({ graph });
    await pollWhenDue(jobOf(posts), world, { nextPollMs: null, signal: calm });

    expect(world.telemetry.ofType('calls').map(({ results }) => results)).toEqual([
      { none: { found: 0, nothing: 1 } },
    ]);
  });
});
