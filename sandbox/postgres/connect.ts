import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ensureDependencies } from '../cluster/artifacts.ts';
import { createProcessMember, type MemberProgram } from '../cluster/child-process.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { findFreePorts } from '../cluster/free-port.ts';
import { artifactOptionsOf, findJava } from '../cluster/java.ts';
import { startWatchdog } from '../cluster/watchdog.ts';
import type { Database } from './database.ts';

/** Folder of the example: the sinks, the tables, the views. */
export const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'postgres');

const STATUS_TIMEOUT_MS = 5_000;

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
  readonly log: (line: string) => void;
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

/** Starts the worker; resolves when every sink runs. */
export async function startConnect(options: ConnectOptions): Promise<ConnectWorker> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sandbox-connect-'));
  const watchdog = stack.use(await startWatchdog(directory, options.env));
  const [port = 0] = await findFreePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const names = await readdir(join(EXAMPLE, 'sinks'));
  const sinks = names.map((name) => join(EXAMPLE, 'sinks', name));
  const member = createProcessMember(
    {
      name: `Kafka Connect on 127.0.0.1:${port}`,
      ...(await makeCommand(options, sinks)),
      env: makeEnvironment(options, url),
      logFile: join(directory, 'connect.log'),
      serves: async () => {
        const states = await readStates(url);
        // Each sink is a connector and its one task.
        return states.length === 2 * sinks.length && states.every(isRunning);
      },
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

async function makeCommand(
  options: ConnectOptions,
  sinks: readonly string[],
): Promise<Pick<MemberProgram, 'command' | 'args'>> {
  const { env, signal } = options;
  const library = await ensureConnect(options);
  return {
    command: await findJava({ env, signal }),
    args: () => [
      '-Xmx512m',
      '-XX:TieredStopAtLevel=1',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      join(library, '*'),
      'org.apache.kafka.connect.cli.ConnectStandalone',
      join(EXAMPLE, 'worker.properties'),
      ...sinks,
    ],
  };
}

function makeEnvironment(
  { cluster, database, env }: ConnectOptions,
  listener: string,
): NodeJS.ProcessEnv {
  return {
    ...env,
    ...database.env,
    CONNECT_LISTENER: listener,
    JDBC_URL: database.jdbcUrl,
    KAFKA_BROKERS: cluster.brokers.join(','),
    // The converter uses Apicurio's own API, beside the one that is compatible with Confluent's.
    APICURIO_URL: new URL('/apis/registry/v2', cluster.registryUrl).href,
  };
}

/** Returns the folder of Connect's jars, which the example's `pom.xml` names. */
async function ensureConnect({ env, log, signal }: ConnectOptions): Promise<string> {
  const pom = join(EXAMPLE, 'pom.xml');
  const version = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 12);
  return ensureDependencies(
    { name: `connect-${version}`, pom, title: 'Kafka Connect and its plugins (65 MB, once)' },
    await artifactOptionsOf({ env, log, signal }),
  );
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
