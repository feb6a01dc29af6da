import { readiness } from '../engine/readiness.ts';
import type { StreamName } from '../engine/stream-name.ts';
import type { Clock, Controls, Telemetry, TelemetryEvent } from '../engine/ports.ts';
import { createEventLog } from './event-log.ts';
import { initialHealth, reduceHealth, type Health } from './health.ts';
import { createLog, type LeveledLog, type Log, type LogDestination } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { LogStyle } from './pretty.ts';
import { createRedactor, type Redactor } from './redaction.ts';
import { describeStatus } from './status.ts';
import { createStatusServer, type StatusServer } from './http/server.ts';

export { logStyle } from './pretty.ts';
export type { LeveledLog } from './log.ts';

/** What is shown of the program, and where. */
export interface ObservabilityOptions {
  /** The least important log level that is written, or `silent`. */
  readonly level: string;
  /** Port 0 takes any that is free. */
  readonly http: {
    readonly enabled: boolean;
    readonly host: string;
    readonly port: number;
    /** Names that requests may have as their Host, beside those of loopback. */
    readonly allowedHosts: readonly string[];
    /** What orders must carry, asked at each of them; null turns them off. */
    readonly token: (() => string) | null;
  };
  /** Texts that must never be seen: tokens, passwords. */
  readonly secrets: readonly string[];
  /** Where log lines go; standard output when absent. */
  readonly destination?: LogDestination;
  /** How they are written; as JSON when absent. */
  readonly style?: LogStyle;
  readonly version: string;
  readonly instance: string;
  /** The enabled streams. */
  readonly streams: Readonly<Partial<Record<StreamName, { readonly intervalMs: number }>>>;
}

/** Logs, metrics and health, opened. */
export interface Observability extends AsyncDisposable {
  readonly log: LeveledLog;
  /** Every event is logged, counted and told to the health; never throws, never waits. */
  readonly telemetry: Telemetry;
  /** Keeps further secrets out of everything that is shown. */
  readonly hide: (secrets: readonly string[]) => void;
  /**
   * Serves health, metrics and status; call it once.
   *
   * @returns where, without a slash at its end; null when the server is not enabled
   * @throws StopProcessError `config.invalid` (exit code 2) when the address cannot be had
   */
  listen(): Promise<{ url: string } | null>;
}

/** Opens logs, metrics and health; nothing listens before `listen`. Disposing closes the server. */
export function openObservability(
  options: ObservabilityOptions,
  { clock, controls }: { readonly clock: Clock; readonly controls: Controls },
): Observability {
  const redactor = createRedactor([...options.secrets, options.http.token?.() ?? '']);
  const log = createLog({ ...options, redactor, nowMs: () => clock.nowMs() });
  const health = createHealthKeeper(options.streams, clock, redactor);
  const metrics = createMetrics({
    health: health.snapshot,
    nowMs: () => clock.nowMs(),
    version: options.version,
    redact: redactor.text,
  });
  const server = options.http.enabled
    ? serve(options, { log, metrics, health, clock, controls })
    : null;
  return {
    log,
    hide: redactor.hide,
    telemetry: fanOut([health, metrics, createEventLog(log)], log),
    async listen() {
      if (server === null) return null;
      const url = await server.listen();
      log.info({ url }, 'http server listening');
      return { url };
    },
    async [Symbol.asyncDispose]() {
      await server?.[Symbol.asyncDispose]();
    },
  };
}

interface HealthKeeper extends Telemetry {
  readonly snapshot: () => Health;
}

function createHealthKeeper(
  streams: ObservabilityOptions['streams'],
  clock: Clock,
  redactor: Redactor,
): HealthKeeper {
  let current = initialHealth(streams);
  return {
    snapshot: () => current,
    report(event) {
      current = reduceHealth(current, shownOf(event, redactor), clock.nowMs());
    },
  };
}

/** A message is shown as far as a person reads it. */
const longestMessage = 500;

/** The event with its texts as /readyz and /status may show them (Invariant 9). */
function shownOf(event: TelemetryEvent, { text }: Redactor): TelemetryEvent {
  const shown = (words: string) => text(words).slice(0, longestMessage);
  if (event.type === 'token') return { ...event, action: shown(event.action ?? '') };
  if (event.type === 'dependency') return { ...event, reason: shown(event.reason) };
  if (event.type === 'poll-failed') return { ...event, message: shown(event.message) };
  return event;
}

interface Served {
  readonly log: LeveledLog;
  readonly controls: Controls;
  readonly metrics: Metrics;
  readonly health: HealthKeeper;
  readonly clock: Clock;
}

function serve(options: ObservabilityOptions, served: Served): StatusServer {
  const { log, metrics, health, clock, controls } = served;
  const { version, instance } = options;
  const startedMs = clock.nowMs();
  return createStatusServer(options.http, {
    readiness: () => readiness(health.snapshot(), clock.nowMs()),
    status: (query) =>
      describeStatus(health.snapshot(), query, {
        version,
        instance,
        startedMs,
        nowMs: clock.nowMs(),
      }),
    metrics,
    orders: {
      token: options.http.token,
      controls,
      logLevel: log,
      onChange: (fields) => {
        log.info(fields, 'order carried out');
      },
    },
    onError: (error) => {
      log.error({ error }, 'http request failed');
    },
  });
}

/** Tells each listener; trouble in one of them is no trouble of the others, nor of who reports. */
function fanOut(listeners: readonly Telemetry[], log: Log): Telemetry {
  const tell = (listener: Telemetry, event: TelemetryEvent): void => {
    try {
      listener.report(event);
    } catch (error) {
      log.error({ event: event.type, error }, 'event not observed');
    }
  };
  return {
    report(event) {
      for (const listener of listeners) tell(listener, event);
    },
  };
}
