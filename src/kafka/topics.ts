import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, ITopicMetadata } from 'kafkajs';
import { StopProcessError } from '../engine/errors.ts';
import { smallest } from '../engine/extremes.ts';
import {
  ConfigResourceTypes,
  KafkaJSAggregateError,
  KafkaJSProtocolError,
} from './client/kafkajs.ts';
import { describeNeeds, type RequiredPermission } from './client/acls.ts';
import { openConnection } from './client/connection.ts';
import { unlessAborted, withDeadline } from './client/deadline.ts';
import { settled } from '../engine/shutdown.ts';
import { classify, translate } from './client/errors.ts';
import { createLayout, type Layout, type TopicLayout } from './layout.ts';
import type { KafkaOptions } from './options.ts';
import type { KafkaBase } from './shared.ts';
import {
  planTopics,
  topicProblems,
  topicWarning,
  type TopicDescription,
  type TopicPlan,
} from './topic-plan.ts';

/** The broker's default of `max.message.bytes`, used when the config may not be read. */
const defaultMaxBatchBytes = 1_048_588;
const prepareLimitMs = 30_000;

/** A problem of a topic. */
export interface TopicProblem {
  readonly text: string;
  /** True when only a permission is missing. */
  readonly unauthorized: boolean;
}

/** Returns the advice to allow an operation on a topic, with its command. */
function allow(
  operation: RequiredPermission['operation'],
  topic: string,
  options: KafkaOptions,
): string {
  const grantor = { brokers: options.brokers, principal: options.security.principal() };
  return `allow ${describeNeeds([{ operation, resource: 'topic', name: topic }], grantor)}`;
}

function describeRejection(topic: string, error: Error, options: KafkaOptions): TopicProblem {
  const unauthorized = classify(error) === 'unauthorized';
  const advice = unauthorized
    ? `${allow('Create', topic, options)}; or create it yourself`
    : 'correct what is asked for, or create it yourself';
  return { text: `${topic}: could not be created: ${error.message}; ${advice}`, unauthorized };
}

/** Creates the missing topics; with `validateOnly` the broker only reports if it would. */
export async function createMissing(
  admin: Admin,
  missing: readonly TopicPlan[],
  { options, validateOnly = false }: { options: KafkaOptions; validateOnly?: boolean },
): Promise<TopicProblem[]> {
  try {
    await admin.createTopics({
      // kafkajs fails when the broker that it queries does not know the topic yet: fetchMetadata waits.
      waitForLeaders: false,
      validateOnly,
      topics: missing.map(({ name, partitions, replicationFactor, configs }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
      })),
    });
    return [];
  } catch (error) {
    if (!(error instanceof KafkaJSAggregateError)) throw error;
    return error.errors.flatMap((one) => {
      // Another instance created the topic first.
      if (one instanceof KafkaJSProtocolError && one.type === 'TOPIC_ALREADY_EXISTS') return [];
      const rejection = one instanceof Error ? one : new Error(one);
      const topic = 'topic' in rejection ? String(rejection.topic) : 'a topic';
      return [describeRejection(topic, rejection, options)];
    });
  }
}

export function describeMissing(plan: TopicPlan): TopicProblem {
  return {
    text:
      `${plan.name}: is missing; create it with ` +
      `${plan.partitions} partitions and ` +
      Object.entries(plan.configs)
        .map(([config, value]) => `${config}=${value}`)
        .join(', ') +
      ', or let this program do it (topics.create)',
    unauthorized: false,
  };
}

/** Describes a topic that may not be described, existing or not. */
export function describeHidden({ name }: TopicPlan, options: KafkaOptions): TopicProblem {
  const text = `${name}: may not be described, so it cannot be published to`;
  return { text: `${text}; ${allow('Write', name, options)}`, unauthorized: true };
}

/**
 * Separates missing topics from those that may not be described. The broker omits the latter from a list
 * of topics, and rejects a request that names one.
 */
export async function separateHidden(
  admin: Admin,
  unlisted: readonly TopicPlan[],
): Promise<{ readonly missing: readonly TopicPlan[]; readonly hidden: readonly TopicPlan[] }> {
  const missing: TopicPlan[] = [];
  const hidden: TopicPlan[] = [];
  for (const plan of unlisted) {
    try {
      await admin.fetchTopicMetadata({ topics: [plan.name] });
    } catch (error) {
      const unknown =
        error instanceof KafkaJSProtocolError && error.type === 'UNKNOWN_TOPIC_OR_PARTITION';
      if (unknown) missing.push(plan);
      else if (classify(error) === 'unauthorized') hidden.push(plan);
      else throw error;
    }
  }
  return { missing, hidden };
}

/** Error types with which a broker answers for a topic that was just created. */
const newTopicErrors = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'];

/** Reads metadata until the queried broker knows every topic and its leaders, for at most five seconds. */
async function fetchMetadata(
  admin: Admin,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ITopicMetadata[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
      return topics;
    } catch (error) {
      const isNew = error instanceof KafkaJSProtocolError && newTopicErrors.includes(error.type);
      if (!isNew || attempt === 50) throw error;
      await sleep(100, undefined, { signal });
    }
  }
}

/** Reads a topic's configs; returns none when this user may not read them. */
async function readConfigs(admin: Admin, name: string): Promise<Record<string, string>> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name }],
    });
    const entries = resources.flatMap(({ configEntries }) => configEntries);
    return Object.fromEntries(entries.map((entry) => [entry.configName, entry.configValue]));
  } catch (error) {
    if (classify(error) === 'unauthorized') return {};
    throw error;
  }
}

