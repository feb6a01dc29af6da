import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../../sandbox/cluster/start.ts';
import { startGraphApi } from '../../sandbox/graph-api/server.ts';
import { truthOf } from '../../sandbox/graph-api/truth.ts';
import { createWorld } from '../../sandbox/graph-api/world.ts';
import { type Program, startProgram } from '../../sandbox/program.ts';
import { blindWrite, keptProducer, offsetLagEnd, stateFirst } from './breaches.ts';
import { breakBuild } from './broken-build.ts';
import { check } from './checker/check.ts';
import type { Expected } from './checker/truth.ts';
import { createLogReader } from './log/log-reader.ts';
import { readLog } from './read-log.ts';
import {
  type Truth,
  expectedRecords,
  STREAM_NAMES,
} from '../integration/end-to-end/expected-records.ts';
import { apiKeys } from '../support/kafka-frames.ts';
import { startKafkaProxy } from '../support/kafka-proxy.ts';

/** The media of one account in a world that does not change, published by a build through a proxy. */
async function deploy(main: string | undefined) {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startCluster());
  const proxy = stack.use(await startKafkaProxy(cluster.brokers));
  const world = createWorld({
    seed: 9,
    now: Date.now() - 86_400_000,
    accounts: 1,
    mediaPerAccount: 6,
    storiesPerAccount: 0,
    insightsDays: 1,
    postsPerDay: 0,
  });
  const api = stack.use(await startGraphApi({ world }));
  const id = `broken-${randomUUID().slice(0, 8)}`;
  const topicOf = (role: string) => `${id}.${role.replaceAll('_', '-')}`;
  const reader = createLogReader({
    brokers: cluster.brokers,
    registryUrl: cluster.registryUrl,
    topics: ['media', 'state', 'dead_letters'].map(topicOf),
  });
  const env = {
    KAFKA_BROKERS: proxy.brokers.join(','),
    KAFKA_TOPIC_TEMPLATE: `${id}.{stream}`,
    KAFKA_TRANSACTIONAL_ID_PREFIX: id,
    KAFKA_TOPICS_PARTITIONS: '1',
    KAFKA_TOPICS_STATE_PARTITIONS: '1',
    KAFKA_SEND_DEADLINE: '9s',
    SCHEMA_REGISTRY_URL: cluster.registryUrl,
    INSTAGRAM_ACCESS_TOKEN: world.token,
    INSTAGRAM_BASE_URL: api.url,
    STREAMS: 'media',
    STREAM_MEDIA_INTERVAL: '1s',
    POLLING_MEDIA_LIST_INTERVAL: '1s',
    POLLING_RETRY_BASE: '100ms',
    HTTP_PORT: '0',
  };
  const owned = stack.move();
  let said = '';
  let failed = false;
  const failedOnce = Promise.withResolvers<undefined>();
  const polls = () => api.ledger.byEndpoint()['/{account}/media']?.requests ?? 0;
  return {
    proxy,
    world,
    start: (): Program => {
      const program = startProgram({
        command: 'run',
        env,
        onErrorText: (text) => {
          said += text;
        },
        onLine: (line) => {
          if (line.includes('retrying a batch')) failedOnce.resolve(undefined);
        },
        ...(main === undefined ? {} : { main }),
      });
      // A build that the test killed has no exit code.
      void program.ended.then((code) => (failed ||= code !== null));
      owned.defer(async () => {
        program.process.kill('SIGKILL');
        await program.ended;
      });
      return program;
    },
    /** Resolves when an attempt of a batch has failed. */
    failedOnce: failedOnce.promise,
    /** Polls once with the program, under another prefix and without the proxy; it fences no other instance. */
    pollByAnother: async (): Promise<void> => {
      const changes = {
        KAFKA_BROKERS: cluster.brokers.join(','),
        KAFKA_TRANSACTIONAL_ID_PREFIX: `${id}-another`,
      };
      const { ended } = startProgram({ command: 'once', env: { ...env, ...changes } });
      expect(await ended).toBe(0);
    },
    /** A poll that began after these steps has ended when the next poll begins. */
    polled: async (): Promise<void> => {
      const goal = polls() + 3;
      while (polls() < goal) {
        if (failed) throw new Error(`the program ended by itself: ${said}`);
        await sleep(50);
      }
    },
    async count() {
      do await reader.catchUp();
      while (reader.open() > 0);
      const truth = truthOf(world) as unknown as Truth;
      const nothing = Object.fromEntries(STREAM_NAMES.map((name) => [name, new Map()]));
      const { media } = expectedRecords(truth, new Date().toISOString());
      const findings = check(
        readLog(reader, topicOf),
        { records: { ...nothing, media } as unknown as Expected, comments: new Set() },
        [],
      );
      return Object.fromEntries(
        Object.entries(findings).map(([name, lines]) => [name, (lines as string[]).length]),
      );
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Deployment = Awaited<ReturnType<typeof deploy>>;

/** The first produce request of a start acquires the partition. */
const claims = 1;

/** Loses every acknowledgement of the first batch until kafkajs gives up; then the world changes. */
async function loseAcknowledgements({ proxy, world, start, polled }: Deployment): Promise<void> {
  const lost = proxy.inject(apiKeys.produce, 'lose-response', { skip: claims, times: 2 });
  start();
  await lost.met;
  await polled();
  world.clock.advance(3_600_000);
  await polled();
}

/** Kills the program while the given produce request of its first batch is held, and starts it again. */
async function killAtProduce(number: number, { proxy, start, polled }: Deployment): Promise<void> {
  const held = proxy.inject(apiKeys.produce, 'hold-request', { skip: claims + number - 1 });
  const program = start();
  await held.met;
  program.process.kill('SIGKILL');
  await program.ended;
  start();
  await polled();
}

/** Kills the program; the next one restores from a broker that has only the records of the start. */
async function restoreFromStaleLeader({ proxy, start, polled }: Deployment): Promise<void> {
  const program = start();
  await polled();
  program.process.kill('SIGKILL');
  await program.ended;
  proxy.setStale(true);
  start();
  await polled();
}

/** Lets another writer commit the next state while a batch with the same state is held back. */
async function writeMeanwhile(deployment: Deployment): Promise<void> {
  const { proxy, world, start, polled, failedOnce, pollByAnother } = deployment;
  start();
  await polled();
  const lost = proxy.inject(apiKeys.produce, 'lose-request', { times: Infinity });
  world.clock.advance(3_600_000);
  await failedOnce;
  await pollByAnother();
  lost.disarm();
  await polled();
}

const none = { lost: 0, duplicated: 0, reordered: 0, state_ahead: 0, state_behind: 0 };

describe('build that keeps a producer after a failed produce request', () => {
  test.concurrent(
    'is detected: records are lost that its state covers',
    async () => {
      await using build = await breakBuild(keptProducer);
      await using deployment = await deploy(build.main);
      await loseAcknowledgements(deployment);
      const found = await deployment.count();
      expect(found['lost']).toBeGreaterThan(0);
      expect(found['state_ahead']).toBeGreaterThan(0);
    },
    120_000,
  );

  test.concurrent(
    'differs from the program, which loses nothing with the same fault',
    async () => {
      await using deployment = await deploy(undefined);
      await loseAcknowledgements(deployment);
      expect(await deployment.count()).toEqual(none);
    },
    120_000,
  );
});

describe('build that commits the state before its records', () => {
  test.concurrent(
    'is detected when it is killed between both commits: records are lost that its state covers',
    async () => {
      await using build = await breakBuild(stateFirst);
      await using deployment = await deploy(build.main);
      await killAtProduce(2, deployment);
      // Six lost media, and the missing records of the poll's state.
      expect(await deployment.count()).toEqual({ ...none, lost: 6, state_ahead: 7 });
    },
    120_000,
  );

  test.concurrent(
    'is detected even without a kill',
    async () => {
      await using build = await breakBuild(stateFirst);
      await using deployment = await deploy(build.main);
      deployment.start();
      await deployment.polled();
      expect(await deployment.count()).toEqual({ ...none, state_ahead: 7, state_behind: 6 });
    },
    120_000,
  );

  test.concurrent(
    'differs from the program, which loses nothing with the same fault',
    async () => {
      await using deployment = await deploy(undefined);
      await killAtProduce(1, deployment);
      expect(await deployment.count()).toEqual(none);
    },
    120_000,
  );
});

describe('build that ends a restore by the lag that a broker reports', () => {
  test.concurrent(
    'is detected with a stale leader: all records are published again, with an earlier state',
    async () => {
      await using build = await breakBuild(offsetLagEnd);
      await using deployment = await deploy(build.main);
      await restoreFromStaleLeader(deployment);
      expect(await deployment.count()).toEqual({ ...none, duplicated: 6, state_behind: 7 });
    },
    120_000,
  );

  test.concurrent(
    'differs from the program, which repeats nothing with the same fault',
    async () => {
      await using deployment = await deploy(undefined);
      await restoreFromStaleLeader(deployment);
      expect(await deployment.count()).toEqual(none);
    },
    120_000,
  );
});

describe('build that replaces a state without reading it', () => {
  test.concurrent(
    "is detected with a second writer: the second writer's records are repeated, with an earlier state",
    async () => {
      await using build = await breakBuild(blindWrite);
      await using deployment = await deploy(build.main);
      await writeMeanwhile(deployment);
      const found = await deployment.count();
      expect(found['duplicated']).toBeGreaterThan(0);
      expect(found['state_behind']).toBeGreaterThan(0);
    },
    120_000,
  );

  test.concurrent(
    'differs from the program, which repeats nothing with the same fault',
    async () => {
      await using deployment = await deploy(undefined);
      await writeMeanwhile(deployment);
      expect(await deployment.count()).toEqual(none);
    },
    120_000,
  );
});

describe('broken build', () => {
  test.concurrent('is rejected when its patch does not fit the sources', async () => {
    const patch = { file: 'main.ts', find: 'not there', replace: '' };
    await expect(breakBuild([patch])).rejects.toThrow('src/main.ts: expected once, found 0 times');
  });
});
