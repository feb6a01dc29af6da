import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { messageOf, RetryError } from '../engine/errors.ts';
import { settled } from '../engine/shutdown.ts';
import { needsOf } from './client/acls.ts';
import { asAdmin, withConnection } from './client/admin-call.ts';
import { withDeadline } from './client/deadline.ts';
import { translate } from './client/errors.ts';
import type { KafkaBase, KafkaShared } from './shared.ts';
import { findTopics, type TopicFinding } from './topics.ts';

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
      const { partitions } = shared.layout();
      const reads = partitions.map((partition) => shared.readState(partition, 'now', signal));
      return (await Promise.all(reads)).flat().length;
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

function acquireTransactionalId(shared: KafkaShared): Promise<string> {
  const { options } = shared;
  const transactionalId = `${options.transactionalIdPrefix}-check`;
  const doing = `a transaction of ${transactionalId}`;
  const needs = needsOf.transactions(options, []);
  return withConnection(shared, { doing, needs }, async ({ kafka }) => {
    const producer = kafka.producer({
      transactionalId,
      transactionTimeout: options.transactionTimeoutMs,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    // Only `transaction` sends InitProducerId; no transaction begins at the broker.
    const acquisition = producer.connect().then(() => producer.transaction());
    try {
      await withDeadline(acquisition, transactionLimitMs, 'taking a transactional id');
      return transactionalId;
    } finally {
      await settled(producer.disconnect(), 1000);
    }
  });
}
