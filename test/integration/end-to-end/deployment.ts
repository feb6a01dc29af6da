import { randomUUID } from 'node:crypto';
import { type GraphApi, startGraphApi } from '../../../sandbox/graph-api/server.ts';
import type { World } from '../../../sandbox/graph-api/world.ts';
import { truthOf } from '../../../sandbox/graph-api/truth.ts';
import { startCluster, type Cluster, type ClusterOptions } from '../../../sandbox/cluster/start.ts';
import { startProgram, type Program } from '../../../sandbox/program.ts';
import { type DecodedRecord, readTopics } from '../../../sandbox/topics.ts';
import { runCommand } from '../../support/command.ts';
import { type Truth, unsigned } from './expected-records.ts';

/** The exit and the output of a run of the program. */
export interface Ended {
  readonly code: number | null;
  readonly stderr: string;
  readonly log: readonly Readonly<Record<string, unknown>>[];
}

/** The real program beside a simulated API, with its own topics on the shared cluster. */
export interface Deployment extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly api: GraphApi;
  readonly env: Readonly<Record<string, string>>;
  topicOf(role: string): string;
  /** Runs `once` to its end. */
  once(changes?: Readonly<Record<string, string>>): Promise<Ended>;
  /** Runs `once` with only this environment. */
  onceWith(env: Readonly<Record<string, string>>): Promise<Ended>;
  /** Starts `run`; it is stopped with the deployment. */
  run(
    changes: Readonly<Record<string, string>>,
    onLine: (entry: Readonly<Record<string, unknown>>) => void,
  ): Program;
  /** Starts `run` with only this environment; the caller stops it. */
  runWith(
    env: Readonly<Record<string, string>>,
    onLine: (entry: Readonly<Record<string, unknown>>) => void,
  ): Program;
  /** The records that a `read_committed` consumer reads from a topic. */
  read(role: string): Promise<readonly DecodedRecord[]>;
  /** The truth of the world now. */
  truth(): Truth;
}

export const DAY_MS = 86_400_000;

/**
 * Starts the API of a world and gives the program its own topics.
 *
 * @param clusterOptions - which cluster; by default that of the environment, or a new one
 */
export async function deploy(world: World, clusterOptions?: ClusterOptions): Promise<Deployment> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startCluster(clusterOptions));
  const api = stack.use(await startGraphApi({ world }));
  const id = `e2e-${randomUUID().slice(0, 8)}`;
  const env = {
    KAFKA_BROKERS: cluster.brokers.join(','),
    KAFKA_TOPIC_TEMPLATE: `${id}.{stream}`,
    KAFKA_TRANSACTIONAL_ID_PREFIX: id,
    KAFKA_TOPICS_PARTITIONS: '2',
    KAFKA_TOPICS_STATE_PARTITIONS: '2',
    SCHEMA_REGISTRY_URL: cluster.registryUrl,
    INSTAGRAM_ACCESS_TOKEN: world.token,
    INSTAGRAM_BASE_URL: api.url,
    HTTP_PORT: '0',
    LOG_LEVEL: 'debug',
  };
  const owned = stack.move();
  const topicOf = (role: string) => `${id}.${role.replaceAll('_', '-')}`;
  return {
    cluster,
    api,
    env,
    topicOf,
    once: (changes = {}) => runOnce({ ...env, ...changes }),
    onceWith: runOnce,
    run: (changes, onLine) => owned.use(startRun({ ...env, ...changes }, onLine)),
    runWith: (whole, onLine) => startRun(whole, onLine),
    read: async (role) => {
      const topic = topicOf(role);
      const at = { brokers: cluster.brokers, registryUrl: cluster.registryUrl };
      return (await readTopics(at, [topic])).get(topic) ?? [];
    },
    truth: () => truthOf(world) as unknown as Truth,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function startRun(
  env: Readonly<Record<string, string>>,
  onLine: (entry: Readonly<Record<string, unknown>>) => void,
): Program {
  return startProgram({
    command: 'run',
    env,
    onLine: (line) => {
      onLine(parse(line));
    },
  });
}

async function runOnce(env: Readonly<Record<string, string>>): Promise<Ended> {
  const { exitCode, stdout, stderr } = await runCommand(['once'], { env });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { code: exitCode, stderr, log: lines.map(parse) };
}

function parse(line: string): Readonly<Record<string, unknown>> {
  return JSON.parse(line) as Readonly<Record<string, unknown>>;
}

/** A record's value with its URLs unsigned and without the time of the poll. */
export function comparable(value: DecodedRecord['value']): Readonly<Record<string, unknown>> {
  return strip(value) as Readonly<Record<string, unknown>>;
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([name]) => name !== 'polled_at')
    .map(([name, inner]) => [name, name.endsWith('_url') ? unsigned(inner) : strip(inner)]);
  return Object.fromEntries(entries);
}
