import { describe, expect, test } from '@jest/globals';
import { startGraphApi, type GraphApi } from '../../sandbox/graph-api/server.ts';
import { createWorld } from '../../sandbox/graph-api/world.ts';
import { openReading } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Login } from '../../src/engine/account.ts';
import { stateKey } from '../../src/engine/state.ts';
import { openLocalCodec } from '../../src/registry/index.ts';
import { pollWhenDue, startJob } from '../../src/engine/poller.ts';
import type { Clock, Publisher, Restored } from '../../src/engine/ports.ts';
import { streams, streamNames } from '../../src/instagram/streams/index.ts';
import { noSignal } from '../support/registry-options.ts';
import { textOf } from '../unit/sandbox/graph-api/asking.ts';
import { expectGolden } from './golden.ts';

const hourMs = 3_600_000;
const codec = openLocalCodec([...streamNames, 'dead_letters']);

/** The same world in every run: two accounts, one of them with few followers. */
const startApi = () =>
  startGraphApi({
    world: createWorld({
      seed: 3,
      now: '2026-05-12T12:00:00Z',
      accounts: 2,
      mediaPerAccount: 80,
      storiesPerAccount: 3,
      insightsDays: 30,
    }),
  });

/** A source that reads the API with one of the logins, on the clock of the world. */
function openReader({ url, world }: GraphApi, login: Login) {
  const tokens =
    login === 'facebook'
      ? [world.token]
      : world.accounts.map(({ instagramToken }) => instagramToken);
  const env = {
    INSTAGRAM_LOGIN: login,
    INSTAGRAM_ACCESS_TOKEN: tokens.join(','),
    INSTAGRAM_BASE_URL: url,
    INSTAGRAM_START_DATE: '2026-05-01',
    ...(login === 'facebook' && {
      INSTAGRAM_DISCOVERED_USERS: textOf(world.accounts[0]?.user['username']),
      INSTAGRAM_HASHTAGS: 'sunset',
    }),
    KAFKA_BROKERS: 'none:9092',
    SCHEMA_REGISTRY_URL: 'http://none:8081',
    HTTP_ENABLED: 'false',
    LOG_LEVEL: 'silent',
  };
  const nowMs = (): number => world.clock.now();
  const clock: Clock = {
    nowMs,
    sleep: (ms) => Promise.reject(new Error(`a poll of a calm API waits ${ms} ms`)),
  };
  const config = loadConfig({ env, args: {}, nowMs: nowMs() });
  return openReading(config, { version: '1.2.3', hostName: 'here', clock }, codec.encoder);
}

/** The cost of two polls of every stream and account, an hour apart, from the simulator's ledger. */
async function costOf(login: Login): Promise<readonly string[]> {
  await using api = await startApi();
  await using reader = openReader(api, login);
  const states = new Map<string, Restored>();
  const publisher: Publisher = {
    publish({ state }) {
      states.set(stateKey(state.stream, state.accountId), { kind: 'state', state });
      return Promise.resolve();
    },
  };
  const tools = { ...reader.tools, publisher };
  const { ledger, world } = api;
  const { accounts } = await reader.directory.list(noSignal);
  const lines = [`${login}, accounts: ${describeCost(api)}`];
  for (const poll of ['first poll', 'second poll']) {
    const cycleMs = world.clock.now();
    for (const name of streamNames.filter((one) => streams[one].logins.includes(login))) {
      ledger.clear();
      for (const account of accounts) {
        const job = { ...startJob(streams[name], account, states).job, cycleMs };
        const outcome = await pollWhenDue(job, tools, { nextPollMs: null, signal: noSignal });
        expect(outcome).toEqual({ kind: 'done' });
      }
      lines.push(`${login}, ${poll}, ${name}: ${describeCost(api)}`);
    }
    world.clock.advance(hourMs);
  }
  return lines;
}

/** The total, and each endpoint. */
function describeCost({ ledger }: GraphApi): string {
  const all = { total: ledger.total(), ...ledger.byEndpoint() };
  return Object.entries(all)
    .sort(([a], [b]) => Number(b === 'total') - Number(a === 'total') || (a < b ? -1 : 1))
    .map(([of, { calls, requests }]) => `${of} ${calls} calls ${requests} requests`)
    .join('; ');
}

describe('polls', () => {
  test('cost the calls and requests of the golden file in a simulated world', async () => {
    expectGolden('polls', [...(await costOf('facebook')), ...(await costOf('instagram'))]);
  });
});
