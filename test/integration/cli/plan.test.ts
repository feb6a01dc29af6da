import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type GraphApi, startGraphApi } from '../../../sandbox/graph-api/server.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { runCommand } from '../../support/command.ts';

interface Plan {
  readonly streams: readonly { readonly stream: string; readonly first: number }[];
  readonly accounts: readonly {
    readonly account: string;
    readonly calls: number;
    readonly views: number | null;
    readonly limit: number | null;
    readonly fitting: Readonly<Record<string, string>> | null;
    readonly error: string | null;
  }[];
}

describe('plan', () => {
  let api: GraphApi;

  beforeAll(async () => {
    const world = createWorld({
      seed: 5,
      accounts: 2,
      smallAccounts: 0,
      mediaPerAccount: 130,
      preConversionMedia: 0,
      storiesPerAccount: 3,
      unseenStories: 0,
      insightsDays: 30,
    });
    api = await startGraphApi({ world });
  });

  afterAll(async () => {
    await api[Symbol.asyncDispose]();
  });

  const run = (args: readonly string[]) =>
    runCommand(args, {
      env: {
        INSTAGRAM_ACCESS_TOKEN: api.world.token,
        INSTAGRAM_BASE_URL: api.url,
        STREAMS: 'default,user_daily_totals,media_children',
      },
    });

  test('equals the calls of the first poll within a tenth, and reads only lists and views', async () => {
    const { exitCode, stdout } = await run(['plan', '--json']);
    const spent = api.ledger.byEndpoint();
    api.ledger.clear();
    await run(['dry-run', '--limit', '1000']);
    const { calls } = api.ledger.total();
    const listing = api.ledger.byEndpoint()['/me/accounts']?.calls ?? 0;
    const plan = JSON.parse(stdout) as Plan;
    const planned = plan.streams.reduce((sum, { first }) => sum + first, 0);

    expect(exitCode).toBe(0);
    expect(Object.keys(spent).sort()).toEqual([
      '/me/accounts',
      '/{account}/insights',
      '/{account}/media',
      '/{account}/stories',
    ]);
    expect(spent['/{account}/media']?.calls).toBe(2 * 2);
    expect(planned / (calls - listing)).toBeGreaterThan(0.9);
    expect(planned / (calls - listing)).toBeLessThan(1.1);
    expect(plan.accounts.map(({ account }) => account)).toEqual(
      api.world.accounts.map(({ id }) => id),
    );
    for (const { views, limit } of plan.accounts) {
      expect(views).toBeGreaterThan(0);
      expect(limit).toBe(4800 * Number(views));
    }
  });

  test('plans the other accounts when one cannot be read, and ends with code 3', async () => {
    const [denied, other] = api.world.accounts.map(({ id }) => id);
    api.world.conditions.set({ deniedAccounts: [denied ?? ''] });
    const { exitCode, stdout } = await run(['plan']);
    api.world.conditions.set({});
    const lines = stdout.split('\n');

    expect(exitCode).toBe(3);
    expect(lines.some((line) => line.startsWith(`${denied ?? ''}: graph.`))).toBe(true);
    expect(lines.find((line) => line.startsWith(`${other ?? ''} `))).toMatch(
      /\d+ +\d+ +\d+ +0\.\d %/,
    );
  });
});
