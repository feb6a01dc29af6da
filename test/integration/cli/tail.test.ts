import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { nodeFlags } from '../../../sandbox/program.ts';
import { runCommand } from '../../support/command.ts';
import { type Deployment, deploy } from '../end-to-end/deployment.ts';
import { openClient } from './installation.ts';

interface Line {
  readonly partition: number;
  readonly offset: string;
  readonly timestamp: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Readonly<Record<string, unknown>> | null;
}

let deployment: Deployment;

beforeAll(async () => {
  const world = createWorld({
    seed: 5,
    accounts: 2,
    smallAccounts: 0,
    mediaPerAccount: 12,
    storiesPerAccount: 1,
    insightsDays: 2,
  });
  deployment = await deploy(world);
  const { code } = await deployment.once({ STREAMS: 'media' });
  if (code !== 0) throw new Error(`once ended with ${String(code)}`);
}, 60_000);

afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
});

async function tail(args: readonly string[], env = deployment.env) {
  const ended = await runCommand(['tail', ...args, '--json'], { env });
  const lines = ended.stdout.split('\n').filter((line) => line !== '');
  return { ...ended, records: lines.map((line) => JSON.parse(line) as Line) };
}

/** Overlapping transactions in one partition: two aborted ones, and one that deletes a key. */
async function abortBesides(topic: string, deleted: string): Promise<void> {
  const client = openClient(deployment.cluster);
  const [first, second, third] = ['1', '2', '3'].map((name) =>
    client.producer({
      transactionalId: `${topic}-${name}`,
      idempotent: true,
      maxInFlightRequests: 1,
    }),
  );
  if (first === undefined || second === undefined || third === undefined) throw new Error('three');
  const producers = [first, second, third];
  await Promise.all(producers.map((producer) => producer.connect()));
  const [a, b, c] = [
    await first.transaction(),
    await second.transaction(),
    await third.transaction(),
  ];
  const send = (transaction: typeof a, key: string) =>
    transaction.send({ topic, messages: [{ key, value: null, partition: 0 }] });
  await send(a, 'aborted-a');
  await send(b, 'aborted-b');
  await send(a, 'aborted-a');
  await b.abort();
  await a.abort();
  await send(c, deleted);
  await c.commit();
  await Promise.all(producers.map((producer) => producer.disconnect()));
}

describe('tail', () => {
  test('prints every committed record from the beginning, decoded, and tombstones', async () => {
    await abortBesides(deployment.topicOf('media'), 'gone');

    const { exitCode, stderr, records } = await tail(['media', '--from-beginning', '--no-follow']);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(records).toHaveLength(25);
    expect(records.map(({ key }) => key)).not.toContain('aborted-a');
    expect(records.find(({ key }) => key === 'gone')?.value).toBeNull();
    const decoded = new Map((await deployment.read('media')).map((one) => [one.key, one]));
    for (const { key, value, headers } of records.filter((one) => one.value !== null)) {
      expect(value).toMatchObject({
        id: key,
        permalink: decoded.get(key)?.value?.['permalink'],
        polled_at: expect.stringMatching(/Z$/),
      });
      expect(headers['stream']).toBe('media');
    }
  }, 60_000);

  test('filters by account, key, offset and number', async () => {
    const account = deployment.truth().accounts[1]?.id ?? '';

    const ofAccount = await tail(['media', '--since', '1h', '--no-follow', '--account', account]);
    const key = ofAccount.records[3]?.key ?? '';
    const ofKey = await tail(['media', '--from-beginning', '--key', key, '--limit', '1']);
    const last = await tail(['state', '--from-offset=-4', '--no-follow']);

    expect(ofAccount.records).toHaveLength(12);
    expect(new Set(ofAccount.records.map(({ headers }) => headers['account']))).toEqual(
      new Set([account]),
    );
    expect(ofKey.records.map((one) => one.key)).toEqual([key]);
    expect(ofKey.exitCode).toBe(0);
    // Two states, and the marker after each.
    expect(last.records.map((one) => one.value?.['stream'])).toEqual(['media', 'media']);
  }, 60_000);

  test('prints Avro keys as records, and filters by the text of a key', async () => {
    const id = `avro-keys-${deployment.env['KAFKA_TRANSACTIONAL_ID_PREFIX'] ?? ''}`;
    const env = {
      ...deployment.env,
      KAFKA_TOPIC_TEMPLATE: `${id}.{stream}`,
      KAFKA_TRANSACTIONAL_ID_PREFIX: id,
      KAFKA_KEY_FORMAT: 'avro',
      KAFKA_TOMBSTONES: 'true',
      STREAMS: 'media,user_insights',
    };
    const { world } = deployment.api;
    expect(await deployment.onceWith(env)).toMatchObject({ code: 0 });
    const post = world.accounts[0]?.media[4]?.id ?? '';
    world.conditions.set({ deletedMedia: [post] });
    expect(await deployment.onceWith(env)).toMatchObject({ code: 0 });
    world.conditions.set({ deletedMedia: [] });

    const all = ['--from-beginning', '--no-follow'];
    const ofPost = await tail(['media', ...all, '--key', post], env);
    const days = await tail(['user_insights', ...all], env);
    const changed = await deployment.onceWith({ ...env, KAFKA_KEY_FORMAT: 'string' });

    expect(ofPost.records.map(({ key }) => key)).toEqual([{ id: post }, { id: post }]);
    expect(ofPost.records.map(({ value }) => value?.['id'] ?? null)).toEqual([post, null]);
    expect(days.records.length).toBeGreaterThan(2);
    for (const { key, value } of days.records) {
      const { business_account_id, date } = value ?? {};
      expect(key).toEqual({ business_account_id, date });
    }
    expect(changed.code).toBe(3);
    expect(changed.stderr).toContain('were published with keys of the format avro');
  }, 90_000);

  test('waits for new records, exits with 0 on SIGINT, and leaves no group behind', async () => {
    const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
    const child = spawn(
      process.execPath,
      [...nodeFlags, main, 'tail', 'media', '--from-offset=-1'],
      {
        env: deployment.env,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const closed = once(child, 'close');
    const told = Promise.withResolvers<string>();
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('yet-to-come')) told.resolve(output);
    });
    // Sent repeatedly until it is seen: the command does not report when it starts to wait.
    while (!output.includes('yet-to-come')) {
      await abortBesides(deployment.topicOf('media'), 'yet-to-come');
    }
    const shown = await told.promise;
    child.kill('SIGINT');

    expect(await closed).toEqual([0, null]);
    expect(shown).toMatch(/^\S+Z 0@\d+ yet-to-come \(tombstone\)$/m);
    expect(shown).not.toContain('aborted');
    const admin = openClient(deployment.cluster).admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    await admin.disconnect();
    const prefix = deployment.env['KAFKA_TRANSACTIONAL_ID_PREFIX'] ?? '';
    expect(groups.filter(({ groupId }) => groupId.startsWith(`${prefix}-tail`))).toEqual([]);
  }, 60_000);

  test.each([
    [['reels'], 2, 'stream "reels": expected one of'],
    [['media', '--since', 'now'], 2, '--since "now": expected how long ago'],
    [['users', '--no-follow'], 3, 'the topic of a stream that STREAMS names'],
  ])(
    'rejects invalid arguments with a reason: %j',
    async (args, code, message) => {
      const { exitCode, stderr, stdout } = await tail(args);

      expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
      expect(stderr).toContain(message);
    },
    60_000,
  );
});
