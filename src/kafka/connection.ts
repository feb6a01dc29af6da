import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Kafka as KafkaClient, LogEntry, SASLOptions } from 'kafkajs';
import { Kafka, logLevel } from './client-library.ts';
import { routeLine } from './log-routing.ts';
import type { KafkaDependencies, KafkaOptions, KafkaSasl, KafkaSecurity } from './options.ts';

/** A client of its own, with sockets of its own, so that it can be thrown away as a whole. */
export interface Connection {
  readonly kafka: KafkaClient;
  /** How long one request may take before kafkajs gives it up, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** The last refusal that a broker answered with: kafkajs swallows some of them. */
  lastRefusal(): string | undefined;
  /** Closes every socket; once it resolves, what comes next opens another. */
  cut(): Promise<void>;
  /** Closes every socket at once and makes retries that are still going on end. */
  destroy(): void;
}

const keepAliveMs = 60_000;
/**
 * How long before its end a login is made again. kafkajs' own 10 s have it log in twice at once where
 * logins count for no longer than that, which brokers refuse within a second of the first.
 */
const reloginBeforeMs = 3000;

/** Makes a client; nothing is connected yet. */
export function openConnection(options: KafkaOptions, dependencies: KafkaDependencies): Connection {
  const sockets = new Set<Socket>();
  const requestTimeoutMs = Math.max(1000, Math.floor(options.sendDeadlineMs / 3));
  let open = true;
  let refusal: string | undefined;

  // With an error, because kafkajs rejects what is in flight on "error" and not on "close".
  const cutAll = (why: string): void => {
    for (const socket of sockets) socket.destroy(new Error(why));
  };

  const kafka = new Kafka({
    clientId: options.clientId,
    // An empty list is the one thing that ends kafkajs' connection retries at once.
    brokers: () => (open ? fromAnywhere(options.brokers) : []),
    // What TLS is set up with is asked for in `socketFactory`, each time.
    ssl: options.security.tls !== null,
    ...(options.security.sasl && { sasl: saslOf(options.security.sasl) }),
    connectionTimeout: options.connectionTimeoutMs,
    authenticationTimeout: options.connectionTimeoutMs,
    reauthenticationThreshold: reloginBeforeMs,
    requestTimeout: requestTimeoutMs,
    // Every value is given: kafkajs has other defaults when NODE_ENV is "test".
    retry: { initialRetryTime: 20, factor: 0, multiplier: 2, maxRetryTime: 500, retries: 6 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry: LogEntry) => {
      const cause: unknown = entry.log['error'];
      if (entry.log.message.startsWith('Response ') && typeof cause === 'string') refusal = cause;
      const line = routeLine(entry);
      dependencies.log(open ? line.level : 'debug', `kafkajs: ${line.message}`, line.fields);
    },
    socketFactory: ({ host, port, onConnect }) => {
      if (!open) throw new Error('this client was thrown away');
      const socket = openSocket({ host, port }, options.security, onConnect);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, keepAliveMs);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
  });

  return {
    kafka,
    requestTimeoutMs,
    lastRefusal: () => refusal,
    async cut() {
      const closed = [...sockets].map((socket) => once(socket, 'close'));
      cutAll('this connection was cut');
      await Promise.allSettled(closed);
    },
    destroy() {
      open = false;
      cutAll('this client was thrown away');
    },
  };
}

/**
 * The brokers, beginning with any of them. kafkajs stays with the first for as long as a client lives
 * when it is connected and cut off at once, as by a load balancer whose broker has died.
 */
function fromAnywhere(brokers: readonly string[]): string[] {
  const first = Math.floor(Math.random() * brokers.length);
  return [...brokers.slice(first), ...brokers.slice(0, first)];
}

function openSocket(
  at: { readonly host: string; readonly port: number },
  { tls }: KafkaSecurity,
  onConnect: () => void,
): Socket {
  if (tls === null) return connect(at, onConnect);
  const servername = isIP(at.host) === 0 ? { servername: at.host } : {};
  return connectTls({ ...at, ...servername, ...tls() }, onConnect);
}

/** kafkajs reads the password at each login; a renewed one is taken up by that. */
function saslOf(sasl: KafkaSasl): SASLOptions {
  if (sasl.mechanism === 'OAUTHBEARER') {
    return { mechanism: 'oauthbearer', oauthBearerProvider: () => sasl.token() };
  }
  return {
    // kafkajs' types know the name in small letters only.
    mechanism: sasl.mechanism.toLowerCase() as 'plain',
    username: sasl.username,
    get password() {
      return sasl.password();
    },
  };
}
