import { describe, expect, test } from '@jest/globals';
import { RetryError, SkipError, StopAccountError } from '../../../../src/engine/errors.ts';
import { type Control, getEach } from '../../../../src/engine/rate-limit/get-each.ts';
import type { GraphRequest, GraphTransport, Outcome } from '../../../../src/engine/ports.ts';
import { createFakeGraph } from '../../../support/fake-graph.ts';
import { calm } from '../../engine/world.ts';

const requestsOf = (count: number): readonly GraphRequest[] =>
  Array.from({ length: count }, (_, index) => ({
    endpoint: '/{media}',
    path: `/${index}`,
    query: {},
    accountId: '1',
  }));

const failing = new RetryError('graph.server', 'HTTP 500');

/** The outcomes by path, as `ok` or the error's code, and the error that ended the iteration. */
async function collect(
  transport: GraphTransport,
  requests: readonly GraphRequest[],
  control: Control = {},
) {
  const outcomes: Outcome[] = [];
  let error: unknown;
  try {
    const all = getEach(transport, requests, calm, control);
    for await (const outcome of all) outcomes.push(outcome);
  } catch (thrown) {
    error = thrown;
  }
  const byPath = new Map(
    outcomes.map((one) => [one.request.path, 'node' in one ? 'ok' : one.error.code]),
  );
  return { outcomes, byPath, error };
}

