import { advice } from '../engine/advice.ts';
import type { IgnoredChanges } from '../engine/events.ts';
import type { Telemetry, TelemetryEvent } from '../engine/ports.ts';
import { type EventHandlers, type EventOf, handle } from './event-handlers.ts';
import type { Log, LogFields, LogLevel } from './log.ts';

/**
 * Writes events to the log. Repeated facts, such as an unknown field or an unavailable dependency,
 * are logged once.
 */
export function createEventLog(log: Log): Telemetry {
  const plain = (level: LogLevel, message: string) => (event: TelemetryEvent) => {
    log[level](facts(event), message);
  };
  const handlers: EventHandlers = {
    committed: plain('debug', 'batches committed'),
    'truncation-suspected': plain('warn', 'list looks truncated, deletions skipped'),
    progress: plain('debug', 'step done'),
    calls: plain('debug', 'calls counted'),
    request: plain('debug', 'request made'),
    'quota-wait': plain('debug', 'request waited for quota'),
    'quota-awaited': plain('debug', 'quota awaited'),
    encoded: plain('debug', 'records encoded'),
    state: plain('debug', 'state known'),
    'poll-awaited': plain('debug', 'poll not due yet'),
    'state-size': plain('debug', 'state size known'),
    interval: plain('info', 'interval changed'),
    fenced: plain('warn', 'partition fenced'),
    'batch-rejected': (event) => {
      log.warn(facts(event), event.isAbsent ? 'batches not available' : 'batch rejected');
    },
    paused: createPauseLogger(log),
    'pause-saved': plain('debug', 'pause saved'),
    'pause-unsaved': plain('warn', 'pause not saved'),
    transaction: (event) => {
      const level = event.outcome === 'committed' ? 'debug' : 'warn';
      log[level](facts(event), 'transaction ended');
    },
    accounts: ({ added, removed }) => {
      if (added.length + removed.length === 0) return;
      const ids = (accounts: typeof added): string[] => accounts.map(({ id }) => id);
      log.info({ added: ids(added), removed: ids(removed) }, 'accounts changed');
    },
    ...createPollLoggers(log),
    ...createTokenLoggers(log),
    'contract-probed': createContractLogger(log),
    'api-version': createApiVersionLogger(log),
    dependency: createDependencyLogger(log),
    scope: createScopeLogger(log),
    assignment: createAssignmentLogger(log),
    throttled: createThrottleLogger(log),
    notifications: createNotificationLogger(log),
    ...createWebhookLoggers(log),
  };
  return {
    report(event) {
      handle(handlers, event);
    },
  };
}

/**
 * The event's fields, without its type, which the message expresses, and without the list of
 * rejections, which may be long and is in the state.
 */
function facts(event: TelemetryEvent): LogFields {
  const fields = Object.entries(event).filter(([name]) => name !== 'type' && name !== 'rejections');
  return Object.fromEntries(fields);
}

/**
 * Creates a test that is true when the text of a key is new or has changed; it remembers the text.
 */
function createChangeDetector(): (key: string, text: string) => boolean {
  const last = new Map<string, string>();
  return (key, text) => {
    const isNew = last.get(key) !== text;
    last.set(key, text);
    return isNew;
  };
}

/**
 * The unknown fields that are remembered; the API may send new names without end, so further ones
 * are only counted.
 */
const maxRememberedFields = 1000;

function createPollLoggers(log: Log): Pick<EventHandlers, 'poll-finished' | 'poll-failed'> {
  const known = new Set<string>();
  const stops = createStopLog();
  const isNew = createChangeDetector();
  const hasNewSkips = ({ stream, accountId, leftOut }: EventOf<'poll-finished'>): boolean => {
    const skipped = leftOut.map(({ reason, subject }) => `${reason} ${subject}`).sort();
    return skipped.length > 0 && isNew(`${stream} ${accountId}`, skipped.join());
  };
  return {
    'poll-finished': (event) => {
      const hasNews =
        hasNewSkips(event) || event.records + event.deadLetters > 0 || isAllSkipped(event);
      const level = hasNews ? 'info' : 'debug';
      log[level]({ ...facts(event), unknownFields: event.unknownFields.length }, 'poll finished');
      for (const field of event.unknownFields) {
        const key = `${event.stream}/${field}`;
        if (known.has(key) || known.size >= maxRememberedFields) continue;
        known.add(key);
        log.info({ stream: event.stream, field }, 'unknown field ignored');
      }
      stops.finished(event);
    },
    'poll-failed': (event) => {
      const fields = facts(event);
      if (event.disposition.startsWith('stop-')) log[stops.level(event)](fields, 'poll stopped');
      else if (event.disposition === 'unexpected') log.error(fields, 'poll failed');
      else if (event.retryInMs === null) log.error(fields, 'poll given up');
      else log.warn(fields, 'poll failed');
    },
  };
}

/** True for a poll that requested media and was answered about none of them. */
function isAllSkipped(event: EventOf<'poll-finished'>): boolean {
  const { requestedMedia, answeredNodes, skipped } = event;
  const total = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  return requestedMedia > 0 && answeredNodes === 0 && total >= requestedMedia;
}

