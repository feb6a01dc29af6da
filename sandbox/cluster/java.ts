import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type ArtifactOptions, type Artifacts, ensureArtifacts, ensureKafka } from './artifacts.ts';
import { chooseCacheDirectory } from './cache.ts';
import { runCommand } from './child-process.ts';
import { type Cluster, type ClusterRequest, createFaults, type Member } from './cluster.ts';
import { findFreePorts } from './free-port.ts';
import { type BrokerPorts, makeClusterId, prepareBroker } from './kafka-process.ts';
import { CONFLUENT_API_PATH, prepareRegistry } from './registry-process.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

const OLDEST_JAVA = 17;
/** The project's root, which may hold the sandbox's download folder. */
const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

/**
 * Starts Kafka and the registry as processes of this machine's Java, with data in a new temporary
 * folder.
 *
 * @throws Error when Java or Maven is missing or too old, the download fails, or a program does not
 *   start (with the last lines of its log); nothing is left running then
 */
export async function startByJava(request: ClusterRequest): Promise<Cluster> {
  const java = await findJava(request);
  const options = await artifactOptionsOf(request);
  const programs = { ...(await ensureArtifacts(options, request.versions)) };
  const directory = await mkdtemp(join(tmpdir(), 'sandbox-cluster-'));
  const watchdog = await startWatchdog(directory, request.env);
  const changeKafka = async (version: string): Promise<void> => {
    programs.kafkaLibrary = await ensureKafka(options, version);
  };
  const running = { java, programs, directory, watchdog, changeKafka };
  return startPrograms(request, running).catch(async (error: unknown) => {
    await watchdog[Symbol.asyncDispose]();
    throw error;
  });
}

/** Returns the options of downloads into the sandbox's folder. */
export async function artifactOptionsOf(
  request: Pick<ClusterRequest, 'env' | 'log' | 'signal'>,
): Promise<ArtifactOptions> {
  const { env, log, signal } = request;
  return { directory: await chooseCacheDirectory(PROJECT_ROOT, env), env, log, signal };
}

interface Running {
  readonly java: string;
  readonly programs: Artifacts;
  readonly directory: string;
  readonly watchdog: Watchdog;
  readonly changeKafka: (version: string) => Promise<void>;
}

async function startPrograms(request: ClusterRequest, running: Running): Promise<Cluster> {
  const [registryPort = 0, ...rest] = await findFreePorts(1 + 3 * request.brokers);
  const ports = Array.from({ length: request.brokers }, (_, index) => {
    const advertised = request.proxies?.[index];
    return {
      client: rest[3 * index] ?? 0,
      controller: rest[3 * index + 1] ?? 0,
      ...(advertised && { proxied: { port: rest[3 * index + 2] ?? 0, advertised } }),
    };
  });
  const { env, signal, toMeasure } = request;
  const context = { ...running, env, signal, toMeasure };
  request.log(`starting ${nameBrokers(request.brokers)} and a schema registry by Java`);
  const registry = prepareRegistry({
    ...context,
    java: request.registryJava ?? running.java,
    jar: running.programs.registryJar,
    port: registryPort,
  });
  const brokers = prepareBrokers(ports, context);
  const started = [
    registry.then(async (member) => {
      await member.start();
    }),
    brokers.then((members) => Promise.all(members.map((member) => member.start()))),
  ];
  const results = await Promise.allSettled(started);
  const members = { registry: await registry, brokers: await brokers };
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await killAll([members.registry, ...members.brokers]);
    throw failed.reason;
  }
  return assembleCluster(members, { ports, registryPort, running });
}

async function prepareBrokers(
  ports: readonly BrokerPorts[],
  context: Running & { env: NodeJS.ProcessEnv; signal: AbortSignal | undefined },
): Promise<Member[]> {
  const cluster = { id: makeClusterId(), ports };
  const library = (): string => context.programs.kafkaLibrary;
  return Promise.all(
    ports.map((_, index) => prepareBroker(index, cluster, { ...context, library })),
  );
}

function assembleCluster(
  members: { readonly registry: Member; readonly brokers: readonly Member[] },
  made: { ports: readonly BrokerPorts[]; registryPort: number; running: Running },
): Cluster {
  return {
    source: 'java',
    brokers: made.ports.map(({ client }) => `127.0.0.1:${client}`),
    behindProxies: made.ports.flatMap(({ proxied }) =>
      proxied === undefined ? [] : [`127.0.0.1:${proxied.port}`],
    ),
    registryUrl: `http://127.0.0.1:${made.registryPort}${CONFLUENT_API_PATH}`,
    broker: createFaults('broker', members.brokers),
    registry: createFaults('registry', [members.registry]),
    changeKafka: made.running.changeKafka,
    async [Symbol.asyncDispose]() {
      // The data is removed as well, so an orderly stop would preserve nothing.
      await killAll([members.registry, ...members.brokers]);
      await made.running.watchdog[Symbol.asyncDispose]();
    },
  };
}

async function killAll(members: readonly Member[]): Promise<void> {
  await Promise.all(members.map((member) => member.kill()));
}

function nameBrokers(count: number): string {
  return count === 1 ? 'a Kafka broker' : `${count} Kafka brokers`;
}

/**
 * Finds a recent enough Java: that of `JAVA_HOME`, or the one on the PATH.
 *
 * @param oldest - the lowest major version
 */
export async function findJava(
  request: Pick<ClusterRequest, 'env' | 'signal'>,
  oldest = OLDEST_JAVA,
): Promise<string> {
  const home = request.env['JAVA_HOME'];
  const java = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
  const { output } = await runCommand(java, ['-version'], request).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`${java} is not there; install a Java runtime of version ${oldest} or later`);
  });
  const version = readJavaVersion(output);
  if (version === undefined || version < oldest) {
    const first = output.split('\n', 1)[0] ?? '';
    throw new Error(`${java} says "${first}"; expected version ${oldest} or later`);
  }
  return java;
}

/** Parses the major version in the output of `java -version`; undefined when there is none. */
export function readJavaVersion(output: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(output);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
