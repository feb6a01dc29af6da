import { expect } from '@jest/globals';
import { createWorld } from '../../sandbox/graph-api/world.ts';
import type { Program } from '../../sandbox/program.ts';
import { type Deployment, deploy } from '../integration/end-to-end/deployment.ts';
import { type ForwardingServer, startForwardingServer } from '../support/forwarding-server.ts';
import { apiKeys } from '../support/kafka-frames.ts';
import { type KafkaProxy, startKafkaProxy } from '../support/kafka-proxy.ts';
import { awaitTransactionsEnd } from '../support/partition-ends.ts';
import { allSucceeded } from '../support/once-summary.ts';

/** The real program, with a proxy that can hold requests before each of its dependencies. */
export interface ProcessWorld extends AsyncDisposable {
  readonly deployment: Deployment;
  readonly kafka: KafkaProxy;
  readonly api: ForwardingServer;
  readonly registry: ForwardingServer;
  /** Starts `run` behind the proxies. */
  run(changes?: Readonly<Record<string, string>>): RunningProgram;
  /** Runs `once` to its end, without the proxies. */
  once(changes?: Readonly<Record<string, string>>): Promise<void>;
}

/** A running program and its log. */
export interface RunningProgram extends Program {
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** The first log line that matches, now or later. */
  line(fits: (line: Readonly<Record<string, unknown>>) => boolean): Promise<unknown>;
}

/** Twelve media of one account, five a page and a transaction. */
export async function createProcessWorld(): Promise<ProcessWorld> {
  await using stack = new AsyncDisposableStack();
  const deployment = stack.use(
    await deploy(
      createWorld({
        seed: 11,
        accounts: 1,
        smallAccounts: 0,
        mediaPerAccount: 12,
        storiesPerAccount: 0,
        insightsDays: 3,
      }),
    ),
  );
  const kafka = stack.use(await startKafkaProxy(deployment.cluster.brokers));
  const api = stack.use(await startForwardingServer(deployment.api.url));
  const registry = stack.use(await startForwardingServer(deployment.cluster.registryUrl));
  const env = {
    STREAMS: 'media',
    INSTAGRAM_PAGE_SIZE: '5',
    KAFKA_MAX_BATCH_RECORDS: '5',
    KAFKA_TOPICS_STATE_PARTITIONS: '1',
    // Far longer than a test waits: the broker itself ends no transaction.
    KAFKA_TRANSACTION_TIMEOUT: '5m',
    // The minimum of the broker's default configuration: the next start waits for it after a kill.
    KAFKA_GROUP_SESSION_TIMEOUT: '6s',
  };
  const owned = stack.move();
  return {
    deployment,
    kafka,
    api,
    registry,
    run: (changes = {}) =>
      startRunning(deployment, {
        ...env,
        KAFKA_BROKERS: kafka.brokers.join(','),
        INSTAGRAM_BASE_URL: api.url,
        SCHEMA_REGISTRY_URL: registry.url,
        ...changes,
      }),
    async once(changes = {}) {
      const { code, stderr } = await deployment.once({ ...env, ...changes });
      expect([code, stderr]).toEqual([0, allSucceeded]);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function startRunning(
  deployment: Deployment,
  env: Readonly<Record<string, string>>,
): RunningProgram {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const waiting = new Set<() => void>();
  const program = deployment.run(env, (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  return {
    ...program,
    lines,
    line: (fits) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = lines.find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** A step at which the program is held. */
export interface Stop {
  readonly met: Promise<unknown>;
  /** Lets the held requests or responses arrive, late. */
  release(): void;
}

/** A start acquires the state partition with a transaction of its own. */
export const claims = 1;

/** Every step of a poll and of the start, and how the program is held at exactly that step. */
export const steps = {
  'starting: the account list is requested': ({ api }) =>
    api.hold(({ path }) => path.endsWith('/me/accounts')),
  'rebalancing: the join request has not reached the broker': ({ kafka }) =>
    kafka.inject(apiKeys.joinGroup, 'hold-request', { times: 100 }),
  'acquiring: InitProducerId is not answered yet': ({ kafka }) =>
    kafka.inject(apiKeys.initProducerId, 'hold-response', { skip: 1 }),
  'fetching: the second page is requested': ({ api }) =>
    api.hold(({ path, query }) => path.endsWith('/media') && query['after'] !== undefined),
  'acquiring: the restore marker has not reached the broker': ({ kafka }) =>
    kafka.inject(apiKeys.produce, 'hold-request'),
  'acquiring: the commit has not reached the broker': ({ kafka }) =>
    kafka.inject(apiKeys.endTxn, 'hold-request'),
  'encoded: no request of the batch is sent': ({ kafka }) =>
    kafka.inject(apiKeys.addPartitionsToTxn, 'hold-request', { skip: claims }),
  'producing: the records have not reached the broker': ({ kafka }) =>
    kafka.inject(apiKeys.produce, 'hold-request', { skip: claims }),
  'producing: the broker has the records': ({ kafka }) =>
    kafka.inject(apiKeys.produce, 'hold-response', { skip: claims }),
  'committing: the commit has not reached the broker': ({ kafka }) =>
    kafka.inject(apiKeys.endTxn, 'hold-request', { skip: claims }),
  'committing: the broker has committed': ({ kafka }) =>
    kafka.inject(apiKeys.endTxn, 'hold-response', { skip: claims }),
  'committed: the next batch begins': ({ kafka }) =>
    kafka.inject(apiKeys.addPartitionsToTxn, 'hold-request', { skip: claims + 1 }),
} as const satisfies Readonly<Record<string, (world: ProcessWorld) => Stop>>;

/**
 * Checks that Kafka holds every media of the world once and one state per batch in order, and that the
 * last state remembers every media: no loss, no duplicate, no state ahead or behind.
 */
export async function expectTruth({ deployment }: ProcessWorld): Promise<void> {
  const media = deployment.truth().accounts.flatMap((account) => account.media);
  const keys = (await deployment.read('media')).map(({ key }) => key);
  expect(keys.sort()).toEqual(media.map(({ fields }) => String(fields['id'])).sort());
  const states = (await deployment.read('state')).map(({ value }) => value);
  expect(states.map((state) => state?.['sequence'])).toEqual(states.map((_, index) => index + 1));
  const remembered = Buffer.from(String(states.at(-1)?.['published']), 'base64').length / 16;
  expect(remembered).toBe(media.length);
}

/**
 * Checks that every transaction begun so far has ended: an open one would block read_committed
 * consumers. To be called when the program has ended.
 */
export async function expectNothingOpen({ deployment }: ProcessWorld): Promise<void> {
  const [broker = ''] = deployment.cluster.brokers;
  await awaitTransactionsEnd(broker, {
    [deployment.topicOf('media')]: 2,
    [deployment.topicOf('state')]: 1,
  });
}
