import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { messageOf, RetryError } from '../engine/errors.ts';
import { asAdmin } from './client/admin-call.ts';
import { openConnection } from './client/connection.ts';
import { withDeadline } from './client/deadline.ts';
import { settled } from '../engine/shutdown.ts';
import { translate } from './client/errors.ts';
import type { KafkaBase, KafkaShared } from './shared.ts';
import { planTopics, topicWarning, type TopicPlan, type TopicWarning } from './topic-plan.ts';
import {
  createMissing,
  describe,
  describeHidden,
  describeMissing,
  separateHidden,
  verify,
} from './topics.ts';

/** The address of a broker. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The results of a TLS handshake. */
export interface TlsFacts {
  readonly protocol: string;
  /** The certificate's common name, for display. */
  readonly subject: string;
  /** Epoch milliseconds; null when unreadable. */
  readonly validUntilMs: number | null;
}

/** The findings about one topic. */
export interface TopicFinding {
  readonly name: string;
  readonly exists: boolean;
  readonly partitions: number;
  /** Empty when this user may not read them. */
  readonly configs: Readonly<Record<string, string>>;
  /** The problems of the topic, each with its fix. */
  readonly problems: readonly string[];
  /** The warning about lost records; null for none. */
  readonly warning: TopicWarning | null;
}

/** The checks of the program's requirements of Kafka, one by one; they change nothing. */
export interface KafkaProbe {
  /** The brokers of the configuration. */
  readonly endpoints: readonly Endpoint[];
  readonly usesTls: boolean;
  /** The SASL mechanism; null without a login. */
  readonly login: string | null;
  /** @returns the addresses; @throws RetryError `kafka.unavailable` */
  resolve(endpoint: Endpoint): Promise<readonly string[]>;
  /** @throws RetryError `kafka.unavailable` */
  reach(endpoint: Endpoint): Promise<void>;
  /** @throws StopProcessError `kafka.tls`, RetryError `kafka.unavailable` */
  handshake(endpoint: Endpoint): Promise<TlsFacts>;
  /**
   * Logs in and returns the brokers of the cluster.
   *
   * @throws StopProcessError `kafka.unauthenticated`, `kafka.tls`; RetryError `kafka.unavailable`
   */
  cluster(): Promise<readonly Endpoint[]>;
  topics(): Promise<readonly TopicFinding[]>;
  /**
   * Acquires a transactional id of its own under the prefix, and releases it; no instance is affected.
   *
   * @returns the id
   * @throws StopProcessError `kafka.unauthorized`, or `config.invalid` for the timeout
   */
  transactions(): Promise<string>;
  /**
   * Reads the state topic in a group of its own, as instances do; requires prepared topics.
   *
   * @returns the number of keys
   */
  group(signal: AbortSignal): Promise<number>;
}

const transactionLimitMs = 30_000;

/** Creates the probe, which connects on demand. */
export function createProbe(shared: KafkaShared): KafkaProbe {
  const { options } = shared;
  return {
    endpoints: options.brokers.map(parseEndpoint),
    usesTls: options.security.tls !== null,
    login: options.security.sasl?.mechanism ?? null,
    resolve: async ({ host }) => {
      if (isIP(host) !== 0) return [host];
      const found = await lookup(host, { all: true }).catch((error: unknown) => {
        throw unreachable(`has no address (${messageOf(error)})`);
      });
      return found.map(({ address }) => address);
    },
    reach: (endpoint) => reach(endpoint, options.connectionTimeoutMs),
    handshake: (endpoint) => handshake(endpoint, shared),
    cluster: () => describeBrokers(shared),
    topics: () => findTopics(shared),
    transactions: () => acquireTransactionalId(shared),
    async group(signal) {
      const all = Array.from({ length: shared.layout().statePartitions }, (_, id) => id);
      const read = all.map((partition) => shared.readState(partition, 'now', signal));
      return (await Promise.all(read)).flat().length;
    },
  };
}

/** Parses `host:port`, with an optionally bracketed host. */
function parseEndpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  return {
    host: text.slice(0, colon).replaceAll(/^\[|\]$/g, ''),
    port: Number(text.slice(colon + 1)),
  };
}

function nameOf({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Returns the error of an unreachable endpoint; the caller adds the fix. */
function unreachable(problem: string): RetryError {
  return new RetryError('kafka.unavailable', problem);
}

async function reach(endpoint: Endpoint, limitMs: number): Promise<void> {
  const socket = connect(endpoint);
  try {
    await withDeadline(opened(socket, 'connect'), limitMs, 'connecting');
  } catch (error) {
    throw unreachable(`cannot be connected to (${messageOf(error)})`);
  } finally {
    socket.destroy();
  }
}

function opened(
  socket: ReturnType<typeof connect> | TLSSocket,
  event: 'connect' | 'secureConnect',
): Promise<undefined> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => {
      resolve(undefined);
    });
    socket.once('error', reject);
  });
}

