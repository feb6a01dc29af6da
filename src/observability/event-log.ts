import { advice } from '../engine/advice.ts';
import type { Telemetry, TelemetryEvent } from '../engine/ports.ts';
import { type EventOf, isOneOf } from './event-kinds.ts';
import type { Log, LogFields, LogLevel } from './log.ts';
import { createStopLog, type StopLog } from './stop-log.ts';

/**
 * The unknown fields that are remembered; the API may send new names without end, so further ones
 * are only counted.
 */
const maxRememberedFields = 1000;

/**
 * Writes events to the log. Repeated facts, such as an unknown field or an unavailable dependency,
 * are logged once.
 */
export function createEventLog(log: Log): Telemetry {
  const logUnknownFields = createFieldLogger(log);
  const logDependency = createDependencyLogger(log);
  const logQuota = createQuotaLogger(log);
  const logApi = createApiLogger(log);
  const stops = createStopLog();

  const reportAssignment = createAssignmentReporter(log);
  return {
    report(event) {
      if (isOneOf(event, plainEvents)) {
        logPlain(log, event);
        return;
      }
      if (isOneOf(event, ['share', 'fenced'])) {
        reportAssignment(event);
        return;
      }
      if (isOneOf(event, apiEvents)) {
        logApi(event);
        return;
      }
      if (isOneOf(event, ['scope', 'throttled'])) {
        logQuota(event);
        return;
      }
      if (isOneOf(event, ['accounts', 'paused', 'interval'])) {
        logPolled(log, event);
        return;
      }
      switch (event.type) {
        case 'poll-finished':
          logPollFinished(log, event);
          logUnknownFields(event);
          stops.finished(event);
          break;
        case 'poll-failed':
          logPollFailed(log, event, stops);
          break;
        case 'transaction':
          log[transactionLevels[event.outcome]](facts(event), 'transaction ended');
          break;
        case 'dependency':
          logDependency(event);
          break;
      }
    },
  };
}

/** Logs changes of the accounts, the intervals and the paused streams. */
function logPolled(
  log: Log,
  event: EventOf<'accounts'> | EventOf<'paused'> | EventOf<'interval'>,
): void {
  if (event.type === 'accounts') logAccounts(log, event);
  else if (event.type === 'interval') log.info(facts(event), 'interval changed');
  else log.info(facts(event), event.isPaused ? 'stream paused' : 'stream resumed');
}

function createFieldLogger(log: Log): (event: EventOf<'poll-finished'>) => void {
  const unknownFields = new Set<string>();
  return ({ stream, unknownFields: names }) => {
    for (const field of names) {
      const key = `${stream}/${field}`;
      if (unknownFields.has(key) || unknownFields.size >= maxRememberedFields) continue;
      unknownFields.add(key);
      log.info({ stream, field }, 'unknown field ignored');
    }
  };
}

/** Events that are logged with all their fields. */
const plainEvents = [
  'committed',
  'list-doubted',
  'progress',
  'request',
  'batch-refused',
  'quota-wait',
  'encoded',
  'state',
  'poll-awaited',
  'state-size',
] as const satisfies readonly TelemetryEvent['type'][];

/** The log messages of these events. */
const plainMessages = {
  committed: 'batches committed',
  'list-doubted': 'list looks truncated, deletions skipped',
  progress: 'step done',
  request: 'request made',
  'batch-refused': 'batch rejected',
  'quota-wait': 'request waited for quota',
  encoded: 'records encoded',
  state: 'state known',
  'poll-awaited': 'poll not due yet',
  'state-size': 'state size known',
} as const;

function logPlain(log: Log, event: EventOf<(typeof plainEvents)[number]>): void {
  const isWarning = event.type === 'list-doubted' || event.type === 'batch-refused';
  const level = isWarning ? 'warn' : 'debug';
  // The list of rejections may be long, and the state contains it.
  const fields = Object.entries(facts(event)).filter(([name]) => name !== 'refusals');
  const isAbsent = event.type === 'batch-refused' && event.isAbsent;
  log[level](
    Object.fromEntries(fields),
    isAbsent ? 'batches not available' : plainMessages[event.type],
  );
}