/** Reads the actual partitions, replicas and configs of a topic. */
export async function describe(admin: Admin, found: ITopicMetadata): Promise<TopicDescription> {
  const configs = await readConfigs(admin, found.name);
  const replicas = smallest(found.partitions.map((partition) => partition.replicas.length));
  return { replicas, configs, partitions: found.partitions.length };
}

/** Returns the problems of an existing topic. */
export function verify(
  plan: TopicPlan,
  description: TopicDescription,
  options: KafkaOptions,
): readonly TopicProblem[] {
  const readable = Object.keys(description.configs).length > 0;
  if (plan.role === 'state' && !readable) {
    const text = `${plan.name}: its configs cannot be read`;
    const advice = allow('DescribeConfigs', plan.name, options);
    return [{ text: `${text}; ${advice}`, unauthorized: true }];
  }
  return topicProblems(plan, description, options.brokers).map((text) => ({
    text,
    unauthorized: false,
  }));
}

/** Returns `max.message.bytes` of a topic. */
export function maxBatchBytesOf({ configs }: Pick<TopicDescription, 'configs'>): number {
  return Number(configs['max.message.bytes'] ?? defaultMaxBatchBytes);
}

function throwProblems(problems: readonly TopicProblem[]): never {
  throw new StopProcessError(
    problems.every(({ unauthorized }) => unauthorized)
      ? 'kafka.unauthorized'
      : 'kafka.topic-invalid',
    `Kafka's topics are not as they must be:\n${problems.map(({ text }) => `- ${text}`).join('\n')}`,
    { exitCode: 3 },
  );
}

function leadersOf(metadata: ITopicMetadata): number[] {
  return [...metadata.partitions]
    .sort((left, right) => left.partitionId - right.partitionId)
    .map(({ leader }) => leader);
}

const noWarning = { problem: '', command: '' };

/** Creates the log of configs that lose records of a data topic: each is logged once, until it changes. */
export function createWarningLog({
  options,
  dependencies,
}: Pick<KafkaBase, 'options' | 'dependencies'>): KafkaBase['warnOf'] {
  const logged = new Map<string, string>();
  return (plan, description) => {
    const { problem, command } = topicWarning(plan, description, options.brokers) ?? noWarning;
    const isNew = (logged.get(plan.name) ?? '') !== problem;
    logged.set(plan.name, problem);
    if (!isNew || problem === '') return;
    const fields = { topic: plan.name, problem, action: `Run: ${command}` };
    dependencies.log('warn', 'topic loses records', fields);
  };
}

/**
 * Creates the missing topics and verifies all of them.
 *
 * @throws StopProcessError `kafka.topic-invalid` or `kafka.unauthorized` with every problem of every
 * topic; errors of kafkajs as they are
 */
async function prepareTopics(
  admin: Admin,
  shared: KafkaBase,
  signal: AbortSignal,
): Promise<readonly TopicLayout[]> {
  const { options } = shared;
  const plans = planTopics(options);
  const present = new Set(await admin.listTopics());
  const unlisted = plans.filter(({ name }) => !present.has(name));
  const { missing, hidden } = await separateHidden(admin, unlisted);
  const problems = hidden.map((plan) => describeHidden(plan, options));
  if (missing.length > 0) {
    const creationProblems = options.topics.create
      ? await createMissing(admin, missing, { options })
      : missing.map((plan) => describeMissing(plan));
    for (const problem of creationProblems) problems.push(problem);
  }
  signal.throwIfAborted();
  // After a failed creation only the topics that existed before can be verified.
  const verifiable = problems.length === 0 ? plans : plans.filter(({ name }) => present.has(name));
  const metadata = await fetchMetadata(
    admin,
    verifiable.map(({ name }) => name),
    signal,
  );
  const layouts: TopicLayout[] = [];
  for (const plan of verifiable) {
    const found = metadata.find(({ name }) => name === plan.name);
    if (found === undefined) continue;
    const description = await describe(admin, found);
    for (const problem of verify(plan, description, options)) problems.push(problem);
    shared.warnOf(plan, description);
    layouts.push({
      name: plan.name,
      leaders: leadersOf(found),
      maxBatchBytes: maxBatchBytesOf(description),
    });
  }
  if (problems.length > 0) throwProblems(problems);
  return layouts;
}

/** Connects, prepares the topics and returns their layout. */
export async function prepareLayout(shared: KafkaBase, signal: AbortSignal): Promise<Layout> {
  const { options, dependencies, health } = shared;
  const connection = openConnection(options, dependencies);
  const admin = connection.kafka.admin();
  const prepare = async (): Promise<readonly TopicLayout[]> => {
    await admin.connect();
    return prepareTopics(admin, shared, signal);
  };
  const names = planTopics(options).map(({ name }) => name);
  try {
    const preparation = withDeadline(prepare(), prepareLimitMs, 'preparing the topics');
    const layout = createLayout(options.topicTemplate, await unlessAborted(preparation, signal));
    health.up('topics');
    return layout;
  } catch (error) {
    const translated = translate(error, {
      options,
      doing: 'preparing the topics',
      needs: names.map((name) => ({ operation: 'Write', resource: 'topic', name })),
      lastRejection: connection.lastRejection(),
    });
    if (translated instanceof Error) health.down('topics', translated.message);
    throw translated;
  } finally {
    await settled(admin.disconnect(), 1000);
    connection.destroy();
  }
}
