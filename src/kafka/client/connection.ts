import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { LogEntry, Mechanism, SASLOptions } from 'kafkajs';
import { Kafka, logLevel } from './kafkajs.ts';
import { watchFirstAnswer, type WatchedSocket } from './first-answer.ts';
import type { KafkaDependencies, KafkaOptions, KafkaSasl, KafkaSecurity } from '../options.ts';
import { createThrottle } from './deadline.ts';
import { createOauthbearer } from './oauthbearer.ts';

/** A kafkajs client with its own sockets, so that it can be discarded as a whole. */
export type Connection = ReturnType<typeof openConnection>;

/** TCP keep-alive delay, below the idle timeout of load balancers: a minute and more. */
const keepAliveMs = 20_000;
const firstAnswer = { idleMs: 5000, answerMs: 3000 };
const brokerErrorLifeMs = 30_000;
/**
 * Time before the end of a login's lifetime at which the client logs in again. With the 10 s of
 * kafkajs and a lifetime below that, it logs in twice at once, and brokers reject a second login
 * within a second.
 */
const reloginBeforeMs = 3000;

/** Creates a client, which connects on demand. */
export function openConnection(options: KafkaOptions, dependencies: KafkaDependencies) {
  const sockets = createSockets(dependencies.log);
  const answers = createAnswerLog(dependencies.telemetry);
  const requestTimeoutMs = Math.max(1000, Math.floor(options.sendDeadlineMs / 3));
  let open = true;

  const kafka = new Kafka({
    clientId: options.clientId,
    // Only an empty list ends the connection retries of kafkajs at once.
    brokers: () => (open ? fromRandomBroker(options.brokers) : []),
    // `socketFactory` reads the TLS material for each connection.
    ssl: options.security.tls !== null,
    ...(options.security.sasl && { sasl: saslOf(options.security.sasl) }),
    connectionTimeout: options.connectionTimeoutMs,
    authenticationTimeout: options.connectionTimeoutMs,
    reauthenticationThreshold: reloginBeforeMs,
    requestTimeout: requestTimeoutMs,
    // Every value is set: kafkajs has other defaults when NODE_ENV is "test".
    retry: { initialRetryTime: 20, factor: 0, multiplier: 2, maxRetryTime: 500, retries: 6 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry: LogEntry) => {
      answers.record(entry);
      const line = routeLine(entry);
      dependencies.log(open ? line.level : 'debug', `kafkajs: ${line.message}`, line.fields);
    },
    socketFactory: ({ host, port, onConnect }) => {
      if (!open) throw new Error('this client was discarded');
      return sockets.add(openSocket({ host, port }, options.security, onConnect));
    },
  });

  return {
    kafka,
    /** Time after which kafkajs gives up a request, in milliseconds. */
    requestTimeoutMs,
    /** Returns the last error in a broker's response within half a minute: kafkajs swallows some. */
    lastBrokerError: () => answers.lastBrokerError(),
    throttle: answers.throttle,
    /** Closes every socket; after it resolves, the next request opens another one. */
    cut: () => sockets.cut('this connection was cut'),
    /** Closes every socket at once and ends running retries. */
    destroy(): void {
      open = false;
      void sockets.cut('this client was discarded');
    },
  };
}

function createSockets(log: KafkaDependencies['log']) {
  const sockets = new Map<Socket, WatchedSocket>();
  const { idleMs, answerMs } = firstAnswer;
  const closeSilent = (silent: Socket): void => {
    const reason = `no answer within ${answerMs} ms on a connection that was silent for ${idleMs} ms or more`;
    log('info', 'silent connection replaced', { reason });
    // The middlebox that silently dropped one connection has dropped other idle ones as well.
    for (const [socket, watched] of sockets) {
      if (socket === silent || watched.isIdle()) socket.destroy(new Error(reason));
    }
  };
  return {
    add(socket: Socket): Socket {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, keepAliveMs);
      const watched = watchFirstAnswer(socket, firstAnswer, () => {
        closeSilent(socket);
      });
      sockets.set(socket, watched);
      socket.once('close', () => sockets.delete(socket));
      withoutLateUnref(socket);
      return socket;
    },
    /** Destroys with an error: kafkajs rejects requests in flight on "error" and not on "close". */
    async cut(reason: string): Promise<void> {
      const closed = [...sockets.keys()].map((socket) => once(socket, 'close'));
      for (const socket of sockets.keys()) socket.destroy(new Error(reason));
      await Promise.allSettled(closed);
    },
  };
}

