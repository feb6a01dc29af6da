import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CheckLine } from '../../../src/cli/check/checklist.ts';
import { partitionOf } from '../../../src/engine/partition.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { runCommand } from '../../support/command.ts';
import { type Deployment, deploy } from '../end-to-end/deployment.ts';
import { openClient } from './installation.ts';

interface Report {
  readonly ok: boolean;
  readonly lines: readonly CheckLine[];
}

let deployment: Deployment;

beforeAll(async () => {
  const world = createWorld({
    seed: 5,
    accounts: 2,
    smallAccounts: 0,
    mediaPerAccount: 2,
    storiesPerAccount: 0,
    insightsDays: 3,
  });
  deployment = await deploy(world);
}, 60_000);

afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
});

async function check(changes: Readonly<Record<string, string>> = {}) {
  const env = { ...deployment.env, STREAMS: 'users,user_insights,comments', ...changes };
  const { exitCode, stdout, stderr } = await runCommand(['check', '--json'], { env });
  const { ok, lines } = JSON.parse(stdout) as Report;
  const of = (id: string) => lines.filter((line) => line.id === id);
  return { exitCode, stdout, stderr, ok, lines, of };
}

async function topics(): Promise<readonly string[]> {
  const admin = openClient(deployment.cluster).admin();
  await admin.connect();
  const names = await admin.listTopics();
  await admin.disconnect();
  return names.filter((name) => name.startsWith(deployment.topicOf('')));
}

