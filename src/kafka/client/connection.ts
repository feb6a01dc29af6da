import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Kafka as KafkaClient, LogEntry, SASLOptions } from 'kafkajs';
import { Kafka, logLevel, logThrottling } from './kafkajs.ts';
import { watchFirstAnswer, type WatchedSocket } from './first-answer.ts';
import { routeLine } from './log-routing.ts';
import type { KafkaDependencies, KafkaOptions, KafkaSasl, KafkaSecurity } from '../options.ts';
import { createThrottle, type Throttle } from './throttle.ts';

/** A client of its own, with sockets of its own, so that it can be thrown away as a whole. */
export interface Connection {
  readonly kafka: KafkaClient;
  /** How long one request may take before kafkajs gives it up, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** The last refusal that a broker answered with, of the last half minute: kafkajs swallows some of them. */
  lastRefusal(): string | undefined;
  readonly throttle: Throttle;
  /** Closes every socket; once it resolves, what comes next opens another. */
  cut(): Promise<void>;
  /** Closes every socket at once and makes retries that are still going on end. */
  destroy(): void;
}

/** Below the silence after which load balancers forget a connection, a minute and more. */
const keepAliveMs = 20_000;
const firstAnswer = { idleMs: 5000, answerMs: 3000 };
const refusalLifeMs = 30_000;
/**
 * How long before its end a login is made again. kafkajs' own 10 s have it log in twice at once where
 * logins count for no longer than that, which brokers refuse within a second of the first.
 */
const reloginBeforeMs = 3000;

/** Makes a client; nothing is connected yet. */
export function openConnection(options: KafkaOptions, dependencies: KafkaDependencies): Connection {
  const sockets = createSockets(dependencies.log);
  const answers = createAnswers(dependencies.telemetry);
  const requestTimeoutMs = Math.max(1000, Math.floor(options.sendDeadlineMs / 3));
  let open = true;
  logThrottling();

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
      answers.note(entry);
      const line = routeLine(entry);
      dependencies.log(open ? line.level : 'debug', `kafkajs: ${line.message}`, line.fields);
    },
    socketFactory: ({ host, port, onConnect }) => {
      if (!open) throw new Error('this client was thrown away');
      return sockets.add(openSocket({ host, port }, options.security, onConnect));
    },
  });

  return {
    kafka,
    requestTimeoutMs,
    lastRefusal: () => answers.lastRefusal(),
    throttle: answers.throttle,
    cut: () => sockets.cut('this connection was cut'),
    destroy() {
      open = false;
      void sockets.cut('this client was thrown away');
    },
  };
}

/** The sockets of a client. */
function createSockets(log: KafkaDependencies['log']) {
  const sockets = new Map<Socket, WatchedSocket>();
  const cutSilent = (silent: Socket): void => {
    const { idleMs, answerMs } = firstAnswer;
    const why = `no answer within ${answerMs} ms on a connection that was silent for ${idleMs} ms or more`;
    log('info', 'silent connection replaced', { reason: why });
    // What dropped one without a word has dropped the others as well.
    for (const [socket, watched] of sockets) {
      if (socket === silent || watched.isIdle()) socket.destroy(new Error(why));
    }
  };
  return {
    add(socket: Socket): Socket {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, keepAliveMs);
      const onSilence = (): void => {
        cutSilent(socket);
      };
      sockets.set(socket, watchFirstAnswer(socket, firstAnswer, onSilence));
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
    /** With an error, because kafkajs rejects what is in flight on "error" and not on "close". */
    async cut(why: string): Promise<void> {
      const closed = [...sockets.keys()].map((socket) => once(socket, 'close'));
      for (const socket of sockets.keys()) socket.destroy(new Error(why));
      await Promise.allSettled(closed);
    },
  };
}

/** What the brokers' answers say beside their data, as kafkajs logs it. */
function createAnswers(telemetry: KafkaDependencies['telemetry']) {
  const throttle = createThrottle(() => performance.now());
  let refusal: { readonly text: string; readonly atMs: number } | undefined;
  return {
    throttle,
    note({ log }: LogEntry): void {
      const { error, throttleMs } = log as { error?: unknown; throttleMs?: unknown };
      if (log.message.startsWith('Response ') && typeof error === 'string') {
        refusal = { text: error, atMs: performance.now() };
      }
      if (typeof throttleMs !== 'number') return;
      telemetry.report({ type: 'throttled', durationMs: throttle.note(throttleMs) });
    },
    lastRefusal(): string | undefined {
      const isRecent = refusal !== undefined && performance.now() - refusal.atMs < refusalLifeMs;
      return isRecent ? refusal?.text : undefined;
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
