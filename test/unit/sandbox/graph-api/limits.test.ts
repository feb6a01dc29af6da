import { describe, expect, it } from '@jest/globals';
import { type Asked, type Answer, standingWorld, startAsking } from './asking.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const accountOf = (asked: Asked, index = 0) => asked.world.accounts[index]?.id ?? '';

interface AccountUsage {
  readonly call_count: number;
  readonly estimated_time_to_regain_access: number;
}

function usageOf({ headers }: Answer, account: string): AccountUsage | undefined {
  const header = headers.get('x-business-use-case-usage') ?? '{}';
  return (JSON.parse(header) as Record<string, AccountUsage[]>)[account]?.[0];
}

async function times(count: number, ask: () => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let index = 0; index < count; index += 1) answers.push(await ask());
  return answers;
}

describe('simulator rate limits', () => {
  it('report a small usage, of the account or of the app, when no limit is set', async () => {
    await using asked = await startAsking();
    const both = async (path: string) => {
      const { headers } = await asked.ask(path);
      return [headers.get('x-business-use-case-usage'), headers.get('x-app-usage')];
    };

    expect(await both('/me/accounts')).toEqual([
      null,
      '{"call_count":0,"total_cputime":0,"total_time":0}',
    ]);
    expect(await both(`/${accountOf(asked)}/media`)).toEqual([
      `{"${accountOf(asked)}":[{"type":"instagram","call_count":0,"total_cputime":0,"total_time":0,"estimated_time_to_regain_access":0}]}`,
      null,
    ]);
  });

  it('report the usage of an account to Instagram Login by the header names of its host', async () => {
    await using asked = await startAsking(standingWorld({ limits: { account: { calls: 2 } } }));
    const token = asked.world.accounts[0]?.instagramToken ?? '';

    const { headers } = await asked.ask('/me/media', { access_token: token });

    expect(headers.get('x-app-usage')).toBe('{"call_volume":50,"cpu_time":20}');
    expect(headers.get('x-business-use-case-usage')).toBeNull();
  });

  it('reject the calls of one account over its limit, and of no other account', async () => {
    await using asked = await startAsking(standingWorld({ limits: { account: { calls: 4 } } }));
    const answers = await times(5, () => asked.ask(`/${accountOf(asked)}/media`));

    expect(answers.map((answer) => usageOf(answer, accountOf(asked))?.call_count)).toEqual([
      25, 50, 75, 100, 100,
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 400]);
    expect(answers[4]?.body['error']).toMatchObject({
      code: 80_002,
      error_subcode: 2_446_079,
      message: expect.stringMatching(/^\(#80002\) There have been too many calls to this Inst/),
    });
    expect((await asked.ask(`/${accountOf(asked, 1)}/media`)).status).toBe(200);
    expect(asked.api.ledger.total()).toMatchObject({ requests: 6, throttled: 1 });
  });

  it('accept calls again once the window has room', async () => {
    await using asked = await startAsking();
    const ask = () => asked.ask(`/${accountOf(asked)}`);
    asked.world.limits = { account: { calls: 2, windowMs: HOUR_MS } };
    await ask();
    asked.world.clock.advance(20 * MINUTE_MS);
    await ask();
    const refused = await ask();

    expect(usageOf(refused, accountOf(asked))?.estimated_time_to_regain_access).toBe(40);
    asked.world.clock.advance(40 * MINUTE_MS);
    expect((await ask()).status).toBe(200);
  });

  it('extend the block with every call during the block', async () => {
    await using asked = await startAsking();
    const ask = () => asked.ask(`/${accountOf(asked)}`);
    asked.world.limits = { account: { calls: 1, windowMs: 10 * MINUTE_MS }, extendMinutes: 5 };
    const answers = await times(4, ask);
    asked.world.clock.advance(10 * MINUTE_MS);

    expect(
      answers.map((one) => usageOf(one, accountOf(asked))?.estimated_time_to_regain_access),
    ).toEqual([10, 10, 15, 20]);
    expect((await ask()).status).toBe(400);
    asked.world.clock.advance(15 * MINUTE_MS);
    expect((await ask()).status).toBe(200);
  });

  it('can be set for a single account', async () => {
    await using asked = await startAsking();
    asked.world.limits = { accounts: { [accountOf(asked)]: { calls: 1 } } };
    const statuses = async (index: number) =>
      (await times(2, () => asked.ask(`/${accountOf(asked, index)}`))).map(({ status }) => status);

    expect([await statuses(0), await statuses(1)]).toEqual([
      [200, 400],
      [200, 200],
    ]);
  });

  it('reject the app with 403 and without a usage header, while accounts are answered', async () => {
    await using asked = await startAsking();
    asked.world.limits = { app: { calls: 1 } };
    const [, refused] = await times(2, () => asked.ask('/me/accounts'));

    expect(refused?.status).toBe(403);
    expect(refused?.body['error']).toMatchObject({ code: 4, is_transient: true });
    expect(refused?.headers.get('x-app-usage')).toBeNull();
    expect((await asked.ask(`/${accountOf(asked)}`)).status).toBe(200);
  });

  it('reject a call on an account above the user limit when countAll counts accounts for the user', async () => {
    await using asked = await startAsking();
    asked.world.limits = { user: { calls: 1 }, countAll: true };
    await asked.ask('/me');

    expect(await asked.refusal(`/${accountOf(asked)}`)).toEqual([
      400,
      17,
      2_446_079,
      '(#17) User request limit reached',
    ]);
  });

  it('are set and lifted over HTTP', async () => {
    await using asked = await startAsking();
    await asked.admin('PATCH', 'world', { limits: { account: { calls: 1 } } });
    const statuses = (await times(2, () => asked.ask(`/${accountOf(asked)}`))).map(
      ({ status }) => status,
    );
    await asked.admin('PATCH', 'world', { limits: null });

    expect(statuses).toEqual([200, 400]);
    expect((await asked.ask(`/${accountOf(asked)}`)).status).toBe(200);
  });
});
