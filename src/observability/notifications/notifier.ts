import { type Backoff, backoffMs } from '../../engine/backoff.ts';
import { slept } from '../../engine/clock.ts';
import { messageOf } from '../../engine/errors.ts';
import type { Clock, Telemetry, TelemetryEvent } from '../../engine/ports.ts';
import type { Redact } from '../../engine/redaction.ts';
import type { ServiceHealth } from '../health.ts';
import type { Notification, OpenConditions, Tracker } from './tracker.ts';

/** The topic of notifications. */
export interface NotificationTopic {
  /** Reads the topic to its end. @throws errors of Kafka and the registry */
  read(signal: AbortSignal): Promise<OpenConditions>;
  append(notifications: readonly Notification[], signal: AbortSignal): Promise<void>;
}

export interface NotifierTools {
  readonly clock: Clock;
  readonly random: () => number;
  readonly telemetry: Telemetry;
}

interface NotifierParts {
  readonly health: () => ServiceHealth;
  readonly tracker: Tracker;
  readonly topic: NotificationTopic;
  /** Removes secrets from messages (Invariant 9). */
  readonly redact: Redact;
}

/** The interval at which the conditions are compared with the topic. */
const checkEveryMs = 5000;

/**
 * The records of one produce request (Invariant 10): a broker rejects a batch beyond
 * `max.message.bytes`, 1 MB by default.
 */
const appendedAtOnce = 100;

const toTopic = { target: 'topic', reason: '' } as const;

const topicBackoff: Backoff = { baseMs: checkEveryMs, maxMs: 600_000 };

/**
 * Writes a record to the topic when a condition begins and when it is over, until aborted; never
 * rejects and never delays a poll. The topic is read at the start, when partitions are gained, and
 * again before each write, so that other instances and restarts repeat no record.
 */
export function keepNotified(
  parts: NotifierParts,
  tools: NotifierTools,
  signal: AbortSignal,
): Promise<void> {
  const { health, topic } = parts;
  let open: OpenConditions | undefined;
  let owned: readonly number[] = [];
  const check = async (): Promise<void> => {
    const { partitions, dependencies } = health();
    if (open === undefined && !(dependencies.kafka.ready && dependencies.registry.ready)) return;
    const hasGained = partitions.some((one) => !owned.includes(one));
    if (open === undefined || hasGained) open = await topic.read(signal);
    owned = partitions;
    if (missingFrom(open, parts, tools).length === 0) return;
    open = await topic.read(signal);
    const missing = missingFrom(open, parts, tools);
    if (missing.length === 0) return;
    for (let start = 0; start < missing.length; start += appendedAtOnce) {
      const part = missing.slice(start, start + appendedAtOnce);
      await topic.append(part, signal);
      open = withNotifications(open, part);
      reportDelivery(tools, { ...toTopic, outcome: 'delivered' }, part);
    }
  };
  return repeat(check, tools, signal);
}

function missingFrom(
  open: OpenConditions,
  { health, tracker, redact }: NotifierParts,
  { clock }: NotifierTools,
): readonly Notification[] {
  return tracker(health(), open, clock.nowMs()).map((one) => ({
    ...one,
    message: redact(one.message),
    advice: redact(one.advice),
  }));
}

/** Returns the open conditions after these notifications. */
export function withNotifications(
  open: OpenConditions,
  notifications: Iterable<Notification>,
): OpenConditions {
  const after = new Map(open);
  for (const one of notifications) {
    if (one.status === 'open') after.set(one.key, one);
    else after.delete(one.key);
  }
  return after;
}

/**
 * Runs a task every five seconds until aborted. After a failure it reports the reason and waits
 * longer; never rejects.
 */
export async function repeat(
  task: () => Promise<void>,
  tools: NotifierTools,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random } = tools;
  let waitMs = checkEveryMs;
  for (let failures = 0; await slept(waitMs, clock, signal);) {
    try {
      await task();
      if (failures > 0) reportDelivery(tools, { ...toTopic, outcome: 'delivered' });
      failures = 0;
      waitMs = checkEveryMs;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      waitMs = backoffMs(topicBackoff, failures, random());
      reportDelivery(tools, { ...toTopic, outcome: 'failed', reason: messageOf(error) });
    }
  }
}

type Delivery = Omit<Extract<TelemetryEvent, { type: 'notifications' }>, 'type' | 'notifications'>;

/** Reports the delivery of notifications to the topic or the webhook. */
export function reportDelivery(
  { telemetry }: Pick<NotifierTools, 'telemetry'>,
  delivery: Delivery,
  notifications: readonly Pick<Notification, 'key' | 'status'>[] = [],
): void {
  const names = notifications.map(({ key, status }) => `${key} ${status}`);
  telemetry.report({ type: 'notifications', ...delivery, notifications: names });
}
