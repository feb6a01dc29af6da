import { type GraphApi, startGraphApi } from '../../sandbox/graph-api/server.ts';
import { truthOf } from '../../sandbox/graph-api/truth.ts';
import type { World } from '../../sandbox/graph-api/world.ts';
import { createDecoder, type DecodedRecord } from '../../sandbox/topics.ts';
import { createApp } from '../../src/app.ts';
import { describeError, exitCodeOf } from '../../src/cli/command.ts';
import { pollAndReport } from '../../src/cli/once-report.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Deployment, Ended } from '../integration/end-to-end/deployment.ts';
import type { Truth } from '../integration/end-to-end/expected-records.ts';
import { createMemoryKafka, type MemoryKafka } from '../support/memory-kafka.ts';
import { startRegistryServer } from '../support/registry-server.ts';

/**
 * The program in this process, beside the simulated API; Kafka is in memory. For tests of what it
 * reads and of the records that it makes of it.
 */
export interface Simulation extends Pick<Deployment, 'env' | 'once' | 'read' | 'truth'> {
  readonly api: GraphApi;
  readonly openKafka: MemoryKafka['open'];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts the API of a world. */
export async function simulate(world: World): Promise<Simulation> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await startGraphApi({ world }));
  const registry = stack.use(await startRegistryServer());
  const { topics, open: openKafka } = createMemoryKafka();
  const env = {
    KAFKA_BROKERS: 'memory:9092',
    KAFKA_TOPICS_STATE_PARTITIONS: '2',
    SCHEMA_REGISTRY_URL: registry.url,
    INSTAGRAM_ACCESS_TOKEN: world.token,
    INSTAGRAM_BASE_URL: api.url,
    HTTP_PORT: '0',
    LOG_LEVEL: 'debug',
  };
  const owned = stack.move();
  return {
    api,
    env,
    openKafka,
    // A retry repeats at once: the simulator is not overloaded.
    once: (changes = {}) => runOnce({ POLLING_RETRY_BASE: '1ms', ...env, ...changes }, openKafka),
    async read(role): Promise<readonly DecodedRecord[]> {
      const decode = createDecoder(registry.url);
      const decoded = (topics.get(role) ?? []).map(async ({ key, value, headers }, offset) => ({
        topic: role,
        partition: 0,
        offset: String(offset),
        key,
        headers,
        bytes: value,
        value: await decode(value),
      }));
      return Promise.all(decoded);
    },
    truth: () => truthOf(world) as unknown as Truth,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Does in this process what the command `once` does in its own. */
async function runOnce(
  env: Readonly<Record<string, string>>,
  openKafka: MemoryKafka['open'],
): Promise<Ended> {
  const log: Readonly<Record<string, unknown>>[] = [];
  const logDestination = {
    write: (line: string) => void log.push(JSON.parse(line) as Readonly<Record<string, unknown>>),
  };
  let stderr = '';
  const write = (text: string): void => {
    stderr += text;
  };
  try {
    const config = loadConfig({ env, args: {} });
    const { exitCode: code } = await pollAndReport(
      async (observer) => {
        const options = { version: 'test', hostName: 'test', observer, logDestination, openKafka };
        await using app = createApp(config, options);
        return await app.once(new AbortController().signal);
      },
      { write },
    );
    return { code, stderr, log };
  } catch (error) {
    write(`${describeError(error)}\n`);
    return { code: exitCodeOf(error), stderr, log };
  }
}
