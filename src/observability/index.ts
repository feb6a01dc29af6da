import { readiness, type StreamHealth, toleratedIntervals } from '../engine/readiness.ts';
import type { Redact } from '../engine/redaction.ts';
import type { StreamName } from '../engine/stream-name.ts';
import type { Clock, Controls, Telemetry, TelemetryEvent } from '../engine/ports.ts';
import { createEventLog } from './event-log.ts';
import { describeHistory, emptyHistory, reduceHistory } from './history.ts';
import { initialHealth, reduceHealth, type ServiceHealth } from './health.ts';
import { type CallLimit, countCalls, noCalls } from './measured-calls.ts';
import { createLog, type LeveledLog, type Log, type LogOptions } from './log.ts';
import { createMetrics } from './metrics.ts';
import { createRedactor, type Redactor } from './redaction.ts';
import { describeStatus } from './status.ts';
import { type HttpOptions, type StatusSources, createStatusServer } from './http/server.ts';

export { logStyle } from './pretty.ts';
export type { LeveledLog } from './log.ts';

/** The settings of the log, the HTTP server and the metrics. */
export interface ObservabilityOptions extends LogOptions {
  readonly http: HttpOptions & { readonly enabled: boolean };
  /** Texts to redact everywhere: tokens, passwords. */
  readonly secrets: readonly string[];
  readonly streams: Readonly<Record<StreamName, StreamHealth>>;
  /** The calls that Meta allows in a day; none are known by default. */
  readonly callLimit?: CallLimit;
  /** The length of the quiet hours that contain a time or ended at most `withinMs` before it; else 0. */
  readonly quietPauseMs?: (nowMs: number, withinMs: number) => number;
}

/** The log, the metrics, the health and their HTTP server. */
export interface Observability extends AsyncDisposable {
  readonly log: LeveledLog;
  /** Logs and counts every event and updates the health; never throws, never waits. */
  readonly telemetry: Telemetry;
  /** The health now; its maps change with later events. */
  readonly health: () => ServiceHealth;
  /** Removes the known secrets from a text. */
  readonly redact: Redact;
  /** Adds secrets to the redaction of all output. */
  readonly hide: (secrets: readonly string[]) => void;
  /**
   * Serves health, metrics and status; call it once.
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
  const { http, streams, version, instance } = options;
  const nowMs = () => clock.nowMs();
  const startedMs = nowMs();
  const redactor = createRedactor([...options.secrets, http.token?.() ?? '']);
  const log = createLog(options, redactor, nowMs);
  let current = initialHealth(streams);
  const health = () => duringQuiet(current, nowMs(), options.quietPauseMs);
  const keepHealth: Telemetry = {
    report(event) {
      current = reduceHealth(current, shownOf(event, redactor), nowMs());
    },
  };
  let history = emptyHistory(startedMs);
  const calls = noCalls(startedMs);
  const keepHistory: Telemetry = {
    report(event) {
      history = reduceHistory(history, event, nowMs());
      countCalls(calls, event, nowMs());
    },
  };
  const metrics = createMetrics({ health, nowMs, version }, redactor.text);
  const { callLimit = () => null } = options;
  const controlEnabled = http.token !== null;
  const facts = { version, instance, startedMs, controlEnabled, calls, callLimit };
  const sources: StatusSources = {
    readiness: () => readiness(health(), nowMs()),
    status: (query) => describeStatus(health(), query, { ...facts, nowMs: nowMs() }),
    history: () => describeHistory(history, nowMs()),
    metrics,
    controls,
    nowMs,
    log,
  };
  const server = http.enabled ? createStatusServer(http, sources) : null;
  return {
    log,
    health,
    redact: redactor.text,
    hide: redactor.hide,
    telemetry: fanOut([keepHealth, keepHistory, metrics, createEventLog(log)], log),
    listen: () => listenWith(server, log),
    async [Symbol.asyncDispose]() {
      await server?.[Symbol.asyncDispose]();
    },
  };
}

async function listenWith(
  server: ReturnType<typeof createStatusServer> | null,
  log: Log,
): Promise<{ url: string } | null> {
  if (server === null) return null;
  const url = await server.listen();
  log.info({ url }, 'http server listening');
  return { url };
}

/**
 * The health with the pauses that quiet hours make: in them, and until a few intervals after them,
 * no stream is late that was polled before they began.
 */
function duringQuiet(
  health: ServiceHealth,
  nowMs: number,
  quietPauseMs: ObservabilityOptions['quietPauseMs'] = () => 0,
): ServiceHealth {
  const streams = Object.entries(health.streams).map(([name, { intervalMs }]) => {
    const quietMs = quietPauseMs(nowMs, toleratedIntervals * intervalMs);
    return [name, { intervalMs: Math.max(intervalMs, quietMs), pauseMs: quietMs }] as const;
  });
  return { ...health, streams: Object.fromEntries(streams) };
}

/** The most characters of an error message that are shown. */
const longestMessage = 500;

/** The event with its texts redacted and shortened for /readyz and /status (Invariant 9). */
function shownOf(event: TelemetryEvent, { text }: Redactor): TelemetryEvent {
  const shown = (words: string) => text(words).slice(0, longestMessage);
  if (event.type === 'token') return { ...event, action: shown(event.action ?? '') };
  if (event.type === 'dependency') return { ...event, reason: shown(event.reason) };
  if (event.type === 'webhook-request') return { ...event, reason: shown(event.reason) };
  if (event.type === 'poll-failed') return { ...event, message: shown(event.message) };
  return event;
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
