import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, ITopicMetadata } from 'kafkajs';
import { StopProcessError } from '../engine/errors.ts';
import { smallest } from '../engine/extremes.ts';
import { needsOf } from './client/acls.ts';
import { asAdmin } from './client/admin-call.ts';
import { classify } from './client/errors.ts';
import { ConfigResourceTypes, KafkaJSProtocolError } from './client/kafkajs.ts';
import { createLayout, type KafkaBase, type Layout, type TopicLayout } from './shared.ts';
import type { KafkaOptions } from './options.ts';
import { allow, createTopics, type TopicProblem } from './topic-creation.ts';
import {
  planAccountTopics,
  planTopics,
  topicProblems,
  topicWarnings,
  type TopicDescription,
  type TopicPlan,
  type TopicWarning,
} from './topic-plan.ts';

/** The broker's default of `max.message.bytes`, used when the config may not be read. */
const defaultMaxBatchBytes = 1_048_588;

/** Error types with which a broker answers for a topic that was just created. */
const newTopicErrors = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'];

/** Reads metadata until the queried broker knows every topic and its leaders, for at most five seconds. */
async function fetchMetadata(
  admin: Admin,
  topics: string[],
  signal: AbortSignal,
): Promise<readonly ITopicMetadata[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await admin.fetchTopicMetadata({ topics })).topics;
    } catch (error) {
      const isNew = error instanceof KafkaJSProtocolError && newTopicErrors.includes(error.type);
      if (!isNew || attempt === 50) throw error;
      await sleep(100, undefined, { signal });
    }
  }
}

/** Topics of one DescribeConfigs request; a topic's configs take about 5 KB. */
const topicsPerRequest = 100;

/** Reads the configs of topics, by name; those that this user may not read are absent. */
async function readConfigs(admin: Admin, names: readonly string[]) {
  const configs = new Map<string, TopicDescription['configs']>();
  for (let start = 0; start < names.length; start += topicsPerRequest) {
    const chunk = names.slice(start, start + topicsPerRequest);
    if (await describeConfigs(admin, chunk, configs)) continue;
    // kafkajs fails the whole request when one topic may not be read.
    for (const name of chunk) await describeConfigs(admin, [name], configs);
  }
  return configs;
}

/** Adds the configs of topics to `configs`; false when one of them may not be read. */
async function describeConfigs(
  admin: Admin,
  names: readonly string[],
  configs: Map<string, TopicDescription['configs']>,
): Promise<boolean> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
    });
    for (const { resourceName, configEntries } of resources) {
      const entries = configEntries.map((entry) => [entry.configName, entry.configValue] as const);
      configs.set(resourceName, Object.fromEntries(entries));
    }
    return true;
  } catch (error) {
    if (classify(error) === 'unauthorized') return false;
    throw error;
  }
}

interface ExistingTopic {
  readonly plan: TopicPlan;
  readonly found: ITopicMetadata;
  readonly description: TopicDescription;
  readonly problems: readonly TopicProblem[];
}

/** Describes and verifies the topics that the metadata has. */
async function verifyTopics(
  admin: Admin,
  plans: readonly TopicPlan[],
  metadata: readonly ITopicMetadata[],
  options: KafkaOptions,
): Promise<readonly ExistingTopic[]> {
  const byName = new Map(metadata.map((topic) => [topic.name, topic]));
  const configs = await readConfigs(admin, [...byName.keys()]);
  return plans.flatMap((plan) => {
    const found = byName.get(plan.name);
    if (found === undefined) return [];
    const description = {
      replicas: smallest(found.partitions.map((partition) => partition.replicas.length)),
      configs: configs.get(plan.name) ?? {},
      partitions: found.partitions.length,
    };
    return [{ plan, found, description, problems: verify(plan, description, options) }];
  });
}

function isReadable({ configs }: TopicDescription): boolean {
  return Object.keys(configs).length > 0;
}

