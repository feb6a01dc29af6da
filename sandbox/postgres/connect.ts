import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createProcessMember } from '../cluster/child-process.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { findFreePorts } from '../cluster/free-port.ts';
import { startWatchdog } from '../cluster/watchdog.ts';
import type { Database } from './database.ts';

/** Folder of the example. */
const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'postgres');

const STATUS_TIMEOUT_MS = 5_000;
/** The first start downloads 65 MB. */
const START_TIMEOUT_MS = 1_200_000;

/** A Connect worker with the sinks of the example; disposal stops it. */
export interface ConnectWorker extends AsyncDisposable {
  /**
   * Rejects when a sink has failed.
   *
   * @throws Error with the sink's name and its stack trace
   */
  verify(): Promise<void>;
}

/** The parts of the sandbox that the worker connects. */
export interface ConnectOptions {
  readonly cluster: Cluster;
  readonly database: Database;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

interface ConnectorState {
  readonly state: string;
  readonly trace?: string;
}

type Statuses = Readonly<
  Record<
    string,
    {
      readonly status: {
        readonly connector: ConnectorState;
        readonly tasks: readonly ConnectorState[];
      };
    }
  >
>;

/**
 * Starts the example: the tables, the views and the worker; resolves when every sink runs.
 *
 * @throws Error with the last lines of its log when it ends, or a sink does not start
 */
export async function startConnect(options: ConnectOptions): Promise<ConnectWorker> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sandbox-connect-'));
  const watchdog = stack.use(await startWatchdog(directory, options.env));
  const [port = 0] = await findFreePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const sinks = await readdir(join(EXAMPLE, 'sinks'));
  const member = createProcessMember(
    {
      name: `Kafka Connect on 127.0.0.1:${port}`,
      command: join(EXAMPLE, 'run.sh'),
      args: () => [],
      env: makeEnvironment(options, url),
      logFile: join(directory, 'connect.log'),
      serves: async () => {
        const states = await readStates(url);
        // Each sink is a connector and its one task.
        return states.length === 2 * sinks.length && states.every(isRunning);
      },
      startTimeoutMs: START_TIMEOUT_MS,
    },
    watchdog,
    options.signal,
  );
  stack.defer(() => member.stop());
  await member.start();
  const owned = stack.move();
  return {
    async verify() {
      const failed = (await readStates(url)).find(({ state }) => state === 'FAILED');
      if (failed !== undefined) throw new Error(`sink ${failed.name}: ${failed.trace ?? ''}`);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function makeEnvironment(
  { cluster, database, env }: ConnectOptions,
  listener: string,
): NodeJS.ProcessEnv {
  return {
    ...env,
    ...database.env,
    // A short start matters more than a high throughput.
    JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1',
    CONNECT_LISTENER: listener,
    KAFKA_BROKERS: cluster.brokers.join(','),
    SCHEMA_REGISTRY_URL: cluster.registryUrl,
  };
}

interface NamedState extends ConnectorState {
  readonly name: string;
}

function isRunning({ state }: NamedState): boolean {
  return state === 'RUNNING';
}

/** Returns the states of the connectors and their tasks; none until the worker answers. */
async function readStates(url: string): Promise<readonly NamedState[]> {
  try {
    const signal = AbortSignal.timeout(STATUS_TIMEOUT_MS);
    const response = await fetch(`${url}/connectors?expand=status`, { signal });
    const statuses = (await response.json()) as Statuses;
    return Object.entries(statuses).flatMap(([name, { status }]) =>
      [status.connector, ...status.tasks].map((state) => ({ name, ...state })),
    );
  } catch {
    return [];
  }
}
