import { once as nextEvent } from 'node:events';
import type { Config } from './config/config.ts';
import { registryAccess, webhookOf } from './credentials.ts';
import { settled } from './engine/shutdown.ts';
import type { ShutdownBudget } from './engine/shutdown-budget.ts';
import type { KafkaAdapter, TailedRecord } from './kafka/index.ts';
import type { Observability } from './observability/index.ts';
import {
  type NotificationTopic,
  type NotifierTools,
  keepNotified,
  repeat,
  withNotifications,
} from './observability/notifications/notifier.ts';
import { fromRecord, toRecord } from './observability/notifications/record.ts';
import { type Notification, createTracker } from './observability/notifications/tracker.ts';
import { createWebhook } from './observability/notifications/webhook.ts';
import { openRegistry, type RegistryAdapter } from './registry/index.ts';

interface NotificationParts extends NotifierTools {
  readonly kafka: Pick<KafkaAdapter, 'notifications'>;
  readonly observability: Pick<Observability, 'log' | 'hide' | 'health' | 'redact'>;
  readonly instance: string;
  /** Resolves when schemas may be registered: the registry knows those of the states. */
  readonly verified: Promise<unknown>;
}

const dayMs = 86_400_000;
const role = 'notifications';

/** Opens the notifications, which run beside the polls; disposing of it ends them in bounded time. */
export function openNotifications(
  config: Config,
  parts: NotificationParts & { readonly shutdown: ShutdownBudget },
  signal: AbortSignal,
): AsyncDisposable {
  const stop = new AbortController();
  const run = runNotifications(config, parts, AbortSignal.any([signal, stop.signal]));
  // An error of the notifications stops no poll.
  const running = run.catch((error: unknown) => {
    parts.observability.log.error({ error }, 'notifications ended');
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await settled(running, parts.shutdown.leftMs('notifications'));
    },
  };
}

/**
 * Writes notifications to their topic and passes them on to the webhook, until aborted; never
 * rejects. It has its own preparation of topic and schema: where they are rejected, polls continue.
 */
async function runNotifications(
  config: Config,
  parts: NotificationParts,
  signal: AbortSignal,
): Promise<void> {
  if (!config.notifications.enabled) return;
  const { kafka, observability, instance } = parts;
  const { log, hide, health, redact } = observability;
  const access = registryAccess(config.schemaRegistry, hide);
  const { topicTemplate } = config.kafka;
  await using registry = openRegistry(
    { ...access, topicTemplate, roles: [role], keyFields: {} },
    { log },
  );
  const prepare = once(async () => {
    await Promise.race([parts.verified, rejectedOn(signal)]);
    await registry.prepare(signal);
    await kafka.notifications.prepare(signal);
  });
  const topic = openTopic(registry, kafka, prepare);
  const tracker = createTracker({ instance, quietMs: quietMsOf(config), othersAfterMs: 60_000 });
  const settings = webhookOf(config.notifications, hide);
  const webhook = settings === null ? null : createWebhook(settings, parts);
  const sending = async (): Promise<void> => {
    await prepare();
    const read = notificationsIn(registry);
    await kafka.notifications.consume(async (records, stop) => {
      await webhook?.deliver(await read(records, stop), stop);
    }, signal);
  };
  await Promise.all([
    keepNotified({ health, tracker, topic, redact }, parts, signal),
    ...(webhook === null ? [] : [repeat(sending, parts, signal)]),
  ]);
}

/** Returns a promise that rejects with the signal's reason when it aborts. */
async function rejectedOn(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await nextEvent(signal, 'abort');
  throw signal.reason;
}

/** The time in which every media was read again, with a day to spare. */
function quietMsOf({ polling }: Config): number {
  const { recentMediaIntervalMs, oldMediaIntervalMs, mediaListIntervalMs } = polling;
  return Math.max(recentMediaIntervalMs, oldMediaIntervalMs, mediaListIntervalMs) + dayMs;
}

/** Runs a task until it succeeds once; concurrent calls share a run. */
function once(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () =>
    (running ??= task().catch((error: unknown) => {
      running = undefined;
      throw error;
    }));
}

function openTopic(
  registry: RegistryAdapter,
  { notifications }: NotificationParts['kafka'],
  prepare: () => Promise<void>,
): NotificationTopic {
  const { encoder } = registry;
  const decode = notificationsIn(registry);
  return {
    async read(signal) {
      await prepare();
      return withNotifications(new Map(), await decode(await notifications.read(signal), signal));
    },
    async append(all, signal) {
      const records = all.map((one) => {
        return { key: one.key, value: encoder.encode(role, toRecord(one)) };
      });
      await notifications.append(records, signal);
    },
  };
}

/** Decodes records; omits those of other programs. */
function notificationsIn({ values }: RegistryAdapter) {
  return async (records: readonly TailedRecord[], signal: AbortSignal) => {
    const found: Notification[] = [];
    for (const { value } of records) {
      const read = value === null ? undefined : await values.read(value, signal);
      const notification = read?.kind === 'value' ? fromRecord(read.value) : undefined;
      if (notification !== undefined) found.push(notification);
    }
    return found;
  };
}