function verify(
  plan: TopicPlan,
  description: TopicDescription,
  options: KafkaOptions,
): readonly TopicProblem[] {
  const topic = plan.name;
  if (plan.role === 'state' && !isReadable(description)) {
    const text = `${topic}: its configs cannot be read; ${allow('DescribeConfigs', topic, options)}`;
    return [{ topic, text, unauthorized: true }];
  }
  const problems = topicProblems(plan, description, options.brokers);
  return problems.map((text) => ({ topic, text, unauthorized: false }));
}

function maxBatchBytesOf({ configs }: TopicDescription): number {
  return Number(configs['max.message.bytes'] ?? defaultMaxBatchBytes);
}

function leadersOf(metadata: ITopicMetadata): number[] {
  return metadata.partitions
    .toSorted((left, right) => left.partitionId - right.partitionId)
    .map(({ leader }) => leader);
}

/** Creates the log of the warnings about topics: each is logged once, until it changes. */
export function createWarningLog({
  options,
  dependencies,
}: Pick<KafkaBase, 'options' | 'dependencies'>): KafkaBase['warnOf'] {
  const logged = new Map<string, readonly string[]>();
  return ({ name: topic, ...plan }, description) => {
    const before = logged.get(topic) ?? [];
    const warnings = topicWarnings({ name: topic, ...plan }, description, options.brokers);
    logged.set(
      topic,
      warnings.map(({ problem }) => problem),
    );
    for (const { kind, problem, action } of warnings.filter(
      (one) => !before.includes(one.problem),
    )) {
      const fields = { topic, problem, action };
      if (kind === 'loss') dependencies.log('warn', 'topic loses records', fields);
      else dependencies.log('warn', 'topic settings differ', fields);
    }
  };
}

async function prepareTopics(
  admin: Admin,
  plans: readonly TopicPlan[],
  { options, warnOf }: KafkaBase,
  signal: AbortSignal,
): Promise<readonly TopicLayout[]> {
  const created = await createTopics(admin, plans, options, false);
  signal.throwIfAborted();
  // After a failed creation only the topics that existed before can be verified.
  const isComplete = created.problems.length === 0 && options.topics.skipMissing !== true;
  const verifiable = isComplete ? plans : created.present;
  const names = verifiable.map(({ name }) => name);
  const metadata = await fetchMetadata(admin, names, signal);
  const topics = await verifyTopics(admin, verifiable, metadata, options);
  for (const { plan, description } of topics) warnOf(plan, description);
  const problems = [...created.problems, ...topics.flatMap((topic) => topic.problems)];
  if (problems.length > 0) {
    throw new StopProcessError(
      problems.every(({ unauthorized }) => unauthorized)
        ? 'kafka.unauthorized'
        : 'kafka.topic-invalid',
      `Kafka's topics are not as they must be:\n${problems.map(({ text }) => `- ${text}`).join('\n')}`,
      { exitCode: 3 },
    );
  }
  return topics.map(({ plan, found, description }) => ({
    name: plan.name,
    leaders: leadersOf(found),
    maxBatchBytes: maxBatchBytesOf(description),
  }));
}

/** Creates the missing topics of the plans and verifies all. */
export function preparePlans(
  shared: KafkaBase,
  plans: readonly TopicPlan[],
  signal: AbortSignal,
): Promise<readonly TopicLayout[]> {
  const needs = needsOf.publishing(plans.map(({ name }) => name));
  const prepare = (admin: Admin) => prepareTopics(admin, plans, shared, signal);
  return asAdmin(shared, prepare, { doing: 'preparing the topics', needs, signal });
}

/** Prepares the topics that all accounts share; see `KafkaAdapter.prepareTopics` for the errors. */
export async function prepareLayout(shared: KafkaBase, signal: AbortSignal): Promise<Layout> {
  const { options, health } = shared;
  try {
    const topics = await preparePlans(shared, planTopics(options), signal);
    health.up('topics');
    return createLayout(options.topicTemplate, topics, options.keyFormat);
  } catch (error) {
    if (error instanceof Error) health.down('topics', error.message);
    throw error;
  }
}