describe('check', () => {
  test('reports every check as ok before the first start, and creates nothing', async () => {
    const { exitCode, ok, lines, of } = await check();

    expect(lines.filter(({ status }) => status === 'failed')).toEqual([]);
    expect({ exitCode, ok }).toEqual({ exitCode: 0, ok: true });
    expect([...new Set(lines.map(({ id }) => id))]).toEqual([
      'kafka.dns',
      'kafka.tcp',
      'kafka.tls',
      'kafka.login',
      'kafka.brokers',
      'kafka.transactions',
      'kafka.topics',
      'kafka.group',
      'kafka.states',
      'registry.connection',
      'registry.schemas',
      'api.version',
      'api.token',
      'api.permissions',
      'api.accounts',
      'api.clock',
      'api.contract',
      'api.insights',
      'api.quota',
    ]);
    const accounts = deployment.truth().accounts.map(({ id }) => id);
    const brokers = new Set(of('kafka.brokers').map(({ detail }) => detail));
    expect([...brokers]).toEqual(['can be connected to; Kafka 4.1']);
    expect(of('kafka.topics').map(({ detail }) => detail)).toContainEqual(
      'is made by the start, with 2 partitions, cleanup.policy=compact',
    );
    expect(of('kafka.group')[0]?.status).toBe('skipped');
    expect(of('api.token')[0]?.detail).toMatch(/^valid for ever/);
    expect(of('api.accounts').map(({ subject }) => subject)).toEqual(accounts);
    expect(of('api.clock')[0]?.detail).toMatch(/^agrees with that of the API/);
    expect(of('api.insights').map(({ detail }) => detail)).toEqual(['answers', 'answers']);
    expect(of('api.quota')[0]?.detail).toMatch(/^\d+% left$/);
    expect(await topics()).toEqual([]);
  }, 60_000);

  test('reads topics, states and subjects after a start, and disturbs no instance', async () => {
    const told: string[] = [];
    const settings = { STREAMS: 'users,user_insights', STREAM_USERS_INTERVAL: '1s' };
    await using program = deployment.run(settings, ({ msg }) => told.push(String(msg)));
    while (told.filter((message) => message === 'poll finished').length < 4) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }

    const { exitCode, of } = await check({ STREAMS: 'users,user_insights' });

    expect(exitCode).toBe(0);
    expect(of('kafka.topics').map(({ detail }) => detail)).toContainEqual(
      expect.stringMatching(
        /^2 partitions, cleanup.policy=compact, min.insync.replicas=1; the unit/,
      ),
    );
    expect(of('kafka.group')[0]?.detail).toMatch(/^allowed; running: \S+/);
    expect(of('kafka.states')[0]?.detail).toBe('4 states can be read');
    // The schema of notifications is registered beside the polls, up to five seconds after them.
    const polled = of('registry.schemas').filter(
      ({ subject }) => !String(subject).includes('notifications'),
    );
    expect(polled.length).toBeGreaterThanOrEqual(4);
    expect(polled.filter(({ detail }) => !detail.startsWith('registered'))).toEqual([]);
    expect(told).not.toContain('partition fenced');
    program.process.kill('SIGTERM');
    expect(await program.ended).toBe(0);
  }, 60_000);

  test('fails for states that a start would reject', async () => {
    const topic = deployment.topicOf('state');
    const producer = openClient(deployment.cluster).producer();
    await producer.connect();
    const put = (key: string, partition: number, value: string | null) =>
      producer.send({ topic, messages: [{ key, value, partition }] });
    const right = partitionOf('1', 2);

    await put('users/1', right, 'no state');
    const unreadable = await check();
    await put('users/1', right, null);
    await put('users/1', 1 - right, 'no state');
    const misplaced = await check();
    await put('users/1', 1 - right, null);
    await producer.disconnect();

    expect(unreadable.exitCode).toBe(3);
    expect(unreadable.of('kafka.states')).toMatchObject([
      { status: 'failed', subject: 'users/1', code: 'state.unreadable' },
      { status: 'ok', detail: '4 states can be read' },
    ]);
    expect(misplaced.exitCode).toBe(3);
    expect(misplaced.of('kafka.states')).toMatchObject([
      {
        status: 'failed',
        code: 'kafka.topic-invalid',
        detail: expect.stringContaining('instagram-kafka state move-partitions'),
      },
    ]);
  }, 60_000);

  test('warns about a topic that loses records, with the command that corrects it', async () => {
    const admin = openClient(deployment.cluster).admin();
    await admin.connect();
    const topic = deployment.topicOf('comments');
    const configEntries = [{ name: 'cleanup.policy', value: 'delete' }];
    await admin.createTopics({ topics: [{ topic, configEntries }] });

    const { exitCode, of } = await check();

    expect(exitCode).toBe(0);
    expect(of('kafka.topics').find(({ subject }) => subject === topic)).toMatchObject({
      status: 'warning',
      detail: expect.stringMatching(/^cleanup.policy=delete, retention.ms=\d+, expected cleanup/),
      action: expect.stringMatching(
        /^Run: kafka-configs.sh .* --add-config cleanup.policy=compact$/,
      ),
    });
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  }, 60_000);

  test('reports each failure with its action, and the checks that it could not run', async () => {
    const wrong = 'EAAGnotavalidtokenatall';
    const { exitCode, ok, stdout, stderr, of } = await check({
      KAFKA_BROKERS: '127.0.0.1:1,no-such-host.invalid:9092',
      SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
      INSTAGRAM_ACCESS_TOKEN: wrong,
    });

    expect({ exitCode, ok }).toEqual({ exitCode: 3, ok: false });
    expect(of('kafka.dns').map(({ status }) => status)).toEqual(['ok', 'failed']);
    expect(of('kafka.tcp')[0]).toMatchObject({
      status: 'failed',
      subject: '127.0.0.1:1',
      action: expect.stringContaining('Check that the broker is up'),
    });
    expect(of('kafka.topics')).toMatchObject([{ status: 'skipped', detail: 'needs kafka.login' }]);
    expect(of('registry.connection')[0]).toMatchObject({ code: 'registry.unavailable' });
    expect(of('registry.schemas')[0]?.detail).toBe('needs registry.connection');
    expect(of('api.token')[0]).toMatchObject({ status: 'failed', code: 'graph.token' });
    expect(of('api.insights')[0]?.detail).toBe('needs api.accounts');
    expect(stdout + stderr).not.toContain(wrong);
  }, 60_000);

  test("warns about rejected batch requests with Meta's words, and exits with 0", async () => {
    deployment.api.world.conditions.set({ batchRefused: true });
    const { exitCode, of } = await check({ STREAMS: 'users' });
    deployment.api.world.conditions.clear();

    expect(exitCode).toBe(0);
    expect(of('api.contract').filter(({ status }) => status !== 'ok')).toMatchObject([
      {
        status: 'warning',
        subject: 'batch',
        detail: expect.stringContaining('Meta says "(#100) Unsupported post request.'),
        action: expect.stringContaining('No action needed: each object is requested by itself'),
      },
    ]);
  }, 60_000);

  test('advises on the version, not on the token, when the API does not know the version', async () => {
    const { exitCode, of } = await check({ INSTAGRAM_API_VERSION: 'v31.0' });

    expect(exitCode).toBe(3);
    expect(of('api.token')[0]).toMatchObject({
      status: 'failed',
      code: 'graph.refused',
      action: expect.stringMatching(/^Check INSTAGRAM_API_VERSION/),
    });
  }, 60_000);

  test('skips the token during a limit of the app, and says when to run it again', async () => {
    deployment.api.faults.add({ effect: { error: 'app-limit' } });
    const { exitCode, of } = await check();
    deployment.api.faults.clear();

    const again = /run check again in \d+ min/i;
    expect(of('api.token')).toMatchObject([{ status: 'skipped', action: null, code: null }]);
    expect(of('api.token')[0]?.detail).toMatch(
      /^the app's limit is reached; run check again in \d+ min. The token was not checked$/,
    );
    expect(of('api.accounts')).toMatchObject([{ status: 'failed', code: 'graph.rate-limited' }]);
    expect(of('api.accounts')[0]?.action).toMatch(again);
    expect(exitCode).toBe(3);
  }, 60_000);

  test('rejects an invalid configuration with exit code 2 before any check', async () => {
    const env = { ...deployment.env, KAFKA_BROKERS: 'nonsense' };

    const { exitCode, stdout, stderr } = await runCommand(['check', '--json'], { env });

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^config\.invalid: /);
  });
});