/**
 * Chooses the log level of stopped polls.
 *
 * An error that stops all streams of an account (permission, token) is logged once per account. A
 * mismatch between registry and states is logged once per process. Repetitions are logged at debug.
 */
function createStopLog() {
  const stopped = new Map<string, Set<string>>();
  return {
    level({ accountId, stream, code, disposition }: EventOf<'poll-failed'>): LogLevel {
      const isAll = code === 'registry.mismatch';
      const isAccounts = code === 'graph.permission' || disposition === 'stop-account';
      if (!isAccounts && !isAll) return 'error';
      const name = isAll ? code : `${accountId} ${code}`;
      const streams = stopped.get(name) ?? new Set();
      const isFirst = streams.size === 0 || (!isAll && streams.has(stream));
      stopped.set(name, streams.add(stream));
      return isFirst ? 'error' : 'debug';
    },
    /** Resets the stream: its next stop is logged as an error again. */
    finished({ accountId, stream }: EventOf<'poll-finished'>): void {
      for (const [name, streams] of stopped) {
        if (!name.startsWith(`${accountId} `) || !streams.has(stream)) continue;
        stopped.delete(name);
      }
    },
  };
}

type TokenHandlers = Pick<EventHandlers, 'token' | 'token-renewal' | 'token-rejected'>;

/**
 * Logs a token's expiry when it becomes known or changes; each warning step and each renewal error
 * once. The field is not called `token`, because redaction masks the value of that name.
 */
function createTokenLoggers(log: Log): TokenHandlers {
  const isNew = createChangeDetector();
  return {
    token: ({ name, expiresAtMs, warnAtDays = null, action = '' }) => {
      const expires = expiresAtMs === null ? 'never' : new Date(expiresAtMs).toISOString();
      if (isNew(`expiry ${name}`, expires)) log.info({ name, expires }, 'token read');
      const isStep = isNew(`warning ${name}`, String(warnAtDays));
      if (isStep && warnAtDays !== null) log.warn({ name, expires, action }, 'token ends soon');
    },
    'token-renewal': ({ name, outcome, message }) => {
      const level = isNew(`renewal ${name}`, `${outcome} ${message}`) ? 'warn' : 'debug';
      if (outcome === 'renewed') log.info({ name }, 'token renewed');
      else log[level]({ name, reason: message }, 'token not renewed');
    },
    'token-rejected': ({ name, rejection }) => {
      if (rejection === null) {
        log.info({ name }, 'token accepted again');
        return;
      }
      const { code, message } = rejection;
      log.error({ name, code, reason: message, action: advice[code] }, 'token refused');
    },
  };
}

/** Logs a form of request when the API begins to reject it and when the API accepts it again. */
function createContractLogger(log: Log): EventHandlers['contract-probed'] {
  const rejected = new Set<string>();
  return ({ forms, version, answeredBy }) => {
    const versions = { apiVersion: version, answeredBy };
    for (const { stream, endpoint, outcome, code, message } of forms) {
      const name = `${String(stream)} ${endpoint}`;
      const isRejected = outcome === 'rejected' || outcome === 'partial';
      const fields = { ...versions, stream, endpoint, outcome, code, reason: message };
      if (isRejected && !rejected.has(name)) log.warn(fields, 'form of request rejected');
      if (outcome === 'ok' && rejected.has(name))
        log.info(fields, 'form of request accepted again');
      if (isRejected) rejected.add(name);
      else if (outcome === 'ok') rejected.delete(name);
    }
    log.debug(
      { ...versions, forms: forms.length, rejected: rejected.size },
      'forms of request tried',
    );
  };
}

/** Logs a warning about the API version when it is new or changes. */
function createApiVersionLogger(log: Log): EventHandlers['api-version'] {
  const isNew = createChangeDetector();
  return ({ version, endsAtMs, warning }) => {
    if (!isNew('', warning) || warning === '') return;
    const endsAt = endsAtMs === null ? null : new Date(endsAtMs).toISOString();
    // The field is not called `version`, which is the program's version.
    log.warn({ apiVersion: version, ends: endsAt, warning }, 'api version needs attention');
  };
}

function createPauseLogger(log: Log): EventHandlers['paused'] {
  const isoOf = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return ({ stream, accountId, pause, saved }) => {
    const times = pause && { since: isoOf(pause.sinceMs), until: isoOf(pause.untilMs) };
    const fields = { stream, accountId, ...times, saved };
    log.info(fields, pause === null ? 'stream resumed' : 'stream paused');
  };
}

/** Logs a dependency when its status changes; repetitions at debug. */
function createDependencyLogger(log: Log): EventHandlers['dependency'] {
  const isNew = createChangeDetector();
  return ({ name: dependency, ready, reason, isStarting = false }) => {
    const waiting = isStarting ? 'starting' : 'down';
    const status = ready ? `up ${reason}` : waiting;
    if (!isNew(dependency, status))
      log.debug({ dependency, ready, reason }, 'dependency unchanged');
    else if (ready && reason !== '') log.warn({ dependency, reason }, 'dependency up in part');
    else if (ready) log.info({ dependency }, 'dependency up');
    else if (isStarting) log.info({ dependency, reason }, 'dependency starting');
    else log.warn({ dependency, reason }, 'dependency down');
  };
}

