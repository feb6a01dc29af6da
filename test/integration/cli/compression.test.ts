import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { runCommand } from '../../support/command.ts';
import { type Deployment, deploy } from '../end-to-end/deployment.ts';
import { openClient } from './installation.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await deploy(
    createWorld({
      seed: 5,
      accounts: 2,
      mediaPerAccount: 1,
      storiesPerAccount: 0,
      insightsDays: 1,
    }),
  );
}, 60_000);

afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
});

/** The broker compresses every batch of a topic with this config, whatever the producer sends. */
async function createStateTopic(topic: string, compressionType: string): Promise<void> {
  const admin = openClient(deployment.cluster).admin();
  await admin.connect();
  const configEntries = [
    { name: 'cleanup.policy', value: 'compact' },
    { name: 'compression.type', value: compressionType },
  ];
  await admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic, numPartitions: 2, replicationFactor: 1, configEntries }],
  });
  await admin.disconnect();
}

describe.each(['gzip', 'snappy', 'lz4', 'zstd'])('state topic with compression.type %s', (type) => {
  test('is readable for state list and for a second once', async () => {
    const env = {
      ...deployment.env,
      KAFKA_TOPIC_TEMPLATE: `${type}.{stream}`,
      KAFKA_TRANSACTIONAL_ID_PREFIX: type,
      KAFKA_COMPRESSION: type,
      STREAMS: 'users',
      LOG_LEVEL: 'warn',
    };
    const run = (args: readonly string[]) => runCommand(args, { env });
    const sequences = async (): Promise<readonly number[]> => {
      const { stdout } = await run(['state', 'list', '--json']);
      return (JSON.parse(stdout) as { sequence: number }[]).map(({ sequence }) => sequence);
    };
    await createStateTopic(`${type}.state`, type);

    expect(await run(['once'])).toMatchObject({ exitCode: 0 });
    expect(await sequences()).toEqual([1, 1]);

    // Without the states of the first run, the second run would write the same sequence again.
    expect(await run(['once'])).toMatchObject({ exitCode: 0 });
    expect(await sequences()).toEqual([2, 2]);
  }, 120_000);
});
