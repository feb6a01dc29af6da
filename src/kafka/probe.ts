import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { messageOf, RetryError } from '../engine/errors.ts';
import { settled } from '../engine/shutdown.ts';
import { releaseOf, requestVersions } from './broker-version.ts';
import { needsOf } from './client/acls.ts';
import { asAdmin, withConnection } from './client/admin-call.ts';
import { withDeadline } from './client/deadline.ts';
import { translate } from './client/errors.ts';
import type { KafkaOptions } from './options.ts';
import type { KafkaShared, StateEntry } from './shared.ts';
import { checkPlacement, decodeAll } from './state/store.ts';
import { findTopics } from './topics.ts';

/** The address of a broker. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The checks of the program's requirements of Kafka, one by one; they change nothing. */
export type KafkaProbe = ReturnType<typeof createProbe>;

export function createProbe(shared: KafkaShared) {
  const { options } = shared;
  return {
    endpoints: options.brokers.map(parseEndpoint),
    usesTls: options.security.tls !== null,
    /** The SASL mechanism; null without a login. */
    login: options.security.sasl?.mechanism ?? null,
    async resolve({ host }: Endpoint): Promise<readonly string[]> {
      if (isIP(host) !== 0) return [host];
      const found = await lookup(host, { all: true }).catch((error: unknown) => {
        throw unreachable(`has no address (${messageOf(error)})`);
      });
      return found.map(({ address }) => address);
    },
    reach: (endpoint: Endpoint) => reach(endpoint, options.connectionTimeoutMs),
    handshake: (endpoint: Endpoint) => handshake(endpoint, options),
    /** Returns the Kafka release of a broker, such as `4.1`; null where its answer does not show it. */
    version: (endpoint: Endpoint) => version(endpoint, options),
    /** Logs in and returns the brokers of the cluster. */
    async cluster(): Promise<readonly Endpoint[]> {
      const operation = { doing: 'asking for the brokers', needs: [] };
      const { brokers } = await asAdmin(shared, (admin) => admin.describeCluster(), operation);
      return brokers.map(({ host, port }) => ({ host, port }));
    },
    topics: (accountIds: readonly string[] = []) => findTopics(shared, accountIds),
    transactions: () => acquireTransactionalId(shared),
    /** Reads the state topic in a group of its own. Requires prepared topics. */
    async states(signal: AbortSignal): Promise<readonly StateEntry[]> {
      const { partitions } = shared.layout();
      const reads = partitions.map((partition) => shared.readState(partition, 'now', signal));
      return (await Promise.all(reads)).flat();
    },
    /**
     * Verifies the states as a restore does: each in the partition of its account, and readable.
     * @returns those that cannot be read, with the reason
     * @throws StopProcessError `kafka.topic-invalid` for misplaced states; errors of the registry
     */
    async unreadable(entries: readonly StateEntry[], signal: AbortSignal) {
      checkPlacement(entries, shared.layout());
      const restored = [...(await decodeAll(entries, shared, signal))];
      return restored.flatMap(([key, found]) =>
        found.kind === 'unreadable' ? [{ key, error: found.error }] : [],
      );
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

/** Returns the error of an unreachable endpoint; the caller adds the fix. */
function unreachable(problem: string): RetryError {
  return new RetryError('kafka.unavailable', problem);
}

async function reach(endpoint: Endpoint, limitMs: number): Promise<void> {
  const socket = connect(endpoint);
  try {
    await withDeadline(once(socket, 'connect'), limitMs, 'connecting');
  } catch (error) {
    throw unreachable(`cannot be connected to (${messageOf(error)})`);
  } finally {
    socket.destroy();
  }
}

/** @throws StopProcessError `kafka.tls`, RetryError `kafka.unavailable` */
async function handshake(endpoint: Endpoint, options: KafkaOptions) {
  const { host, port } = endpoint;
  const socket = openTls(endpoint, options);
  try {
    const limitMs = options.connectionTimeoutMs;
    await withDeadline(once(socket, 'secureConnect'), limitMs, 'the TLS handshake');
    const { subject, valid_to: validTo } = socket.getPeerCertificate();
    const untilMs = Date.parse(validTo);
    return {
      protocol: socket.getProtocol() ?? 'TLS',
      /** The certificate's common name, for display. */
      subject: String(subject.CN),
      validUntilMs: Number.isNaN(untilMs) ? null : untilMs,
    };
  } catch (error) {
    const doing = `a TLS handshake with ${host.includes(':') ? `[${host}]` : host}:${port}`;
    const translated = translate(error, { options, doing, needs: [] });
    throw translated === error ? unreachable(`${doing} failed (${messageOf(error)})`) : translated;
  } finally {
    socket.destroy();
  }
}

function openTls({ host, port }: Endpoint, { security }: KafkaOptions) {
  const named = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port, ...named, ...security.tls?.() });
}

async function version(endpoint: Endpoint, options: KafkaOptions): Promise<string | null> {
  const usesTls = options.security.tls !== null;
  const socket = usesTls ? openTls(endpoint, options) : connect(endpoint);
  try {
    const request = once(socket, usesTls ? 'secureConnect' : 'connect').then(() =>
      requestVersions(socket, options.clientId),
    );
    const limitMs = options.connectionTimeoutMs;
    return releaseOf(await withDeadline(request, limitMs, 'asking for the version'));
  } finally {
    socket.destroy();
  }
}

/** Acquires and releases a transactional id under the prefix that no instance uses; returns it. */
function acquireTransactionalId(shared: KafkaShared): Promise<string> {
  const { options } = shared;
  const transactionalId = `${options.transactionalIdPrefix}-check`;
  const doing = `a transaction of ${transactionalId}`;
  const operation = { doing, needs: needsOf.transactions(options, []) };
  return withConnection(shared, operation, async ({ kafka }, cleanUps) => {
    const producer = kafka.producer({
      transactionalId,
      transactionTimeout: options.transactionTimeoutMs,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    cleanUps.defer(() => settled(producer.disconnect(), 1000));
    // Only `transaction` sends InitProducerId; no transaction begins at the broker.
    const acquisition = producer.connect().then(() => producer.transaction());
    await withDeadline(acquisition, 30_000, 'acquiring a transactional id');
    return transactionalId;
  });
}
