import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LedgerEntry } from '../../sandbox/graph-api/ledger.ts';
import { type World, createWorld } from '../../sandbox/graph-api/world.ts';
import { DAY_MS } from '../integration/end-to-end/deployment.ts';
import { expectedRecords } from '../integration/end-to-end/expected-records.ts';
import { type LeapingRun, startLeapingRun } from '../integration/end-to-end/leaping-run.ts';
import { type Simulation, simulate } from './simulation.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const worldOf = (changes: Partial<Parameters<typeof createWorld>[0]> = {}) =>
  createWorld({
    seed: 41,
    now: '2026-03-02T06:00:00Z',
    accounts: 2,
    smallAccounts: 0,
    mediaPerAccount: 40,
    preConversionMedia: 0,
    storiesPerAccount: 3,
    unseenStories: 0,
    insightsDays: 5,
    ...changes,
  });

/** The limited account, and the other one. */
function accountsOf({ accounts: [short, other] }: World) {
  if (short === undefined || other === undefined) throw new Error('the world has two accounts');
  return { short, other };
}

type Account = ReturnType<typeof accountsOf>['short'];

/** The calls that count for an account: those about itself, its media or its stories. */
function callsOf(account: Account, { api: { ledger, world } }: Simulation) {
  const nowMs = world.clock.now();
  const media = account.mediaAt(nowMs).map(({ id }) => id);
  const stories = storiesSince(account, nowMs - 2 * DAY_MS, nowMs);
  const ids = new Set([account.id, ...media, ...stories]);
  const isOurs = ({ endpoint, request }: LedgerEntry) =>
    endpoint !== '/me/accounts' && (request.match(/\d{15,}/g) ?? []).some((id) => ids.has(id));
  return ledger.entries.filter((entry) => entry.calls > 0 && isOurs(entry));
}

/** Every story that existed since then, expired ones included. */
function storiesSince(account: Account, sinceMs: number, untilMs: number): Set<string> {
  const found = new Set<string>();
  for (let atMs = sinceMs; atMs <= untilMs; atMs += HOUR_MS / 2) {
    for (const { id } of account.storiesAt(atMs)) found.add(id);
  }
  return found;
}

/** Accounts that are slowed down or stopped, according to the metrics. */
async function limitedScopes(run: LeapingRun): Promise<number> {
  const gauge = 'instagram_kafka_scopes_limited{scope_kind="account"';
  const samples = ['slowed', 'stopped'].map((state) => run.metric(`${gauge},state="${state}"}`));
  return (await Promise.all(samples)).reduce<number>((sum, sample) => sum + (sample ?? 0), 0);
}

/** The number of calls in each burst. */
function burstsOf(entries: readonly LedgerEntry[]): readonly number[] {
  const bursts: number[] = [];
  let lastMs = -Infinity;
  for (const { at } of entries) {
    const atMs = Date.parse(at);
    if (atMs - lastMs > MINUTE_MS) bursts.push(0);
    bursts.push((bursts.pop() ?? 0) + 1);
    lastMs = atMs;
  }
  return bursts;
}

