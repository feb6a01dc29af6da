import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { readTopics } from '../../../sandbox/topics.ts';
import { runCommand } from '../../support/command.ts';
import { type Deployment, deploy } from './deployment.ts';

let deployment: Deployment;
let env: Readonly<Record<string, string>>;
let prefix: string;
let accounts: readonly string[];

beforeAll(async () => {
  const world = createWorld({
    seed: 9,
    accounts: 2,
    smallAccounts: 0,
    mediaPerAccount: 6,
    storiesPerAccount: 0,
    insightsDays: 2,
  });
  deployment = await deploy(world);
  prefix = deployment.env['KAFKA_TRANSACTIONAL_ID_PREFIX'] ?? '';
  env = {
    ...deployment.env,
    KAFKA_TOPIC_TEMPLATE: `${prefix}.{account}.{stream}`,
    STREAMS: 'users,media',
  };
  const truth = deployment.truth();
  accounts = truth.accounts.map(({ id }) => id);
}, 120_000);

afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
});

async function read(name: string) {
  const { brokers, registryUrl } = deployment.cluster;
  return (await readTopics({ brokers, registryUrl }, [name])).get(name) ?? [];
}

describe('a topic for each account and stream', () => {
  test('is checked before it exists, made before the first record, and holds one account', async () => {
    const before = await runCommand(['check'], { env });
    for (const account of accounts) {
      expect(before.stdout).toContain(`${prefix}.${account}.media: is made by the start`);
      expect(before.stdout).toContain(`${prefix}.${account}.media-value: new`);
    }

    const first = await deployment.onceWith(env);
    expect(first.code).toBe(0);
    for (const account of accounts) {
      const media = await read(`${prefix}.${account}.media`);
      expect(media).toHaveLength(6);
      expect(new Set(media.map(({ headers }) => headers['account']))).toEqual(new Set([account]));
      expect(await read(`${prefix}.${account}.users`)).toHaveLength(1);
    }

    const kafka = new Kafka({
      brokers: [...deployment.cluster.brokers],
      logLevel: logLevel.NOTHING,
    });
    const admin = kafka.admin();
    await admin.connect();
    const topics = (await admin.listTopics()).filter((name) => name.startsWith(prefix)).sort();
    await admin.disconnect();
    const own = ['dead-letters', 'media', 'users'];
    const expected = accounts.flatMap((id) => own.map((name) => `${prefix}.${id}.${name}`));
    expect(topics).toEqual([...expected, `${prefix}.state`].sort());
    const { registryUrl } = deployment.cluster;
    const subjects = (await (await fetch(`${registryUrl}/subjects`)).json()) as readonly string[];
    expect(subjects.filter((name) => name.startsWith(`${prefix}.`)).sort()).toEqual(
      topics.map((name) => `${name}-value`).sort(),
    );
  }, 120_000);

  test('is published to by the next run, which repeats no record', async () => {
    expect((await deployment.onceWith(env)).code).toBe(0);
    for (const account of accounts) {
      expect(await read(`${prefix}.${account}.media`)).toHaveLength(6);
      expect(await read(`${prefix}.${account}.users`)).toHaveLength(2);
    }
  }, 120_000);

  test('is read by tail and seen by check and schemas', async () => {
    const [account = ''] = accounts;
    const args = ['media', '--from-beginning', '--no-follow', '--json'];
    const tailed = await runCommand(['tail', ...args, '--account', account], { env });
    expect(tailed.stdout.trim().split('\n')).toHaveLength(6);
    expect((await runCommand(['tail', ...args], { env })).exitCode).toBe(2);

    const checked = await runCommand(['check'], { env });
    expect(checked.stdout).toContain(`${prefix}.${account}.media: 2 partitions`);
    expect(checked.stdout).toContain(`${prefix}.${account}.media-value: registered with id`);
    const schemas = await runCommand(['schemas', 'check', '--account', account], { env });
    expect(schemas.stdout).toContain(`${prefix}.${account}.dead-letters-value`);
    expect(schemas.exitCode).toBe(0);
    expect((await runCommand(['schemas', 'check'], { env })).stderr).toContain(
      'schemas: expected --account or ids in INSTAGRAM_ACCOUNTS',
    );
  }, 120_000);
});
