import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import type { DecodedRecord } from '../../../sandbox/topics.ts';
import { runCommand } from '../../support/command.ts';
import { type Deployment, type Ended, comparable, DAY_MS, deploy } from './deployment.ts';
import { expectedDays } from './expected-records.ts';
import { allSucceeded } from '../../support/once-summary.ts';

const hourMs = 3_600_000;
const lookbackMs = 2 * DAY_MS;
/** Airbyte had read up to a day that ended about ten days ago. */
const agoMs = 10 * DAY_MS;

type Json = Readonly<Record<string, unknown>> | null;

/** The date as Airbyte writes it, and the state that holds it. */
interface Handed {
  readonly date: string;
  readonly account: string;
}

const cases: readonly [string, (handed: Handed) => Json][] = [
  [
    'a list of partitions',
    ({ account, date }) => ({
      use_global_cursor: false,
      states: [{ partition: { business_account_id: account }, cursor: { date } }],
      state: { date },
      lookback_window: 4,
      parent_state: {},
    }),
  ],
  ['a map of maps', ({ account, date }) => ({ [account]: { date } })],
  ['a map of dates', ({ account, date }) => ({ [account]: date })],
  [
    "a connection's state",
    ({ account, date }) => ({
      stateType: 'stream',
      streamState: [
        {
          streamDescriptor: { name: 'user_insights' },
          streamState: {
            states: [{ partition: { business_account_id: account }, cursor: { date } }],
          },
        },
      ],
    }),
  ],
];

describe.each(cases)("Airbyte's state imported as %s", (_, write) => {
  let deployment: Deployment;
  let account: string;
  let cursorMs: number;
  let imported: { exitCode: number | null; stderr: string };
  let ended: Ended;
  let startedMs: number;
  let published: readonly DecodedRecord[];
  let windows: readonly { since: number; until: number }[];

  beforeAll(async () => {
    deployment = await deploy(
      createWorld({
        seed: 7,
        accounts: 1,
        mediaPerAccount: 1,
        storiesPerAccount: 0,
        insightsDays: 60,
      }),
    );
    const [only] = deployment.truth().accounts;
    account = only?.id ?? '';
    const dates = (only?.days ?? []).map((day) => Date.parse(String(day['end_time'])));
    cursorMs = Math.max(...dates.filter((dateMs) => dateMs <= Date.now() - agoMs));
    const date = new Date(cursorMs).toISOString().replace('.000Z', '+00:00');
    imported = await runCommand(['state', 'import', '-', '--apply'], {
      env: deployment.env,
      input: JSON.stringify(write({ account, date })),
    });
    startedMs = Date.now();
    ended = await deployment.once({ STREAMS: 'user_insights' });
    published = await deployment.read('user_insights');
    windows = deployment.api.ledger.entries
      .map(({ request }) => new URL(request.replace(/^\w+ /, ''), 'http://api').searchParams)
      .filter((query) => query.has('since'))
      .map((query) => ({
        since: Number(query.get('since')) * 1000,
        until: Number(query.get('until')) * 1000,
      }));
  }, 120_000);

  afterAll(async () => {
    await deployment[Symbol.asyncDispose]();
  });

  it('is accepted before the first start of the program', () => {
    expect(imported).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ended).toMatchObject({ code: 0, stderr: allSucceeded });
  });

  it('lets the poll start a look-back before its cursor, and end a day ahead', () => {
    expect(windows.length).toBeGreaterThanOrEqual(4);
    expect(Math.min(...windows.map(({ since }) => since))).toBe(cursorMs - lookbackMs);
    const untilMs = Math.max(...windows.map(({ until }) => until));
    expect(Math.abs(untilMs - (startedMs + DAY_MS))).toBeLessThan(hourMs);
  });

  it('lets the poll publish every day from there on, equal to the world, and no earlier day', () => {
    const since = new Date(cursorMs - lookbackMs).toISOString();
    expect(new Map(published.map(({ key, value }) => [key, comparable(value)]))).toEqual(
      expectedDays(deployment.truth(), since),
    );
    expect(published.length).toBeGreaterThanOrEqual(12);
  });

  it('is continued by the sequence of the program (Invariant 2)', async () => {
    const states = (await deployment.read('state')).filter(({ key }) =>
      key.startsWith('user_insights/'),
    );
    expect(states.map(({ value }) => value?.['sequence'])).toEqual(
      states.map((_state, index) => index + 1),
    );
    expect(states[0]?.value).toMatchObject({ cursor: cursorMs, sequence: 1 });
    expect(Number(states.at(-1)?.value?.['cursor'])).toBeGreaterThan(cursorMs + 8 * DAY_MS);
  });
});

describe("empty Airbyte state ('{}')", () => {
  it('writes nothing, and the stream starts from its first poll', async () => {
    await using deployment = await deploy(
      createWorld({
        seed: 7,
        accounts: 1,
        mediaPerAccount: 1,
        storiesPerAccount: 0,
        insightsDays: 60,
      }),
    );
    for (const input of ['{}', 'null']) {
      const imported = await runCommand(['state', 'import', '-', '--apply'], {
        env: deployment.env,
        input,
      });
      expect(imported).toEqual({ exitCode: 0, stdout: 'Nothing to change.\n', stderr: '' });
    }

    const ended = await deployment.once({ STREAMS: 'user_insights' });

    expect(ended).toMatchObject({ code: 0, stderr: allSucceeded });
    // All days of the last 30, less the hour at their beginning.
    expect([29, 30]).toContain((await deployment.read('user_insights')).length);
  }, 120_000);
});
