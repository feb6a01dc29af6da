import type { Group, Publisher, StateStore } from '../engine/ports.ts';
import { createGroup, type GroupMembership } from './group/membership.ts';
import { createHealth, type Layout, type KafkaShared } from './shared.ts';
import type { KafkaDependencies, KafkaOptions } from './options.ts';
import { openNotificationLog, type NotificationLog } from './notification-topic.ts';
import { createProbe, type KafkaProbe } from './probe.ts';
import { createPublisher } from './producer/publisher.ts';
import { createStateAdmin, type StateAdmin } from './state/admin.ts';
import { createStateReader } from './state/topic-reader.ts';
import { createStateStore } from './state/store.ts';
import { tail, type TailRequest } from './tail.ts';
import { openWebhookTopic, type WebhookTopic } from './webhook-topic.ts';
import { createWarningLog, prepareAccount, prepareLayout, watchTopics } from './topics.ts';

export type { KafkaDependencies, KafkaOptions, KafkaSasl, KafkaSecurity } from './options.ts';
export { unsupportedRelease } from './broker-version.ts';
export type { NotificationLog } from './notification-topic.ts';
export type { InboxReader, InboxRecord, WebhookTopic } from './webhook-topic.ts';
export type { Endpoint, KafkaProbe } from './probe.ts';
export type { Owner } from './group/membership.ts';
export type { TailedRecord, TailStart } from './tail.ts';
export type { TopicFinding } from './topics.ts';
export { isMisplaced, placeOf } from './state/store.ts';
export { partitionsOfWrite } from './state/admin.ts';
export type { StateAdmin, StateWrite, StoredState, TopicRecord } from './state/admin.ts';

export interface KafkaAdapter extends AsyncDisposable {
  /**
   * Creates or verifies the topics; must succeed before a batch is published or a state is
   * restored.
   * @throws StopProcessError `kafka.topic-invalid` or `kafka.unauthorized` with every problem of every topic,
   * RetryError `kafka.unavailable`
   */
  prepareTopics(signal: AbortSignal): Promise<void>;
  /**
   * Creates or verifies the topics of an account, where it has its own, before its first batch.
   * Throws as `prepareTopics`.
   */
  prepareAccount(accountId: string, signal: AbortSignal): Promise<void>;
  readonly publisher: Publisher;
  readonly stateStore: StateStore;
  readonly stateAdmin: StateAdmin;
  readonly group: Group & Pick<GroupMembership, 'withTemporaryAssignment'>;
  readonly probe: KafkaProbe;
  readonly notifications: NotificationLog;
  /** The inbox of webhooks; usable where `roles` has it and the topics are prepared. */
  readonly webhooks: WebhookTopic;
  /** Reads the committed records of a topic in a consumer group of its own; see `tail.ts`. */
  tail(request: TailRequest, signal: AbortSignal): Promise<void>;
}

/** Interval at which the topics' configs are read again. */
const topicsEveryMs = 60_000;

/**
 * Opens the Kafka adapter, which connects on demand. Its disposal takes a few seconds at most: it
 * waits for current transactions and closes every socket.
 */
export function openKafka(options: KafkaOptions, dependencies: KafkaDependencies): KafkaAdapter {
  let layout: Layout | undefined;
  let watching: Promise<void> | undefined;
  const closing = new AbortController();
  const health = createHealth(dependencies.telemetry);
  const base = {
    options,
    dependencies,
    health,
    layout: (): Layout => {
      if (layout === undefined) throw new Error('the topics were not prepared yet');
      return layout;
    },
    warnOf: createWarningLog({ options, dependencies }),
  };
  const reader = createStateReader(base);
  const group = createGroup(base);
  const { owns, onFenced } = group;
  const shared: KafkaShared = { ...base, owns, onFenced, readState: reader.read };
  const publisher = createPublisher(shared);
  const webhooks = openWebhookTopic(base);
  return {
    publisher,
    stateStore: createStateStore(shared, publisher),
    stateAdmin: createStateAdmin(shared),
    group,
    probe: createProbe(shared),
    notifications: openNotificationLog(base),
    webhooks,
    tail: (request, signal) => tail(base, request, signal),
    async prepareTopics(signal) {
      layout = await prepareLayout(shared, signal);
      reader.prepare();
      watching ??= watchTopics(shared, topicsEveryMs, closing.signal);
    },
    prepareAccount: (accountId, signal) => prepareAccount(shared, accountId, signal),
    async [Symbol.asyncDispose]() {
      closing.abort();
      const parts = [publisher, reader, webhooks];
      await Promise.all(parts.map((part) => part[Symbol.asyncDispose]()));
    },
  };
}