const transactionLevels: Readonly<Record<EventOf<'transaction'>['outcome'], LogLevel>> = {
  committed: 'debug',
  redone: 'warn',
  failed: 'warn',
  fenced: 'warn',
};

/** The event's fields without its type, which the message expresses. */
function facts(event: TelemetryEvent): LogFields {
  return Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'type'));
}

function logPollFinished(log: Log, event: EventOf<'poll-finished'>): void {
  const level = event.records + event.deadLetters > 0 ? 'info' : 'debug';
  log[level]({ ...facts(event), unknownFields: event.unknownFields.length }, 'poll finished');
}

function logPollFailed(log: Log, event: EventOf<'poll-failed'>, stops: StopLog): void {
  const fields = facts(event);
  if (event.disposition.startsWith('stop-')) log[stops.level(event)](fields, 'poll stopped');
  else if (event.disposition === 'unexpected') log.error(fields, 'poll failed');
  else if (event.retryInMs === null) log.error(fields, 'poll given up');
  else log.warn(fields, 'poll failed');
}

/** Logs a dependency when its status changes; repetitions at debug. */
function createDependencyLogger(log: Log): (event: EventOf<'dependency'>) => void {
  const dependencies = new Map<string, string>();
  return ({ name, ready, reason, isStarting = false }) => {
    const waiting = isStarting ? 'starting' : 'down';
    const status = ready ? 'up' : waiting;
    const told = ready ? `${status} ${reason}` : status;
    const changed = dependencies.get(name) !== told;
    dependencies.set(name, told);
    if (!changed) log.debug({ dependency: name, ready, reason }, 'dependency unchanged');
    else if (ready && reason !== '')
      log.warn({ dependency: name, reason }, 'dependency up in part');
    else if (status === 'up') log.info({ dependency: name }, 'dependency up');
    else if (status === 'starting') log.info({ dependency: name, reason }, 'dependency starting');
    else log.warn({ dependency: name, reason }, 'dependency down');
  };
}

/** Logs the quotas of the API and of Kafka. */
function createQuotaLogger(log: Log): (event: EventOf<'scope'> | EventOf<'throttled'>) => void {
  const logScope = createScopeLogger(log);
  const logThrottled = createThrottleLogger(log);
  return (event) => {
    if (event.type === 'scope') logScope(event);
    else logThrottled(event);
  };
}

/** Seconds of throttling between two log lines. */
const throttleStepS = 60;

/**
 * Logs throttling by Kafka's quotas after the first second, then after each further minute of
 * throttling.
 */
function createThrottleLogger(log: Log): (event: EventOf<'throttled'>) => void {
  let totalMs = 0;
  let nextMs = 1000;
  return ({ durationMs }) => {
    totalMs += durationMs;
    if (totalMs < nextMs) return;
    nextMs = totalMs + throttleStepS * 1000;
    const action = "Raise this client's quota in Kafka, or let it publish less.";
    log.warn({ seconds: Math.round(totalMs / 1000), action }, 'throttled by a quota of kafka');
  };
}

