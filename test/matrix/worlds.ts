import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APICURIO_VERSION, type ArtifactOptions } from '../../sandbox/cluster/artifacts.ts';
import { type ContainerPlan, startContainer } from '../../sandbox/cluster/docker-container.ts';
import { ensureImage, findEngine } from '../../sandbox/cluster/docker-engine.ts';
import { findFreePorts } from '../../sandbox/cluster/free-port.ts';
import { brokerServes, registryServes } from '../../sandbox/cluster/readiness.ts';
import { startCluster } from '../../sandbox/cluster/start.ts';
import { startWatchdog } from '../../sandbox/cluster/watchdog.ts';
import { findJavaOfApicurio3 } from './python.ts';

/** Addresses of running brokers and a registry; disposal stops them. */
export interface RunningWorld extends AsyncDisposable {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
}

/** Brokers and a registry that the program is run against. */
export interface MatrixWorld {
  readonly brokers: string;
  readonly registry: string;
  /** The version of Apache Kafka; null for another broker. */
  readonly kafka: string | null;
  /** @throws Unavailable when this machine cannot run it */
  readonly open: (options: ArtifactOptions) => Promise<RunningWorld>;
}

/** The reason for which a world cannot run on this machine. */
export class Unavailable extends Error {}

/** The oldest supported release, and those that are in use. */
const kafkaVersions = ['3.0.2', '3.9.2', '4.0.2', '4.2.2'];
const APICURIO_3_VERSION = '3.3.3';
const CONFLUENT_VERSION = '8.0.0';
const REDPANDA_VERSION = 'v25.1.1';

/** Lists all worlds. */
export function listWorlds(newestKafka: string): readonly MatrixWorld[] {
  const all = [...kafkaVersions, newestKafka];
  return [
    ...all.map((version) => onApicurio(version, APICURIO_VERSION)),
    ...all.slice(1).map((version) => onApicurio(version, APICURIO_3_VERSION)),
    onConfluent(newestKafka),
    onKarapace(newestKafka),
    redpanda,
  ];
}

function onApicurio(kafka: string, registry: string): MatrixWorld {
  return {
    brokers: `Kafka ${kafka}`,
    registry: `Apicurio ${registry}`,
    kafka,
    open: async (options) =>
      startCluster({
        sources: ['java'],
        versions: { kafka, registry },
        ...(registry.startsWith('2.') ? {} : { registryJava: await findJavaOfApicurio3(options) }),
        env: options.env,
        log: options.log,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      }),
  };
}

function onConfluent(kafka: string): MatrixWorld {
  return onContainer(kafka, {
    registry: `Confluent Schema Registry ${CONFLUENT_VERSION}`,
    image: `confluentinc/cp-schema-registry:${CONFLUENT_VERSION}`,
    environment: (broker, port) => ({
      SCHEMA_REGISTRY_HOST_NAME: '127.0.0.1',
      SCHEMA_REGISTRY_LISTENERS: `http://127.0.0.1:${port}`,
      SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: `PLAINTEXT://${broker}`,
    }),
  });
}

function onKarapace(kafka: string): MatrixWorld {
  return onContainer(kafka, {
    registry: 'Karapace (latest image)',
    image: 'ghcr.io/aiven-open/karapace:latest',
    command: ['python3', '-m', 'karapace'],
    environment: (broker, port) => ({
      KARAPACE_KARAPACE_REGISTRY: 'true',
      KARAPACE_BOOTSTRAP_URI: broker,
      KARAPACE_HOST: '127.0.0.1',
      KARAPACE_PORT: String(port),
      KARAPACE_ADVERTISED_HOSTNAME: '127.0.0.1',
      KARAPACE_TOPIC_NAME: '_schemas',
    }),
  });
}

interface RegistryContainer {
  readonly registry: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment: (broker: string, port: number) => Record<string, string>;
}

/** A registry in a container that keeps its schemas in the Kafka of this machine's Java. */
function onContainer(kafka: string, container: RegistryContainer): MatrixWorld {
  const { registry, image, command, environment } = container;
  return {
    brokers: `Kafka ${kafka}`,
    registry,
    kafka,
    open: async (options) => {
      await findDocker(options);
      await using stack = new AsyncDisposableStack();
      const { brokers } = stack.use(await onApicurio(kafka, APICURIO_VERSION).open(options));
      const [port = 0] = await findFreePorts(1);
      const registryUrl = `http://127.0.0.1:${port}`;
      stack.use(
        await runContainer(
          {
            name: registry,
            image,
            ...(command === undefined ? {} : { command }),
            environment: environment(brokers[0] ?? '', port),
            serves: () => registryServes(registryUrl),
          },
          options,
        ),
      );
      const owned = stack.move();
      return { brokers, registryUrl, [Symbol.asyncDispose]: () => owned.disposeAsync() };
    },
  };
}

const redpanda: MatrixWorld = {
  brokers: `Redpanda ${REDPANDA_VERSION}`,
  registry: 'its own',
  kafka: null,
  open: async (options) => {
    const [kafka = 0, registry = 0, rpc = 0, proxy = 0] = await findFreePorts(4);
    const address = `127.0.0.1:${kafka}`;
    const registryUrl = `http://127.0.0.1:${registry}`;
    const container = await runContainer(
      {
        name: 'Redpanda',
        image: `redpandadata/redpanda:${REDPANDA_VERSION}`,
        command: [
          ...['redpanda', 'start', '--mode', 'dev-container', '--smp', '1', '--memory', '1G'],
          ...['--kafka-addr', address, '--advertise-kafka-addr', address],
          ...['--schema-registry-addr', `127.0.0.1:${registry}`],
          ...['--pandaproxy-addr', `127.0.0.1:${proxy}`, '--rpc-addr', `127.0.0.1:${rpc}`],
        ],
        environment: {},
        serves: async () => (await brokerServes(address)) && registryServes(registryUrl),
      },
      options,
    );
    return {
      brokers: [address],
      registryUrl,
      [Symbol.asyncDispose]: () => container[Symbol.asyncDispose](),
    };
  },
};

async function findDocker({ env }: ArtifactOptions) {
  if (process.platform !== 'linux') {
    throw new Unavailable("needs Docker on Linux: the container shares this machine's network");
  }
  return findEngine(env).catch((error: unknown) => {
    throw new Unavailable('no Docker engine', { cause: error });
  });
}

async function runContainer(
  plan: ContainerPlan,
  options: ArtifactOptions,
): Promise<AsyncDisposable> {
  const { env, log, signal } = options;
  const engine = await findDocker(options);
  await ensureImage(engine.client, plan.image, { log, signal }).catch((error: unknown) => {
    throw new Unavailable(error instanceof Error ? error.message : String(error));
  });
  const directory = await mkdtemp(join(tmpdir(), 'matrix-'));
  const watchdog = await startWatchdog(directory, { ...env, DOCKER_HOST: engine.host });
  const container = await startContainer(plan, engine, { watchdog, signal }).catch(
    async (error: unknown) => {
      await watchdog[Symbol.asyncDispose]();
      throw error;
    },
  );
  return {
    async [Symbol.asyncDispose]() {
      await container.remove();
      await watchdog[Symbol.asyncDispose]();
    },
  };
}
