import { readiness } from '../engine/readiness.ts';
import type { StreamName } from '../engine/stream-name.ts';
import type { Clock, Controls, Telemetry, TelemetryEvent } from '../engine/ports.ts';
import { createEventLog } from './event-log.ts';
import { initialHealth, reduceHealth, type ServiceHealth } from './health.ts';
import { createLog, type LeveledLog, type Log, type LogOptions } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createRedactor, type Redactor } from './redaction.ts';
import { describeStatus } from './status.ts';
import { createStatusServer, type StatusServer } from './http/server.ts';

export { logStyle } from './pretty.ts';
export type { LeveledLog } from './log.ts';

/** The settings of the log, the HTTP server and the metrics. */
export interface ObservabilityOptions extends LogOptions {
  /** Port 0 selects a free port. */
  readonly http: {
    readonly enabled: boolean;
    readonly host: string;
    readonly port: number;
    /** Names that the Host header may contain besides those of loopback. */
    readonly allowedHosts: readonly string[];
    /** Called for each control request; null disables the control API. */
    readonly token: (() => string) | null;
  };
  /** Texts to redact everywhere: tokens, passwords. */
  readonly secrets: readonly string[];
  /** The enabled streams. */
  readonly streams: Readonly<Partial<Record<StreamName, { readonly intervalMs: number }>>>;
}

/** The log, the metrics, the health and their HTTP server. */
export interface Observability extends AsyncDisposable {
  readonly log: LeveledLog;
  /** Logs and counts every event and updates the health; never throws, never waits. */
  readonly telemetry: Telemetry;
  /** Adds secrets to the redaction of all output. */
  readonly hide: (secrets: readonly string[]) => void;
  /**
   * Serves health, metrics and status; call it once.
   *
   * @returns the URL without a trailing slash; null when the server is disabled
   * @throws StopProcessError `config.invalid` (exit code 2) when the server cannot listen on the
   * address
   */
  listen(): Promise<{ url: string } | null>;
}

/** Opens logs, metrics and health; `listen` starts the server. Disposing closes the server. */
export function openObservability(
  options: ObservabilityOptions,
  { clock, controls }: { readonly clock: Clock; readonly controls: Controls },
): Observability {
  const nowMs = () => clock.nowMs();
  const redactor = createRedactor([...options.secrets, options.http.token?.() ?? '']);
  const log = createLog(options, redactor, nowMs);
  let current = initialHealth(options.streams);
  const health = () => current;
  const keepHealth: Telemetry = {
    report(event) {
      current = reduceHealth(current, shownOf(event, redactor), nowMs());
    },
  };
  const metrics = createMetrics({ health, nowMs, version: options.version }, redactor.text);
  const served = { log, metrics, health, nowMs, controls };
  const server = options.http.enabled ? serve(options, served) : null;
  return {
    log,
    hide: redactor.hide,
    telemetry: fanOut([keepHealth, metrics, createEventLog(log)], log),
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

/** The characters of an error message that are shown at most. */
const longestMessage = 500;

/** The event with its texts redacted and shortened for /readyz and /status (Invariant 9). */
function shownOf(event: TelemetryEvent, { text }: Redactor): TelemetryEvent {
  const shown = (words: string) => text(words).slice(0, longestMessage);
  if (event.type === 'token') return { ...event, action: shown(event.action ?? '') };
  if (event.type === 'dependency') return { ...event, reason: shown(event.reason) };
  if (event.type === 'poll-failed') return { ...event, message: shown(event.message) };
  return event;
}

interface ServedParts {
  readonly log: LeveledLog;
  readonly controls: Controls;
  readonly metrics: Metrics;
  readonly health: () => ServiceHealth;
  readonly nowMs: () => number;
}

function serve(
  { http, version, instance }: ObservabilityOptions,
  { log, metrics, health, nowMs, controls }: ServedParts,
): StatusServer {
  const startedMs = nowMs();
  return createStatusServer(http, {
    readiness: () => readiness(health(), nowMs()),
    status: (query) =>
      describeStatus(health(), query, { version, instance, startedMs, nowMs: nowMs() }),
    metrics,
    control: {
      token: http.token,
      controls,
      logLevel: log,
      onChange: (fields) => {
        log.info(fields, 'control request executed');
      },
    },
    onError: (error) => {
      log.error({ error }, 'http request failed');
    },
  });
}

/**
 * Reports each event to every listener; an error in one listener affects neither the others nor the
 * caller.
 */
function fanOut(listeners: readonly Telemetry[], log: Log): Telemetry {
  return {
    report(event) {
      for (const listener of listeners) {
        try {
          listener.report(event);
        } catch (error) {
          log.error({ event: event.type, error }, 'event handler failed');
        }
      }
    },
  };
}
