import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type GraphApi, startGraphApi } from '../../../sandbox/graph-api/server.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { openReading } from '../../../src/app.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { type Job, newJob, pollWhenDue } from '../../../src/engine/poller.ts';
import type { TelemetryEvent } from '../../../src/engine/ports.ts';
import { firstState } from '../../../src/engine/state.ts';
import { openLocalCodec } from '../../../src/registry/index.ts';
import { requestedStream } from '../../../src/source-settings.ts';
import { createFakePublisher } from '../../support/fake-publisher.ts';

type Calls = Extract<TelemetryEvent, { type: 'calls' }>;

/** Sums the results by age: `old: 3 found, 4 nothing`. */
function resultsOf(events: readonly Calls[]): Readonly<Record<string, string>> {
  const sums = new Map<string, { found: number; nothing: number }>();
  for (const [age, { found, nothing }] of events.flatMap((one) => Object.entries(one.results))) {
    const before = sums.get(age) ?? { found: 0, nothing: 0 };
    sums.set(age, { found: before.found + found, nothing: before.nothing + nothing });
  }
  const words = [...sums].map(([age, { found, nothing }]) => {
    return [age, `${found} found, ${nothing} nothing`];
  });
  return Object.fromEntries(words) as Record<string, string>;
}

describe('calls of polls of the simulated API', () => {
  let api: GraphApi;
  const events: Calls[] = [];
  const signal = new AbortController().signal;

  beforeAll(async () => {
    const size = { mediaPerAccount: 30, storiesPerAccount: 2, insightsDays: 5 };
    api = await startGraphApi({ world: createWorld({ seed: 5, accounts: 1, ...size }) });
  });

  afterAll(async () => {
    await api[Symbol.asyncDispose]();
  });

  /** Polls a stream some times, and returns the calls of each poll. */
  async function poll(
    name: 'media' | 'media_insights' | 'comments' | 'user_daily_totals',
    times: number,
  ) {
    const env = { INSTAGRAM_ACCESS_TOKEN: api.world.token, INSTAGRAM_BASE_URL: api.url };
    const unused = { 'kafka.brokers': [], 'schemaRegistry.url': '' };
    const config = loadConfig({ env: { ...env, LOG_LEVEL: 'silent' }, args: {}, unused });
    const options = {
      version: 'test',
      hostName: 'test',
      observer: {
        report: (event: TelemetryEvent) => {
          if (event.type === 'calls') events.push(event);
        },
      },
    };
    await using reading = openReading(config, options, openLocalCodec([name]).encoder);
    const { accounts } = await reading.directory.list(signal);
    const [account] = accounts;
    if (account === undefined) throw new Error('the simulator lists no account');
    const stream = requestedStream(config, name);
    const job: Job = newJob(stream, account, firstState(name, account.id));
    const tools = { ...reading.tools, publisher: createFakePublisher() };
    const before = api.ledger.total().calls;
    const polls = [];
    for (let index = 0; index < times; index += 1) {
      events.length = 0;
      const outcome = await pollWhenDue(job, tools, { nextPollMs: null, signal });
      polls.push({ outcome: outcome.kind, results: resultsOf(events), calls: sum(events) });
    }
    return { polls, calls: api.ledger.total().calls - before };
  }

  const sum = (all: readonly Calls[]): number => all.reduce((so, { calls }) => so + calls, 0);

  test('of media: find everything at first, and nothing in a second poll without changes', async () => {
    const { polls, calls } = await poll('media', 2);

    expect(polls.map(({ results }) => results)).toEqual([
      { none: '1 found, 0 nothing' },
      { none: '0 found, 1 nothing' },
    ]);
    expect(polls.reduce((so, one) => so + one.calls, 0)).toBe(calls);
  }, 30_000);

  test('of media_insights: are counted by the age of the media', async () => {
    const { polls, calls } = await poll('media_insights', 2);
    const [first, second] = polls;

    expect(first?.results['old']).toMatch(/^[1-9]\d* found, /);
    expect(first?.results['new']).toMatch(/^[1-9]\d* found, 0 nothing$/);
    // Only new media are due again, and none of their numbers has changed.
    expect(second?.results['new']).toMatch(/^0 found, [1-9]\d* nothing$/);
    expect(Object.keys(second?.results ?? {}).toSorted()).toEqual(['new', 'none']);
    expect(polls.reduce((so, one) => so + one.calls, 0)).toBe(calls);
  }, 30_000);

  test('of user_daily_totals: name the impressions of the last day, for the limit of calls', async () => {
    const { polls, calls } = await poll('user_daily_totals', 1);

    expect(polls[0]?.calls).toBe(calls);
    expect(events.map(({ impressions }) => impressions).at(-1)).toBeGreaterThan(0);
  }, 30_000);

  test('of comments: are counted by the media whose comments they find', async () => {
    const { polls, calls } = await poll('comments', 1);

    expect(polls[0]?.results['old']).toMatch(/^[1-9]\d* found, 0 nothing$/);
    expect(polls.reduce((so, one) => so + one.calls, 0)).toBe(calls);
  }, 30_000);
});