async function handshake(endpoint: Endpoint, { options }: KafkaBase): Promise<TlsFacts> {
  const material = options.security.tls?.() ?? {};
  const { host } = endpoint;
  const named = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ ...endpoint, ...named, ...material });
  try {
    const limitMs = options.connectionTimeoutMs;
    await withDeadline(opened(socket, 'secureConnect'), limitMs, 'the TLS handshake');
    const { subject, valid_to: validTo } = socket.getPeerCertificate();
    const untilMs = Date.parse(validTo);
    return {
      protocol: socket.getProtocol() ?? 'TLS',
      subject: String(subject.CN),
      validUntilMs: Number.isNaN(untilMs) ? null : untilMs,
    };
  } catch (error) {
    const doing = `a TLS handshake with ${nameOf(endpoint)}`;
    const translated = translate(error, { options, doing, needs: [] });
    throw translated === error ? unreachable(`${doing} failed (${messageOf(error)})`) : translated;
  } finally {
    socket.destroy();
  }
}

async function describeBrokers(shared: KafkaShared): Promise<readonly Endpoint[]> {
  const operation = { doing: 'asking for the brokers', needs: [] };
  const { brokers } = await asAdmin(shared, (admin) => admin.describeCluster(), operation);
  return brokers.map(({ host, port }) => ({ host, port }));
}

function findTopics(shared: KafkaShared): Promise<readonly TopicFinding[]> {
  const { options } = shared;
  const plans = planTopics(options);
  const needs = plans.map(({ name }) => ({ operation: 'Write', resource: 'topic', name }) as const);
  return asAdmin(
    shared,
    async (admin) => {
      const present = new Set(await admin.listTopics());
      const visible = plans.filter(({ name }) => present.has(name));
      const unlisted = plans.filter(({ name }) => !present.has(name));
      const { missing, hidden } = await separateHidden(admin, unlisted);
      const creationProblems = options.topics.create
        ? await createMissing(admin, missing, { options, validateOnly: true })
        : missing.map(describeMissing);
      const { topics } =
        visible.length === 0
          ? { topics: [] }
          : await admin.fetchTopicMetadata({ topics: visible.map(({ name }) => name) });
      const existing = visible.map(async (plan): Promise<TopicFinding> => {
        const found = topics.find(({ name }) => name === plan.name);
        if (found === undefined) return absent(plan, []);
        const { partitions, configs, replicas } = await describe(admin, found);
        const problems = verify(plan, { partitions, configs, replicas }, options);
        const texts = problems.map(({ text }) => text);
        const warning = topicWarning(plan, { configs }, options.brokers);
        return { name: plan.name, exists: true, partitions, configs, problems: texts, warning };
      });
      const absentTopics = missing.map((plan) =>
        absent(
          plan,
          creationProblems
            .map(({ text }) => text)
            .filter((text) => text.startsWith(`${plan.name}: `)),
        ),
      );
      const hiddenTopics = hidden.map((plan) => absent(plan, [describeHidden(plan, options).text]));
      const all = [...(await Promise.all(existing)), ...absentTopics, ...hiddenTopics];
      return plans.flatMap(({ name }) => all.filter((one) => one.name === name));
    },
    { doing: 'looking at the topics', needs },
  );
}

function absent(
  { name, partitions, configs }: TopicPlan,
  problems: readonly string[],
): TopicFinding {
  return { name, exists: false, partitions, configs, problems, warning: null };
}

async function acquireTransactionalId(shared: KafkaShared): Promise<string> {
  const { options, dependencies } = shared;
  const transactionalId = `${options.transactionalIdPrefix}-check`;
  const connection = openConnection(options, dependencies);
  const producer = connection.kafka.producer({
    transactionalId,
    transactionTimeout: options.transactionTimeoutMs,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  const acquire = async (): Promise<void> => {
    await producer.connect();
    // Only this call sends InitProducerId; no transaction begins at the broker.
    await producer.transaction();
  };
  try {
    await withDeadline(acquire(), transactionLimitMs, 'taking a transactional id');
    return transactionalId;
  } catch (error) {
    throw translate(error, {
      options,
      doing: `a transaction of ${transactionalId}`,
      needs: [
        {
          operation: 'Write',
          resource: 'transactional-id',
          name: `${options.transactionalIdPrefix}-`,
          prefixed: true,
        },
      ],
      lastRejection: connection.lastRejection(),
    });
  } finally {
    await settled(producer.disconnect(), 1000);
    connection.destroy();
  }
}
