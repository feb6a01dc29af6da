import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createProcessMember, runCommand } from './child-process.ts';
import type { Member } from './cluster.ts';
import { brokerServes } from './readiness.ts';
import type { Watchdog } from './watchdog.ts';

/** The ports of one node; each node is both a broker and a controller. */
export interface BrokerPorts {
  readonly client: number;
  readonly controller: number;
  /** A second listener for clients, which advertises a proxy at `host:port`. */
  readonly proxied?: { readonly port: number; readonly advertised: string };
  /** Further listeners for clients, each with its own name. */
  readonly more?: readonly NamedListener[];
}

/** A listener for clients with a name, such as `LOGIN`. */
export interface NamedListener {
  readonly name: string;
  readonly protocol: 'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT';
  readonly port: number;
}

/** Settings of a broker besides those of every sandbox broker. */
export interface BrokerExtras {
  readonly settings: Readonly<Record<string, string>>;
  /** SCRAM users, in the storage tool's format: `SCRAM-SHA-256=[name=alice,password=…]`. */
  readonly scram: readonly string[];
}

/** Settings that the brokers of a cluster share. */
export interface BrokerContext {
  /** The `java` command. */
  readonly java: string;
  /** Folder with Kafka's jars, read at each start. */
  readonly library: () => string;
  /** Folder of the whole cluster; each broker has a subfolder. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly watchdog: Watchdog;
  readonly signal: AbortSignal | undefined;
  /** True when the cluster is for measurements. */
  readonly toMeasure?: boolean;
}

/**
 * Generates a cluster id as Kafka's storage tool does: 16 bytes in base64url, without a leading
 * dash, because the tool would parse that as an option.
 */
export function makeClusterId(random: (bytes: number) => Buffer = randomBytes): string {
  let id = '-';
  while (id.startsWith('-')) id = random(16).toString('base64url');
  return id;
}

/**
 * Returns the settings of a fast and strict cluster, the same for Java and Docker.
 *
 * @param brokers - number of brokers, for the replication of Kafka's own topics
 */
export function makeBrokerSettings(brokers: number): Record<string, string> {
  const replicas = String(Math.min(3, brokers));
  return {
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': String(Math.min(2, brokers)),
    'transaction.state.log.num.partitions': '3',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': '1',
    'default.replication.factor': replicas,
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    // A killed broker can register again only after its old session has expired; the default is
    // nine seconds.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // The default, 128 MB, is a quarter of the heap and allocated at the start.
    'log.cleaner.dedupe.buffer.size': '16777216',
  };
}

/**
 * Renders `server.properties` for one node.
 *
 * @param index - of the node, from 0; its node id is one more
 * @param ports - the ports of all nodes, in order
 * @param dataDirectory - folder of its log
 * @throws RangeError when there are no ports for the index
 */
export function renderProperties(
  index: number,
  ports: readonly BrokerPorts[],
  dataDirectory: string,
): string {
  const own = ports[index];
  if (own === undefined) throw new RangeError(`no ports for broker ${index}`);
  const voters = ports.map(({ controller }, at) => `${at + 1}@127.0.0.1:${controller}`);
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': String(index + 1),
    'controller.quorum.voters': voters.join(','),
    ...listenersOf(own),
    // In a properties file a backslash starts an escape.
    'log.dirs': dataDirectory.replaceAll('\\', '\\\\'),
    ...makeBrokerSettings(ports.length),
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function listenersOf(ports: BrokerPorts): Record<string, string> {
  const { client, controller, proxied, more = [] } = ports;
  const own = [
    `PLAINTEXT://127.0.0.1:${client}`,
    ...more.map(({ name, port }) => `${name}://127.0.0.1:${port}`),
  ].join(',');
  const named = more.map(({ name, protocol }) => `,${name}:${protocol}`).join('');
  const second = proxied && {
    listens: `,PROXIED://127.0.0.1:${proxied.port}`,
    advertises: `,PROXIED://${proxied.advertised}`,
    speaks: ',PROXIED:PLAINTEXT',
  };
  return {
    listeners: `${own}${second?.listens ?? ''},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `${own}${second?.advertises ?? ''}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': `PLAINTEXT:PLAINTEXT${named}${second?.speaks ?? ''},CONTROLLER:PLAINTEXT`,
  };
}

/**
 * Prepares one broker: its settings and a formatted, empty log. It runs from its `start` on.
 *
 * @throws Error with the tool's output when the log cannot be formatted
 */
export async function prepareBroker(
  index: number,
  cluster: {
    readonly id: string;
    readonly ports: readonly BrokerPorts[];
    readonly extras?: BrokerExtras;
  },
  context: BrokerContext,
): Promise<Member> {
  const directory = join(context.directory, `broker-${index}`);
  await mkdir(directory);
  const properties = join(directory, 'server.properties');
  const own = Object.entries(cluster.extras?.settings ?? {});
  await writeFile(
    properties,
    renderProperties(index, cluster.ports, join(directory, 'data')) +
      own.map(([name, value]) => `${name}=${value}\n`).join(''),
  );
  await formatLog({ id: cluster.id, scram: cluster.extras?.scram ?? [] }, properties, context);
  const address = `127.0.0.1:${cluster.ports[index]?.client ?? 0}`;
  return createProcessMember(
    {
      name: `broker ${index} on ${address}`,
      command: context.java,
      args: () => [
        // Several brokers share the machine's memory.
        cluster.ports.length === 1 ? '-Xmx512m' : '-Xmx256m',
        '-XX:+UseSerialGC',
        '-XX:-UsePerfData',
        '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
        // Short-lived brokers are faster without the second compiler, which pays off after minutes.
        ...(context.toMeasure === true ? [] : ['-XX:TieredStopAtLevel=1']),
        '-Dorg.slf4j.simpleLogger.showDateTime=true',
        '-cp',
        join(context.library(), '*'),
        'kafka.Kafka',
        properties,
      ],
      env: context.env,
      logFile: join(directory, 'broker.log'),
      serves: () => brokerServes(address),
    },
    context.watchdog,
    context.signal,
  );
}

async function formatLog(
  cluster: { readonly id: string; readonly scram: readonly string[] },
  properties: string,
  context: BrokerContext,
): Promise<void> {
  const { exitCode, output } = await runCommand(
    context.java,
    [
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      join(context.library(), '*'),
      'kafka.tools.StorageTool',
      'format',
      '-t',
      cluster.id,
      '-c',
      properties,
      ...cluster.scram.flatMap((user) => ['--add-scram', user]),
    ],
    context,
  );
  if (exitCode !== 0) throw new Error(`cannot format the broker's log: ${output.trim()}`);
}
