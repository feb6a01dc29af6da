import { describe, expect, test } from '@jest/globals';
import { RetryError, StopStreamError } from '../../../src/engine/errors.ts';
import type { Tracer } from '../../../src/engine/ports.ts';
import { pollWhenDue } from '../../../src/engine/poller.ts';
import { answersInTurn, createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { calm, createWorld, jobOf, minuteMs, posts } from './world.ts';

/** A tracer that records its calls. */
function recording(): Tracer & { readonly lines: string[] } {
  const lines: string[] = [];
  const how = (error: unknown): string => (error instanceof Error ? String(error) : 'ok');
  return {
    lines,
    poll({ poll }) {
      return {
        headers: { traceparent: `of ${poll}` },
        begin: (kind, facts) => {
          const step = `${kind} ${JSON.stringify(facts)}`;
          return (error) => lines.push(`${step}: ${how(error)}`);
        },
        end: (error) => lines.push(`poll: ${how(error)}`),
      };
    },
  };
}

const request = 'request {"endpoint":"/{account}/media","calls":1}';

describe('a traced poll', () => {
  test('has its steps in order, and its records carry its traceparent header', async () => {
    const tracer = recording();
    const graph = createFakeGraph(() => pageOf([{ id: '1' }, { caption: 'no id' }]));
    const world = createWorld({ tracer, graph });

    await pollWhenDue(jobOf(posts), world, { nextPollMs: null, signal: calm });

    expect(tracer.lines).toEqual([
      `${request}: ok`,
      'encode {"records":1}: ok',
      'transaction {"records":2}: ok',
      'poll: ok',
    ]);
    const headers = world.publisher.batches[0]?.records.map((record) => record.headers);
    expect(headers?.map((each) => each['traceparent'])).toEqual(
      headers?.map((each) => `of ${each['poll'] ?? ''}`),
    );
  });

  test('is one trace over all its attempts', async () => {
    const tracer = recording();
    const away = new RetryError('graph.server', 'HTTP 500');
    const world = createWorld({
      tracer,
      graph: createFakeGraph(answersInTurn(away, pageOf([]))),
    });

    const outcome = pollWhenDue(jobOf(posts), world, { nextPollMs: null, signal: calm });
    await world.clock.advance(minuteMs);
    await outcome;

    expect(tracer.lines.filter((line) => !line.startsWith('transaction'))).toEqual([
      `${request}: RetryError: HTTP 500`,
      `${request}: ok`,
      'poll: ok',
    ]);
  });

  test('ends with the error that stopped the poll', async () => {
    const tracer = recording();
    const no = new StopStreamError('graph.permission', 'no');
    const world = createWorld({ tracer, graph: createFakeGraph(answersInTurn(no)) });

    await pollWhenDue(jobOf(posts), world, { nextPollMs: null, signal: calm });

    expect(tracer.lines.at(-1)).toBe('poll: StopStreamError: no');
  });
});