describe('getEach', () => {
  test('sends batch requests of the size that the transport supports', async () => {
    const graph = createFakeGraph(({ path }) => ({ id: path }));
    const { outcomes, error } = await collect(graph, requestsOf(120));

    expect(error).toBeUndefined();
    expect(graph.batches).toEqual([50, 50, 20]);
    expect(outcomes.map(({ request }) => request.path)).toEqual(
      requestsOf(120).map(({ path }) => path),
    );
  });

  test('sends single requests, at most eight at a time, when the transport has no batch requests', async () => {
    let underWay = 0;
    let most = 0;
    const graph = createFakeGraph(
      async ({ path }) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await Promise.resolve();
        underWay -= 1;
        return { id: path };
      },
      { batchSize: 1 },
    );
    const { byPath } = await collect(graph, requestsOf(20));

    expect([byPath.size, graph.batches, most]).toEqual([20, [], 8]);
  });

  test('sends single requests after the host has rejected a batch request', async () => {
    const graph = createFakeGraph(({ path }) => ({ id: path }));
    const transport = {
      ...graph,
      batchSize: 50,
      getBatch(batch: readonly GraphRequest[]) {
        transport.batchSize = 1;
        return Promise.resolve(batch.map((request) => ({ request, isUnanswered: true as const })));
      },
    };
    const { byPath, error } = await collect(transport, requestsOf(60));

    expect([byPath.size, error]).toEqual([60, undefined]);
  });

  test('reports the error of one request for that request alone', async () => {
    const gone = new SkipError('graph.ambiguous', 'gone');
    const graph = createFakeGraph(({ path }) => (path === '/3' ? gone : { id: path }));
    const { byPath } = await collect(graph, requestsOf(12));

    expect(byPath.get('/3')).toBe('graph.ambiguous');
    expect([...byPath.values()].filter((outcome) => outcome === 'ok')).toHaveLength(11);
    expect(graph.requests).toHaveLength(12);
  });

  test('repeats a request alone when its batch request brought no usable answer for it', async () => {
    const graph = createFakeGraph(({ path }) => ({ id: path }));
    const getBatch: GraphTransport['getBatch'] = async (batch, signal) =>
      (await graph.getBatch(batch, signal)).map((outcome, index) =>
        index < 2 ? { request: outcome.request, isUnanswered: true as const } : outcome,
      );
    const { byPath } = await collect({ ...graph, getBatch }, requestsOf(10));

    expect([...byPath.values()]).toEqual(Array(10).fill('ok'));
    expect(graph.requests.slice(10).map(({ path }) => path)).toEqual(['/0', '/1']);
  });

  test('repeats the requests that a rate limit held back', async () => {
    const graph = createFakeGraph(({ path }) => ({ id: path }));
    const getBatch: GraphTransport['getBatch'] = (batch, signal) =>
      graph.getBatch(batch.slice(0, 4), signal);
    const { byPath } = await collect({ ...graph, getBatch }, requestsOf(10));

    expect(byPath.size).toBe(10);
    expect(graph.batches).toEqual([4, 4, 2]);
  });

  test('repeats a request with a transient error once, after the others', async () => {
    let failures = 0;
    const graph = createFakeGraph(({ path }) => {
      if (path !== '/1' || failures > 0) return { id: path };
      failures += 1;
      return failing;
    });
    const { outcomes } = await collect(graph, requestsOf(4));

    expect(outcomes.map(({ request }) => request.path)).toEqual(['/0', '/2', '/3', '/1']);
    expect(outcomes.every((one) => 'node' in one)).toBe(true);
  });

  test('reports the error of a request that fails twice', async () => {
    const graph = createFakeGraph(({ path }) => (path === '/1' ? failing : { id: path }));
    const { byPath } = await collect(graph, requestsOf(4));

    expect(byPath.get('/1')).toBe('graph.server');
    expect(graph.requests).toHaveLength(5);
  });

  test.each([
    ['batches', 50, 100],
    ['single requests', 1, 16],
  ])(
    'fails when the server answers no request of two consecutive groups: %s',
    async (_what, batchSize, sent) => {
      const graph = createFakeGraph(() => failing, { batchSize });
      const { error, outcomes } = await collect(graph, requestsOf(200));

      expect([error, outcomes]).toEqual([failing, []]);
      expect(graph.requests).toHaveLength(sent);
    },
  );

  test.each(['graph.timeout', 'graph.too-much-data'] as const)(
    'halves a batch request that fails with %s',
    async (code) => {
      const graph = createFakeGraph(({ path }) => ({ id: path }));
      const sizes: number[] = [];
      const getBatch: GraphTransport['getBatch'] = (batch, signal) => {
        sizes.push(batch.length);
        if (batch.length > 15) return Promise.reject(new RetryError(code, 'too slow'));
        return graph.getBatch(batch, signal);
      };
      const { byPath, error } = await collect({ ...graph, getBatch }, requestsOf(50));

      expect([byPath.size, error]).toEqual([50, undefined]);
      expect(sizes).toEqual([50, 25, 13, 13, 13, 11]);
    },
  );

  test('fails with a token error, even when other requests were answered', async () => {
    const expired = new StopAccountError('graph.token', 'expired');
    const graph = createFakeGraph(({ path }) => (path === '/2' ? expired : { id: path }));
    const { error } = await collect(graph, requestsOf(4));

    expect(error).toBe(expired);
  });

  test.each(['graph.network', 'graph.timeout'] as const)(
    'fails with %s when all concurrent requests fail with it',
    async (code) => {
      const away = new RetryError(code, 'no answer');
      const graph = createFakeGraph(() => away, { batchSize: 1 });
      const { error } = await collect(graph, requestsOf(40));

      expect([error, graph.requests.length]).toEqual([away, 8]);
    },
  );

  test.each([
    ['graph.network', 'batches', 50],
    ['graph.network', 'single requests', 1],
    ['graph.timeout', 'batches', 50],
    ['graph.timeout', 'single requests', 1],
  ] as const)(
    'reports %s for the only request without an answer when others are answered: %s',
    async (code, _what, batchSize) => {
      const reason = new Error('UND_ERR_SOCKET: other side closed');
      const lost = new RetryError(code, 'no answer; check DNS and INSTAGRAM_BASE_URL', {
        cause: reason,
      });
      const graph = createFakeGraph(({ path }) => (path === '/9' ? lost : { id: path }), {
        batchSize,
      });
      // The item of a failed request is null in the response to its batch request.
      const getBatch: GraphTransport['getBatch'] = async (batch, signal) =>
        (await graph.getBatch(batch, signal)).map((outcome) =>
          'error' in outcome ? { request: outcome.request, isUnanswered: true as const } : outcome,
        );
      const { byPath, outcomes, error } = await collect({ ...graph, getBatch }, requestsOf(17));
      const own = outcomes.flatMap((one) => ('error' in one ? [one.error] : []));

      expect([error, byPath.size, outcomes.length]).toEqual([undefined, 17, 17]);
      expect(own).toMatchObject([{ code, disposition: 'retry' }]);
      expect(own[0]?.message).toMatch(/\/9 .*other requests.*other side closed/);
      expect(own[0]?.message).not.toMatch(/DNS|INSTAGRAM_BASE_URL/);
    },
  );

  test('reports its own error for each of many requests without an answer when others are answered', async () => {
    const lost = new RetryError('graph.network', 'no answer');
    const isBroken = (path: string) => Number(path.slice(1)) >= 8 && Number(path.slice(1)) < 32;
    const graph = createFakeGraph(({ path }) => (isBroken(path) ? lost : { id: path }), {
      batchSize: 1,
    });
    const { byPath, error } = await collect(graph, requestsOf(40));

    expect([error, byPath.size]).toEqual([undefined, 40]);
    expect([...byPath.values()].filter((outcome) => outcome === 'graph.network')).toHaveLength(24);
  });

  test('fails when the network goes down after earlier requests were answered', async () => {
    const away = new RetryError('graph.network', 'no answer');
    const graph = createFakeGraph(({ path }, index) => (index < 16 ? { id: path } : away), {
      batchSize: 1,
    });
    const { byPath, error } = await collect(graph, requestsOf(17));

    expect([error, byPath.size]).toEqual([away, 16]);
  });

  test('fails when the network goes down between two calls of a poll', async () => {
    const away = new RetryError('graph.network', 'no answer');
    const graph = createFakeGraph(({ path }, index) => (index < 3 ? { id: path } : away));
    const control = {};
    const first = await collect(graph, requestsOf(3), control);
    const second = await collect(graph, requestsOf(1), control);

    expect([first.byPath.size, first.error]).toEqual([3, undefined]);
    expect([second.byPath.size, second.error]).toEqual([0, away]);
  });

  test('reports the error of a request that was sent alone, so that the caller can request a control sample', async () => {
    const lost = new RetryError('graph.network', 'no answer');
    const graph = createFakeGraph(() => lost);
    const { outcomes, error } = await collect(graph, requestsOf(1));

    expect([error, outcomes, graph.requests.length]).toMatchObject([
      undefined,
      [{ error: lost }],
      2,
    ]);
  });

  test('sends nothing for an empty list', async () => {
    const graph = createFakeGraph(() => ({}));

    expect((await collect(graph, [])).outcomes).toEqual([]);
    expect(graph.requests).toEqual([]);
  });
});