/**
 * Logs notifications that were written, and a target's failure once until it works again. Further
 * failures are logged at debug.
 */
function createNotificationLogger(log: Log): EventHandlers['notifications'] {
  const failing = new Set<string>();
  return (event) => {
    const { target, outcome, notifications, reason } = event;
    const fields = { target, notifications };
    if (outcome === 'dropped') log.warn(fields, 'notifications dropped');
    if (outcome === 'failed') {
      const level = failing.has(target) ? 'debug' : 'warn';
      failing.add(target);
      log[level]({ ...fields, reason }, 'notifications not delivered');
    }
    if (outcome !== 'delivered') return;
    if (failing.delete(target)) log.info({ target }, 'notifications delivered again');
    const level = target === 'topic' ? 'info' : 'debug';
    if (notifications.length > 0) log[level](fields, 'notifications delivered');
  };
}

/** The unknown fields of webhooks that are logged; further ones are only counted. */
const maxWebhookFields = 20;

/** The reasons of refused webhooks that are logged at warn until a request is accepted. */
const maxReasons = 20;

/**
 * Logs webhooks: accepted changes at debug, each reason of a refusal once until a request is
 * accepted, and each field without an effect once.
 */
function createWebhookLoggers(
  log: Log,
): Pick<EventHandlers, 'webhook-listening' | 'webhook-request'> {
  const refused = new Set<string>();
  const logIgnored = createIgnoredLogger(log);
  return {
    'webhook-listening': (event) => {
      log.info(facts(event), 'webhook receiver listening');
    },
    'webhook-request': ({ outcome, reason, accepted, ignored, durationMs }) => {
      if (outcome === 'accepted') refused.clear();
      if (outcome === 'verified') log.info({}, 'webhook address verified');
      else if (outcome === 'accepted') log.debug({ accepted, durationMs }, 'webhook accepted');
      else {
        const key = `${outcome} ${reason}`;
        const isNew = !refused.has(key) && refused.size < maxReasons;
        log[isNew ? 'warn' : 'debug']({ outcome, reason }, 'webhook refused');
        if (isNew) refused.add(key);
      }
      for (const one of ignored) logIgnored(one);
    },
  };
}

/** Logs each reason why changes of a field have no effect once. */
function createIgnoredLogger(log: Log): (ignored: IgnoredChanges) => void {
  const known = new Set<string>();
  return ({ field, reason, count }) => {
    const key = `${reason} ${field}`;
    if (known.has(key) || known.size >= maxWebhookFields) return;
    known.add(key);
    const facts = { field, reason, count };
    if (reason === 'no-values') {
      const action = "Switch Include Values on in the app's dashboard.";
      log.warn({ ...facts, action }, 'webhook field ignored');
    } else log[reason === 'malformed' ? 'warn' : 'info'](facts, 'webhook field ignored');
  };
}

/** Logs a quota's scope when its state changes; its usage at debug. */
function createScopeLogger(log: Log): EventHandlers['scope'] {
  const states = new Map<string, EventOf<'scope'>['state']>();
  return ({ scope, percent, state, untilMs }) => {
    const key = `${scope.kind} ${scope.id}`;
    const changed = (states.get(key) ?? 'free') !== state;
    states.set(key, state);
    const until = untilMs === null ? null : new Date(untilMs).toISOString();
    const fields = { scope: scope.kind, id: scope.id, percent: Math.round(percent), state, until };
    if (!changed) log.debug(fields, 'quota usage');
    else if (state === 'free') log.info(fields, 'quota is free again');
    else log.warn(fields, state === 'slowed' ? 'quota is short' : 'quota is used up');
  };
}

/** Logs the partitions of the instance; at debug when a rebalance changes none of them. */
function createAssignmentLogger(log: Log): EventHandlers['assignment'] {
  let isFirst = true;
  return (event) => {
    const changed = event.gained.length + event.lost.length > 0 || isFirst;
    isFirst = false;
    const level = changed ? 'info' : 'debug';
    log[event.cause === 'missed-heartbeats' ? 'warn' : level](
      facts(event),
      event.owned.length === 0 ? 'no partition owned' : 'partitions owned',
    );
  };
}

/** Milliseconds of throttling between two log lines. */
const throttleStepMs = 60_000;

/**
 * Logs throttling by Kafka's quotas after the first second, then after each further minute of
 * throttling.
 */
function createThrottleLogger(log: Log): EventHandlers['throttled'] {
  let totalMs = 0;
  let nextMs = 1000;
  return ({ durationMs }) => {
    totalMs += durationMs;
    if (totalMs < nextMs) return;
    nextMs = totalMs + throttleStepMs;
    const action = "Raise this client's quota in Kafka, or let it publish less.";
    log.warn({ seconds: Math.round(totalMs / 1000), action }, 'throttled by a quota of kafka');
  };
}
