import { describe, expect, test } from '@jest/globals';
import { type ApiTools, apiSteps, createApiObserver } from '../../../../src/cli/check/api-steps.ts';
import { type Scope, WaitError } from '../../../../src/engine/errors.ts';
import { RateLimiter } from '../../../../src/engine/rate-limit/rate-limiter.ts';
import { account } from '../../../support/accounts.ts';
import { createFakeGraph } from '../../../support/fake-graph.ts';
import { load } from '../../config/loading.ts';
import { calm, createWorld, hourMs, minuteMs, startMs } from '../../engine/world.ts';

/** Runs `api.contract` with an API that rejects every request for a limit, or reports its usage. */
async function probe(scope: Scope, percent?: number) {
  const observer = createApiObserver();
  const limit = new WaitError('graph.rate-limited', 'too many calls', {
    scope,
    retryAfterMs: hourMs,
  });
  const graph = createFakeGraph(() => (percent === undefined ? limit : { data: [], id: '1' }));
  const world = createWorld({ graph });
  const rateLimiter = new RateLimiter({ ...world, telemetry: observer, maxConcurrentRequests: 4 });
  if (percent !== undefined) rateLimiter.onUsage({ scope, percent, regainMs: 0 });
  const listing = { accounts: [account], problems: [], warnings: [] };
  const tools = {
    config: load(),
    observer,
    nowMs: () => world.clock.nowMs(),
    reading: {
      directory: { list: () => Promise.resolve(listing) },
      tools: { ...world, rateLimiter },
    },
  } as unknown as ApiTools;
  const steps = new Map(apiSteps(tools).map((step) => [step.id, step]));
  await steps.get('api.accounts')?.run(calm);
  const findings = steps.get('api.contract')?.run(calm);
  await world.clock.advance(minuteMs);
  return { findings: await findings, requests: graph.requests.length };
}

describe('check: api.contract', () => {
  test.each([
    [{ kind: 'account', id: account.id }, `the limit of account ${account.id}`],
    [{ kind: 'app', id: '' }, 'the limit of the app'],
  ] as const)('ends at a limit of %j instead of waiting for its end', async (scope, named) => {
    const { findings, requests } = await probe(scope);

    const until = new Date(startMs + hourMs).toISOString();
    expect(findings).toEqual([
      {
        status: 'failed',
        subject: account.id,
        detail: `${named} is reached until ${until}: the forms of request were not tried`,
        action:
          'The limit of the API is reached; the configuration is not the cause. Run check again in 60 min.',
        code: 'graph.rate-limited',
      },
    ]);
    expect(requests).toBe(1);
  });

  test('ends with a warning where the rest of a short quota is kept for polls', async () => {
    const { findings } = await probe({ kind: 'account', id: account.id }, 80);

    expect(findings).toMatchObject([
      { status: 'warning', detail: expect.stringMatching(/^80 % of the account's quota is used/) },
    ]);
  });
});