describe('account with a quota of a third of its need', () => {
  let simulation: Simulation;
  let limited: { short: number; other: number };
  let need: { short: number; other: number };
  const scopesLimited: number[] = [];
  let startMs: number;

  beforeAll(async () => {
    need = await measureNeed();
    simulation = await simulate(worldOf());
    const { world } = simulation.api;
    const { short, other } = accountsOf(world);
    startMs = world.clock.now();
    world.limits = { accounts: { [short.id]: { calls: Math.floor(need.short / 3) } } };
    await using run = await startLeapingRun(simulation);
    for (let part = 0; part < 4; part += 1) {
      await run.pass(DAY_MS / 4);
      scopesLimited.push(await limitedScopes(run));
    }
    limited = {
      short: callsOf(short, simulation).length,
      other: callsOf(other, simulation).length,
    };
    await run.pass(DAY_MS / 2);
    world.limits = {};
    await run.pass(DAY_MS);
  }, 400_000);

  afterAll(async () => {
    await simulation[Symbol.asyncDispose]();
  });

  async function measureNeed() {
    await using unlimited = await simulate(worldOf());
    await using run = await startLeapingRun(unlimited);
    await run.pass(DAY_MS);
    const { short, other } = accountsOf(unlimited.api.world);
    return {
      short: callsOf(short, unlimited).length,
      other: callsOf(other, unlimited).length,
    };
  }

  it('is requested within that quota, and never rejected by the API', () => {
    expect(limited.short).toBeLessThanOrEqual(Math.floor(need.short / 3));
    expect(limited.short).toBeGreaterThan(need.short / 5);
    expect(simulation.api.ledger.total().throttled).toBe(0);
  });

  it('sets the gauge of limited scopes', () => {
    expect(Math.max(...scopesLimited)).toBe(1);
  });

  it('does not slow down the other account', () => {
    expect(limited.other).toBeGreaterThan(need.other * 0.8);
  });

  it.each(['stories', 'story_insights'] as const)('misses none of its %s', async (list) => {
    const { world } = simulation.api;
    const { short } = accountsOf(world);
    const found = new Set((await simulation.read(list)).map(({ key }) => key));
    // A story of the last half hour may not have been polled yet.
    const lived = storiesSince(short, startMs, world.clock.now() - HOUR_MS / 2);

    expect(lived.size).toBeGreaterThan(8);
    expect([...lived].filter((id) => !found.has(id))).toEqual([]);
  });

  it('has one final record of each of its stories that have ended, and none after it', async () => {
    const { world } = simulation.api;
    const { short } = accountsOf(world);
    const records = Map.groupBy(await simulation.read('story_insights'), ({ key }) => key);
    const lived = [...storiesSince(short, startMs, world.clock.now() - DAY_MS - HOUR_MS)];
    const finals = lived.map((id) =>
      (records.get(id) ?? []).map(({ value }) => value?.['is_final']).filter((is) => is !== false),
    );

    expect(lived.length).toBeGreaterThan(4);
    expect(finals).toEqual(lived.map(() => [true]));
    expect(lived.map((id) => records.get(id)?.at(-1)?.value?.['is_final'])).toEqual(
      lived.map(() => true),
    );
  });

  it.each(['media', 'media_insights', 'user_insights'] as const)(
    'has all of its %s published in the end',
    async (stream) => {
      const { world } = simulation.api;
      const nowMs = world.clock.now();
      const found = new Set((await simulation.read(stream)).map(({ key }) => key));
      // Data since the last poll cannot be published yet.
      world.clock.set(nowMs - 4 * HOUR_MS);
      const first = new Date(startMs - DAY_MS).toISOString().slice(0, 10);
      const expected = [...expectedRecords(simulation.truth(), first)[stream].keys()];
      world.clock.set(nowMs);

      expect(expected.length).toBeGreaterThan(3);
      expect(expected.filter((key) => !found.has(key))).toEqual([]);
    },
  );
});

describe('account that reaches its limit without a warning', () => {
  it('is not requested for as long as the API says, while the other account is polled', async () => {
    await using simulation = await simulate(worldOf());
    const { world, ledger } = simulation.api;
    const { short, other } = accountsOf(world);
    await using run = await startLeapingRun(simulation);
    await run.pass(2 * HOUR_MS);
    world.limits = { accounts: { [short.id]: { calls: 1, windowMs: 3 * HOUR_MS } } };
    ledger.clear();
    await run.pass(2 * HOUR_MS);

    const refused = callsOf(short, simulation);
    const beside = callsOf(other, simulation);
    world.limits = {};
    await run.pass(3 * HOUR_MS);

    // Concurrent calls reach the limit together.
    const times = new Set(refused.map(({ at }) => Date.parse(at)));
    expect(refused.every(({ throttled, code }) => throttled === true && code === 80_002)).toBe(
      true,
    );
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(HOUR_MS / 4);
    expect(refused.length).toBeLessThanOrEqual(3);
    expect(beside.length).toBeGreaterThan(10);
    expect(callsOf(short, simulation).length).toBeGreaterThan(refused.length + 5);
  }, 120_000);
});

describe('accounts beyond the permits for polls and requests', () => {
  it('send no call while the app is blocked, and a single one when the block ends', async () => {
    const lines = 3;
    const few = { mediaPerAccount: 4, storiesPerAccount: 2, insightsDays: 2 };
    await using simulation = await simulate(worldOf({ accounts: 12, ...few }));
    const { world, ledger } = simulation.api;
    await using run = await startLeapingRun(simulation, {
      // Streams without batch requests: the ledger lists each call of a batch.
      STREAMS: 'users,media,stories',
      POLLING_CONCURRENCY: '2',
      INSTAGRAM_MAX_CONCURRENT_REQUESTS: String(lines),
    });
    await run.pass(HOUR_MS);
    world.limits = { app: { calls: 15, windowMs: HOUR_MS }, countAll: true };
    ledger.clear();
    await run.pass(3 * HOUR_MS);

    const refused = burstsOf(ledger.entries.filter(({ throttled }) => throttled === true));
    // Of 45 calls that the limit allows: the program continues whenever it may.
    expect(ledger.total().requests).toBeGreaterThan(30);
    expect(refused.length).toBeGreaterThan(3);
    // Concurrent calls reach the limit together; all others wait.
    expect(Math.max(...refused)).toBeLessThanOrEqual(lines);
  }, 120_000);
});