/** Logs a scope when its state changes; its usage at debug. */
function createScopeLogger(log: Log): (event: EventOf<'scope'>) => void {
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

/** Events about the API: tokens, its version, and the forms of request that it accepts. */
const apiEvents = [
  'token',
  'token-renewal',
  'token-refused',
  'api-version',
  'contract-probed',
] as const;

function createApiLogger(log: Log): (event: EventOf<(typeof apiEvents)[number]>) => void {
  const logToken = createTokenLogger(log);
  const logApiVersion = createApiVersionLogger(log);
  const logContract = createContractLogger(log);
  return (event) => {
    if (event.type === 'token-refused') logTokenRejection(log, event);
    else if (event.type === 'api-version') logApiVersion(event);
    else if (event.type === 'contract-probed') logContract(event);
    else logToken(event);
  };
}

/** Logs the beginning and the end of a token's rejection. */
function logTokenRejection(log: Log, { name, refusal }: EventOf<'token-refused'>): void {
  if (refusal === null) {
    log.info({ name }, 'token accepted again');
    return;
  }
  const { code, message } = refusal;
  log.error({ name, code, reason: message, action: advice[code] }, 'token refused');
}

/**
 * Logs a token's expiry when it becomes known or changes; each warning step and each renewal error
 * once.
 */
function createTokenLogger(log: Log): (event: EventOf<'token'> | EventOf<'token-renewal'>) => void {
  const ends = new Map<string, number | null>();
  const warned = new Map<string, string>();
  return (event) => {
    // The field is not called `token`, because redaction masks the value of that name.
    const { name } = event;
    const isChange = (fact: string): boolean => {
      const isNew = warned.get(`${event.type} ${name}`) !== fact;
      warned.set(`${event.type} ${name}`, fact);
      return isNew;
    };
    if (event.type === 'token-renewal') {
      const { outcome, message } = event;
      const level = isChange(`${outcome} ${message}`) ? 'warn' : 'debug';
      if (outcome === 'renewed') log.info({ name }, 'token renewed');
      else log[level]({ name, reason: message }, 'token not renewed');
      return;
    }
    const { expiresAtMs, warnAtDays = null, action = '' } = event;
    const expires = expiresAtMs === null ? 'never' : new Date(expiresAtMs).toISOString();
    if (ends.get(name) !== expiresAtMs) log.info({ name, expires }, 'token read');
    ends.set(name, expiresAtMs);
    const isStep = isChange(String(warnAtDays));
    if (isStep && warnAtDays !== null) log.warn({ name, expires, action }, 'token ends soon');
  };
}

/** Logs a warning about the API version when it is new or changes. */
function createApiVersionLogger(log: Log): (event: EventOf<'api-version'>) => void {
  let logged = '';
  return ({ version, endsAtMs, warning }) => {
    const isNew = warning !== logged;
    logged = warning;
    if (!isNew || warning === '') return;
    const endsAt = endsAtMs === null ? null : new Date(endsAtMs).toISOString();
    // The field is not called `version`, which is the program's version.
    log.warn({ apiVersion: version, ends: endsAt, warning }, 'api version needs attention');
  };
}

/** Logs a form of request when the API begins to reject it and when the API accepts it again. */
function createContractLogger(log: Log): (event: EventOf<'contract-probed'>) => void {
  const rejected = new Set<string>();
  return ({ forms, version, answeredBy }) => {
    const facts = { apiVersion: version, answeredBy };
    for (const { stream, endpoint, outcome, code, message } of forms) {
      const name = `${String(stream)} ${endpoint}`;
      const isRejected = outcome === 'rejected' || outcome === 'partial';
      const fields = { ...facts, stream, endpoint, outcome, code, reason: message };
      if (isRejected && !rejected.has(name)) log.warn(fields, 'form of request rejected');
      if (outcome === 'ok' && rejected.has(name))
        log.info(fields, 'form of request accepted again');
      if (isRejected) rejected.add(name);
      else if (outcome === 'ok') rejected.delete(name);
    }
    log.debug({ ...facts, forms: forms.length, rejected: rejected.size }, 'forms of request tried');
  };
}

/** Logs the partitions of the instance; at debug when a rebalance changes none of them. */
function createAssignmentReporter(log: Log): (event: EventOf<'share'> | EventOf<'fenced'>) => void {
  let told = false;
  return (event) => {
    if (event.type === 'fenced') {
      log.warn(facts(event), 'partition fenced');
      return;
    }
    const changed = event.gained.length + event.lost.length > 0 || !told;
    told = true;
    const level = changed ? 'info' : 'debug';
    log[event.cause === 'not-heard' ? 'warn' : level](
      facts(event),
      event.owned.length === 0 ? 'no partition owned' : 'partitions owned',
    );
  };
}

function logAccounts(log: Log, { added, removed }: EventOf<'accounts'>): void {
  if (added.length + removed.length === 0) return;
  const ids = (accounts: EventOf<'accounts'>['added']): string[] => accounts.map(({ id }) => id);
  log.info({ added: ids(added), removed: ids(removed) }, 'accounts changed');
}
