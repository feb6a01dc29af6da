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
  /** A second way for clients, by which they are sent to a proxy at `host:port`. */
  readonly proxied?: { readonly port: number; readonly advertised: string };
  /** Further ways for clients, each by a name of its own. */
  readonly more?: readonly NamedListener[];
}

/** A way for clients that is told from the others by its name, as `LOGIN`. */
export interface NamedListener {
  readonly name: string;
  readonly protocol: 'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT';
  readonly port: number;
}

/** What a broker has besides what every broker of the sandbox has. */
export interface BrokerExtras {
  readonly settings: Readonly<Record<string, string>>;
  /** SCRAM users, as the storage tool takes them: `SCRAM-SHA-256=[name=alice,password=…]`. */
  readonly scram: readonly string[];
}

/** What every broker of a cluster shares. */
export interface BrokerContext {
  /** The `java` command. */
  readonly java: string;
  /** Folder with Kafka's jars. */
  readonly library: string;
  /** Folder of the whole cluster; each broker gets its own in it. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly watchdog: Watchdog;
  readonly signal: AbortSignal | undefined;
  /** Whether its speed is what it is started for. */
  readonly toMeasure?: boolean;
}

/**
 * Makes an id for a new cluster, in the form that Kafka's storage tool gives: 16 bytes in base64url, never with a dash
 * in front, because the same tool then takes it for an option.
 */
export function makeClusterId(random: (bytes: number) => Buffer = randomBytes): string {
  let id = '-';
  while (id.startsWith('-')) id = random(16).toString('base64url');
  return id;
}

/**
 * Gives the settings that make a cluster of the sandbox quick and strict, the same by Java and by Docker.
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
    // A killed broker may register again only when its old session is over; the default makes that nine seconds.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // The default, 128 MB, is a quarter of the heap, taken at the start.
    'log.cleaner.dedupe.buffer.size': '16777216',
  };
}

/**
 * Writes `server.properties` for one node.
 *
 * @param index - which node, from 0; its node id is one more
 * @param ports - the ports of all nodes, in order
 * @param dataDirectory - where its log goes
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
 * @throws Error when the log cannot be formatted, with what the tool said
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
      args: [
        // Several share a machine, and its memory.
        cluster.ports.length === 1 ? '-Xmx512m' : '-Xmx256m',
        '-XX:+UseSerialGC',
        '-XX:-UsePerfData',
        '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
        // What lives for minutes is quicker without the compiler that pays after them.
        ...(context.toMeasure === true ? [] : ['-XX:TieredStopAtLevel=1']),
        '-Dorg.slf4j.simpleLogger.showDateTime=true',
        '-cp',
        join(context.library, '*'),
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
      join(context.library, '*'),
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