/** Prepares the topics of an account; none where all accounts share them. Throws as `prepareLayout`. */
export async function prepareAccount(
  shared: KafkaBase,
  accountId: string,
  signal: AbortSignal,
): Promise<void> {
  const layout = shared.layout();
  const plans = planAccountTopics(shared.options, accountId);
  if (plans.length === 0 || layout.accountIds.has(accountId)) return;
  layout.addAccount(accountId, await preparePlans(shared, plans, signal));
}

/**
 * Reads the topics' configs again, updates `max.message.bytes` in the layout and logs new warnings.
 * Returns the problems, one sentence each, with a fix; throws also when a topic is gone.
 */
export async function recheckTopics(
  shared: Omit<KafkaBase, 'health'>,
  names?: readonly string[],
): Promise<readonly string[]> {
  const { options } = shared;
  const { accountIds } = shared.layout();
  const all = planTopics(options, [...accountIds]);
  const plans = all.filter(({ name }) => names?.includes(name) ?? true);
  const topics = plans.map(({ name }) => name);
  const recheck = async (admin: Admin): Promise<readonly string[]> => {
    const metadata = await admin.fetchTopicMetadata({ topics });
    const existing = await verifyTopics(admin, plans, metadata.topics, options);
    for (const { plan, description } of existing) {
      shared.warnOf(plan, description);
      const layout = shared.layout().byName(plan.name);
      if (layout !== undefined && isReadable(description)) {
        layout.maxBatchBytes = maxBatchBytesOf(description);
      }
    }
    return existing.flatMap(({ problems }) => problems.map(({ text }) => text));
  };
  const operation = { doing: 'looking at the topics again', needs: needsOf.publishing(topics) };
  return asAdmin(shared, recheck, operation);
}

/** Verifies the topics every `everyMs` until aborted. A problem makes Kafka not ready until it is fixed. */
export async function watchTopics(
  shared: KafkaBase,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { health } = shared;
  const check = async (): Promise<void> => {
    const problems = await recheckTopics(shared);
    if (problems.length === 0) health.up('topics');
    else health.down('topics', `a topic was changed: ${problems.join('; ')}`);
  };
  for (;;) {
    await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    // Publishers and readers report an unavailable Kafka or a deleted topic themselves.
    await check().catch(() => undefined);
  }
}

export interface TopicFinding {
  readonly name: string;
  readonly exists: boolean;
  readonly partitions: number;
  /** Empty when this user may not read them. */
  readonly configs: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  readonly warnings: readonly TopicWarning[];
}

/** Verifies each topic, or whether the broker would create a missing one; changes nothing. */
export function findTopics(
  shared: KafkaBase,
  accountIds: readonly string[],
): Promise<readonly TopicFinding[]> {
  const { options } = shared;
  const plans = planTopics(options, accountIds);
  const find = async (admin: Admin): Promise<readonly TopicFinding[]> => {
    const { present, problems } = await createTopics(admin, plans, options, true);
    const topics = present.map(({ name }) => name);
    const metadata = topics.length === 0 ? [] : (await admin.fetchTopicMetadata({ topics })).topics;
    const existing = await verifyTopics(admin, present, metadata, options);
    return plans.map((plan) => {
      const topic = existing.find(({ plan: { name } }) => name === plan.name);
      const { partitions, configs } = topic?.description ?? plan;
      const own = topic?.problems ?? problems.filter(({ topic: name }) => name === plan.name);
      return {
        name: plan.name,
        exists: topic !== undefined,
        partitions,
        configs,
        problems: own.map(({ text }) => text),
        warnings: topicWarnings(plan, { configs }, options.brokers),
      };
    });
  };
  const needs = needsOf.publishing(plans.map(({ name }) => name));
  return asAdmin(shared, find, { doing: 'looking at the topics', needs });
}
