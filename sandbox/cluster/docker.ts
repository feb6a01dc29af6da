import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { APICURIO_VERSION, KAFKA_VERSION } from './artifacts.ts';
import { type Cluster, type ClusterRequest, createFaults } from './cluster.ts';
import type { ContainerMember, ContainerPlan } from './docker-container.ts';
import { type Engine, ensureImage, findEngine } from './docker-engine.ts';
import { findFreePorts } from './free-port.ts';
import { makeBrokerSettings, makeClusterId } from './kafka-process.ts';
import { brokerServes, registryServes } from './readiness.ts';
import { CONFLUENT_API_PATH, makeRegistryEnvironment } from './registry-process.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

const KAFKA_IMAGE = `apache/kafka:${KAFKA_VERSION}`;
const REGISTRY_IMAGE = `apicurio/apicurio-registry-mem:${APICURIO_VERSION}`;
const CLIENT_PORT = 9092;
const CONTROLLER_PORT = 9093;
const INTERNAL_PORT = 9094;
const REGISTRY_PORT = 8080;

/**
 * Starts one broker and the registry as containers, by Testcontainers.
 *
 * @throws Error when several brokers are requested, no engine answers, an image is unavailable, or
 *   a container does not start (with the last lines of its log); nothing is left running then
 */
export async function startByDocker(request: ClusterRequest): Promise<Cluster> {
  if (request.brokers !== 1 || (request.proxies?.length ?? 0) > 0) {
    throw new Error('it runs one broker here; several, and proxies, are had by Java');
  }
  if (request.versions !== undefined) throw new Error('other versions are had by Java');
  const engine = await findEngine(request.env);
  await ensureImage(engine.client, KAFKA_IMAGE, request);
  await ensureImage(engine.client, REGISTRY_IMAGE, request);
  const directory = await mkdtemp(join(tmpdir(), 'sandbox-cluster-'));
  const env = { ...request.env, DOCKER_HOST: engine.host };
  const watchdog = await startWatchdog(directory, env);
  return startContainers(request, engine, watchdog).catch(async (error: unknown) => {
    await watchdog[Symbol.asyncDispose]();
    throw error;
  });
}

async function startContainers(
  request: ClusterRequest,
  engine: Engine,
  watchdog: Watchdog,
): Promise<Cluster> {
  // A dynamic import: loading Testcontainers takes a second, which a machine without an engine
  // saves.
  const { startContainer } = await import('./docker-container.ts');
  const [brokerPort = 0, registryPort = 0] = await findFreePorts(2);
  const host = engine.client.info.containerRuntime.host.replace(/^localhost$/, '127.0.0.1');
  const broker = `${host}:${brokerPort}`;
  const registryUrl = `http://${host}:${registryPort}${CONFLUENT_API_PATH}`;
  request.log('starting a Kafka broker and a schema registry by Docker');
  const context = { watchdog, signal: request.signal };
  const plans = [planBroker(broker, brokerPort), planRegistry(registryUrl, registryPort)] as const;
  const results = await Promise.allSettled(
    plans.map((plan) => startContainer(plan, engine, context)),
  );
  const members = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await removeAll(members);
    throw failed.reason;
  }
  return {
    source: 'docker',
    brokers: [broker],
    registryUrl,
    broker: createFaults('broker', members.slice(0, 1)),
    registry: createFaults('registry', members.slice(1)),
    async [Symbol.asyncDispose]() {
      await removeAll(members);
      await watchdog[Symbol.asyncDispose]();
    },
  };
}

async function removeAll(members: readonly ContainerMember[]): Promise<void> {
  await Promise.all(members.map((member) => member.remove()));
}

function planBroker(address: string, port: number): ContainerPlan {
  return {
    name: `the broker on ${address}`,
    image: KAFKA_IMAGE,
    environment: renderBrokerEnvironment(address),
    port: { container: CLIENT_PORT, host: port },
    serves: () => brokerServes(address),
  };
}

function planRegistry(url: string, port: number): ContainerPlan {
  const listen = { host: '0.0.0.0', port: REGISTRY_PORT };
  return {
    name: `the registry on ${url}`,
    image: REGISTRY_IMAGE,
    environment: makeRegistryEnvironment(listen, '/tmp/registry'),
    port: { container: REGISTRY_PORT, host: port },
    serves: () => registryServes(url),
  };
}

/**
 * Returns the environment of the Kafka image, which maps `KAFKA_LOG_DIRS` to `log.dirs` and so on.
 *
 * @param address - `host:port` of the broker for clients outside
 */
export function renderBrokerEnvironment(address: string): Record<string, string> {
  const settings = {
    'node.id': '1',
    'process.roles': 'broker,controller',
    'controller.quorum.voters': `1@localhost:${CONTROLLER_PORT}`,
    listeners: `PLAINTEXT://0.0.0.0:${CLIENT_PORT},INTERNAL://localhost:${INTERNAL_PORT},CONTROLLER://localhost:${CONTROLLER_PORT}`,
    // The broker writes transaction markers through a connection to itself; the clients' address is
    // unreachable inside.
    'advertised.listeners': `PLAINTEXT://${address},INTERNAL://localhost:${INTERNAL_PORT}`,
    'inter.broker.listener.name': 'INTERNAL',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': '/tmp/kraft-combined-logs',
    ...makeBrokerSettings(1),
  };
  const variables = Object.entries(settings).map(([name, value]) => [
    `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`,
    value,
  ]);
  return {
    CLUSTER_ID: makeClusterId(),
    KAFKA_HEAP_OPTS: '-Xmx512m',
    ...(Object.fromEntries(variables) as Record<string, string>),
  };
}
