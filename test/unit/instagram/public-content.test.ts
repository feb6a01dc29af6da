import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { type GraphApi, startGraphApi } from '../../../sandbox/graph-api/server.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { openReading } from '../../../src/app.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { isPolled } from '../../../src/engine/account.ts';
import { type PollOutcome, pollWhenDue, startJob } from '../../../src/engine/poller.ts';
import type {
  Clock,
  OutgoingRecord,
  Publisher,
  Restored,
  TelemetryEvent,
} from '../../../src/engine/ports.ts';
import { stateKey } from '../../../src/engine/state.ts';
import { type InstagramStreamName, streams } from '../../../src/instagram/streams/index.ts';
import { openLocalCodec } from '../../../src/registry/index.ts';
import { textOf } from '../sandbox/graph-api/asking.ts';
import { noSignal } from '../../support/registry-options.ts';

const dayMs = 86_400_000;
const names = ['users', 'discovered_users', 'discovered_media', 'hashtag_media'] as const;
const codec = openLocalCodec([...names, 'dead_letters']);

/** The simulator and the program that reads it over HTTP; a wait lasts until the test ends. */
async function start(env: Readonly<Record<string, string>>) {
  const api = await startGraphApi({
    world: createWorld({
      seed: 3,
      now: '2026-05-12T12:00:00Z',
      accounts: 3,
      smallAccounts: 0,
      mediaPerAccount: 60,
      storiesPerAccount: 0,
      insightsDays: 1,
    }),
  });
  const { world } = api;
  const stop = new AbortController();
  const clock: Clock = {
    nowMs: () => world.clock.now(),
    sleep: (_ms, signal) =>
      new Promise((_resolve, reject) => {
        const end = (): void => {
          reject(new Error('stopped'));
        };
        for (const one of [signal, stop.signal]) one.addEventListener('abort', end);
      }),
  };
  const config = loadConfig({
    env: {
      INSTAGRAM_ACCESS_TOKEN: world.token,
      INSTAGRAM_BASE_URL: api.url,
      STREAMS: names.join(','),
      INSTAGRAM_DISCOVERED_USERS: usernameOf(api, 1),
      INSTAGRAM_HASHTAGS: 'sunset',
      KAFKA_BROKERS: 'none:9092',
      SCHEMA_REGISTRY_URL: 'http://none:8081',
      HTTP_ENABLED: 'false',
      LOG_LEVEL: 'silent',
      ...env,
    },
    args: {},
    nowMs: world.clock.now(),
  });
  const events: TelemetryEvent[] = [];
  const observer = { report: (event: TelemetryEvent) => events.push(event) };
  const options = { version: '1.2.3', hostName: 'here', clock, observer };
  const reader = openReading(config, options, codec.encoder);
  const states = new Map<string, Restored>();
  let records: OutgoingRecord[] = [];
  const publisher: Publisher = {
    publish(batch) {
      const { state } = batch;
      states.set(stateKey(state.stream, state.accountId), { kind: 'state', state });
      records.push(...batch.records);
      return Promise.resolve();
    },
  };
  const { accounts } = await reader.directory.list(noSignal);
  const asking = accounts.find((account) => isPolled(account, 'hashtag_media'));
  if (asking === undefined) throw new Error('no account polls public content');
  const skipped = () =>
    events.flatMap((event) => (event.type === 'poll-finished' ? event.leftOut : []));
  return {
    api,
    accounts,
    events,
    skipped,
    /** Polls a stream of the asking account; returns its records. */
    async poll(name: InstagramStreamName) {
      records = [];
      events.length = 0;
      const outcome = await this.begin(name);
      return { outcome, values: records.map((record) => valueOf(record)) };
    },
    begin(name: InstagramStreamName): Promise<PollOutcome> {
      const { job } = startJob(streams[name], asking, states);
      const tools = { ...reader.tools, publisher };
      return pollWhenDue(job, tools, { nextPollMs: null, signal: stop.signal });
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('stopped'));
      await reader[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

function valueOf({ role, value }: OutgoingRecord) {
  return codec.toJson(role, value ?? Buffer.alloc(0)) as Readonly<Record<string, unknown>>;
}

function usernameOf({ world }: GraphApi, index: number): string {
  return textOf(world.accounts[index]?.user['username']);
}

/** Gives the newest posts of all accounts a caption with the hashtag. */
function captioned({ world }: GraphApi, count: number, hashtag: string): readonly string[] {
  const ids = world.accounts.flatMap(({ media }) => media.slice(0, count).map(({ id }) => id));
  world.conditions.set({ captions: Object.fromEntries(ids.map((id) => [id, `A #${hashtag} ☀`])) });
  return ids;
}

describe('public content of the simulator', () => {
  test('is polled through one account, the one with the lowest id', async () => {
    await using program = await start({});
    const { accounts } = program;
    const lowest = accounts.map(({ id }) => id).toSorted()[0];
    const asking = accounts.filter((account) => isPolled(account, 'discovered_media'));

    expect(accounts).toHaveLength(3);
    expect(asking.map(({ id }) => id)).toEqual([lowest]);
    expect(accounts.every((account) => isPolled(account, 'users'))).toBe(true);
  });

  test('has the profile of a listed account, and skips an unknown name', async () => {
    await using program = await start({});
    const { api } = program;
    const name = usernameOf(api, 1);
    const found = await program.poll('discovered_users');
    const expected = api.world.accounts[1]?.user;

    expect(found.outcome).toEqual({ kind: 'done' });
    expect(found.values).toHaveLength(1);
    expect(found.values[0]).toMatchObject({
      id: expected?.['id'],
      username: name,
      followers_count: expected?.['followers_count'],
      media_count: expected?.['media_count'],
    });
    expect((await program.poll('discovered_users')).values).toEqual([]);

    await using other = await start({ INSTAGRAM_DISCOVERED_USERS: `@Nobody,${name}` });
    expect((await other.poll('discovered_users')).values).toHaveLength(1);
    expect(other.skipped()).toEqual([{ subject: '@nobody', reason: 'graph.user-not-public' }]);
    expect(other.api.ledger.byEndpoint()['/{account}']?.calls).toBe(2);
  });

  test.each(['absent', 'unknown'] as const)(
    'skips an age-gated account that business discovery answers as "%s"',
    async (answer) => {
      await using program = await start({});
      const { world } = program.api;
      world.conditions.set({ ageGatedAccounts: { [world.accounts[1]?.id ?? '']: answer } });

      expect((await program.poll('discovered_media')).values).toEqual([]);
      expect(program.skipped()).toMatchObject([{ reason: 'graph.user-not-public' }]);
    },
  );

  test('has the media of a listed account that are younger than the configured age', async () => {
    await using program = await start({ INSTAGRAM_PAGE_SIZE: '10' });
    const { api } = program;
    const nowMs = api.world.clock.now();
    const media = api.world.accounts[1]?.media ?? [];
    const young = media.filter(({ createdAtMs }) => nowMs - createdAtMs < 30 * dayMs);
    const found = await program.poll('discovered_media');
    const ids = found.values.map(({ id }) => id);

    expect(found.outcome).toEqual({ kind: 'done' });
    expect(young.length).toBeGreaterThan(0);
    expect(ids).toEqual(expect.arrayContaining(young.map(({ id }) => id)));
    expect(ids).toHaveLength(Math.ceil((young.length + 1) / 10) * 10);
    expect(found.values[0]).toMatchObject({
      user_id: api.world.accounts[1]?.id,
      username: usernameOf(api, 1),
      shortcode: media[0]?.fields(nowMs)['shortcode'],
    });
    expect(found.values.some(({ view_count: views }) => typeof views === 'number')).toBe(true);
    // Nothing has changed since.
    expect((await program.poll('discovered_media')).values).toEqual([]);
  });

  test.each([
    ['cursors alone, and an empty page at the end', {}],
    ['a next, and the first page again after the last', { hashtagNext: true, hashtagEnd: 'again' }],
  ] as const)('has the media of a hashtag, once each, in a list with %s', async (_what, how) => {
    await using program = await start({ INSTAGRAM_PAGE_SIZE: '4' });
    const ids = captioned(program.api, 5, 'Sunset');
    program.api.world.conditions.set(how);
    const found = await program.poll('hashtag_media');
    const nowMs = program.api.world.clock.now();
    const [recent = [], top = []] = ['recent', 'top'].map((list) =>
      found.values.filter((value) => value['list'] === list),
    );
    const idsOf = (values: typeof top) => values.map(({ id }) => id);

    expect(found.outcome).toEqual({ kind: 'done' });
    expect(idsOf(top)).toEqual(expect.arrayContaining([...ids]));
    for (const list of [recent, top]) expect(new Set(idsOf(list)).size).toBe(list.length);
    expect(recent.length).toBeGreaterThan(0);
    expect(idsOf(top)).toEqual(expect.arrayContaining(idsOf(recent)));
    for (const { timestamp } of recent) {
      expect(nowMs - Date.parse(String(timestamp))).toBeLessThan(dayMs);
    }
    expect(found.values[0]).toMatchObject({ hashtag: 'sunset' });
    expect(found.values[0]).not.toHaveProperty('username');

    const first = program.api.ledger.byEndpoint();
    expect(first['/ig_hashtag_search']?.calls).toBe(1);
    program.api.ledger.clear();
    expect((await program.poll('hashtag_media')).values).toEqual([]);
    // The id is known, and the first page of each list has only published media.
    expect(program.api.ledger.total().calls).toBe(2);
  });

  test.each(['parameter', 'server'] as const)(
    'skips a sensitive hashtag by name when it is rejected by the error "%s"',
    async (hashtagRefusal) => {
      await using program = await start({ INSTAGRAM_HASHTAGS: '#Secret,sunset' });
      captioned(program.api, 1, 'sunset');
      program.api.world.conditions.set({ sensitiveHashtags: ['secret'], hashtagRefusal });
      const found = await program.poll('hashtag_media');

      expect(found.outcome).toEqual({ kind: 'done' });
      expect(found.values.length).toBeGreaterThan(0);
      expect(program.skipped()).toEqual([{ subject: '#secret', reason: 'graph.hashtag-refused' }]);
    },
  );

  test('never searches for more than thirty hashtags in seven days, and no rejection follows', async () => {
    const hashtags = Array.from({ length: 30 }, (_, index) => `tag${index}`).join(',');
    await using program = await start({ INSTAGRAM_HASHTAGS: hashtags });
    await program.poll('hashtag_media');

    expect(program.skipped()).toEqual([]);
    expect(program.api.ledger.byEndpoint()['/ig_hashtag_search']?.calls).toBe(30);
  });

  test('names the feature that the app lacks', async () => {
    await using program = await start({});
    const { world } = program.api;
    world.conditions.set({
      deniedEdges: Object.fromEntries(world.accounts.map(({ id }) => [id, ['ig_hashtag_search']])),
    });
    const { outcome } = await program.poll('hashtag_media');

    expect(outcome).toMatchObject({
      kind: 'failed',
      error: {
        code: 'graph.permission',
        message: expect.stringContaining('the feature Instagram Public Content Access'),
      },
    });
  });

  test('waits for the platform limit while the own streams of the account go on', async () => {
    await using program = await start({});
    program.api.world.limits = { app: { calls: 1 } };
    // The list of accounts has spent it.
    const waiting = program.begin('discovered_users');
    void waiting.catch(() => undefined);
    await untilStopped(program.events, 'platform');

    expect((await program.poll('users')).values).toHaveLength(1);
  });

  test('goes on while the limit of the account is reached', async () => {
    await using program = await start({});
    program.api.world.limits = { account: { calls: 1 } };
    await program.poll('users');
    const waiting = program.begin('users');
    void waiting.catch(() => undefined);
    await untilStopped(program.events, 'account');

    expect((await program.poll('discovered_users')).values).toHaveLength(1);
  });
});

/** Waits until a scope of the kind is stopped. */
async function untilStopped(events: readonly TelemetryEvent[], kind: string): Promise<void> {
  const isStopped = (event: TelemetryEvent): boolean =>
    event.type === 'scope' && event.scope.kind === kind && event.state === 'stopped';
  while (!events.some(isStopped)) await setImmediate();
}