/**
 * Makes `unref` of a closed socket do nothing. kafkajs (2.2.4, `network/connection.js`) calls it at
 * each `disconnect`, also of a broker that has refused the connection, and Node (24, `lib/net.js`)
 * adds a listener for "connect" each time.
 */
export function withoutLateUnref(socket: Socket): void {
  const unref = socket.unref.bind(socket);
  socket.unref = () => (socket.destroyed ? socket : unref());
}

/** Creates the record of errors and throttling in the brokers' responses, as kafkajs logs them. */
function createAnswerLog(telemetry: KafkaDependencies['telemetry']) {
  const throttle = createThrottle(() => performance.now());
  let brokerError: { readonly text: string; readonly atMs: number } | undefined;
  return {
    throttle,
    record({ log }: LogEntry): void {
      const { error, throttleMs } = log as { error?: unknown; throttleMs?: unknown };
      if (log.message.startsWith('Response ') && typeof error === 'string') {
        brokerError = { text: error, atMs: performance.now() };
      }
      if (typeof throttleMs !== 'number') return;
      telemetry.report({ type: 'throttled', durationMs: throttle.record(throttleMs) });
    },
    lastBrokerError(): string | undefined {
      const ageMs = performance.now() - (brokerError?.atMs ?? -Infinity);
      return ageMs < brokerErrorLifeMs ? brokerError?.text : undefined;
    },
  };
}

/**
 * Returns the brokers, beginning with a random one. When a load balancer with a dead broker accepts
 * and closes a connection at once, kafkajs stays with the first broker for the lifetime of the
 * client.
 */
function fromRandomBroker(brokers: readonly string[]): string[] {
  const first = Math.floor(Math.random() * brokers.length);
  return [...brokers.slice(first), ...brokers.slice(0, first)];
}

function openSocket(
  endpoint: { readonly host: string; readonly port: number },
  { tls }: KafkaSecurity,
  onConnect: () => void,
): Socket {
  if (tls === null) return connect(endpoint, onConnect);
  const servername = isIP(endpoint.host) === 0 ? { servername: endpoint.host } : {};
  return connectTls({ ...endpoint, ...servername, ...tls() }, onConnect);
}

/** Returns the login; kafkajs reads the password at each login, and so uses a renewed one. */
function saslOf(sasl: KafkaSasl): SASLOptions | Mechanism {
  if ('token' in sasl) return createOauthbearer(() => sasl.token());
  return {
    // The types of kafkajs have the name only in lower case.
    mechanism: sasl.mechanism.toLowerCase() as 'plain',
    username: sasl.username,
    get password() {
      return sasl.password();
    },
  };
}

/** Lines that kafkajs logs as errors or warnings although they are normal here. */
const normalLines: readonly RegExp[] = [
  // The broker still writes the markers of the last commit: every transaction may meet this once.
  /concurrent operation on the same transaction was ongoing/i,
  // Retries are bounded on purpose: a failed producer is discarded.
  /Limiting retries for the idempotent producer/,
  // A broker has just started or moves a coordinator; retried.
  /coordinator is (loading|not available)|not the correct coordinator|^Crash: KafkaJSGroupCoordinatorNotFound/i,
  // One line per attempt to connect: the caller that finally fails reports it once.
  /^(Connection error|Connection timeout|Failed to connect)/,
  // The normal answer to a request for the metadata of a missing topic.
  /Response Metadata\(.*does not host this topic-partition/,
  // The broker later removes a group that may not be deleted.
  /Response DeleteGroups\(/,
  // An instance joined or left: all others rejoin.
  /The group is rebalancing/,
  // The answer to a request that has timed out.
  /Response without match/,
];

/**
 * Decides the level of one kafkajs log line. Errors become warnings, because only the code that
 * handles an error knows its severity; normal lines become debug.
 */
export function routeLine({ level, log: { message, ...rest } }: LogEntry) {
  const cause: unknown = rest['error'];
  const text = typeof cause === 'string' ? `${message} ${cause}` : message;
  const isProblem = level === logLevel.ERROR || level === logLevel.WARN;
  const isWarning = isProblem && !normalLines.some((pattern) => pattern.test(text));
  const fields = Object.fromEntries(
    Object.entries(rest).filter(([name]) => !['timestamp', 'logger', 'stack'].includes(name)),
  );
  return { level: isWarning ? ('warn' as const) : ('debug' as const), message, fields };
}
