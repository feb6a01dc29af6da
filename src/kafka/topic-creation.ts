import type { Admin } from 'kafkajs';
import { describeNeeds, type RequiredPermission } from './client/acls.ts';
import { classify } from './client/errors.ts';
import { KafkaJSAggregateError, KafkaJSProtocolError } from './client/kafkajs.ts';
import type { KafkaOptions } from './options.ts';
import type { TopicPlan } from './topic-plan.ts';
import type { TopicRole } from '../engine/stream-name.ts';

/** A problem of a topic; the text begins with its name. */
export interface TopicProblem {
  readonly topic: string;
  readonly text: string;
  /** True when only a permission is missing. */
  readonly unauthorized: boolean;
}

/** Returns the advice to allow an operation on a topic, with its command. */
export function allow(
  operation: RequiredPermission['operation'],
  name: string,
  options: KafkaOptions,
): string {
  return `allow ${describeNeeds([{ operation, resource: 'topic', name }], options)}`;
}

function describeRejection(topic: string, error: Error, options: KafkaOptions): TopicProblem {
  const unauthorized = classify(error) === 'unauthorized';
  const advice = unauthorized
    ? `${allow('Create', topic, options)}; or create it yourself`
    : 'correct what is asked for, or create it yourself';
  const text = `${topic}: could not be created: ${error.message}; ${advice}`;
  return { topic, text, unauthorized };
}

/** Creates the missing topics; with `validateOnly` the broker only reports if it would. */
async function createMissing(
  admin: Admin,
  missing: readonly TopicPlan[],
  options: KafkaOptions,
  validateOnly: boolean,
): Promise<readonly TopicProblem[]> {
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

function describeMissing({ name, partitions, configs }: TopicPlan): TopicProblem {
  const settings = Object.entries(configs).map(([config, value]) => `${config}=${value}`);
  const text =
    `${name}: is missing; create it with ${partitions} partitions and ${settings.join(', ')}, ` +
    'or let this program do it (topics.create)';
  return { topic: name, text, unauthorized: false };
}

/** Describes a topic that may not be described, existing or not. */
function describeHidden({ name: topic }: TopicPlan, options: KafkaOptions): TopicProblem {
  const advice = allow('Write', topic, options);
  const text = `${topic}: may not be described, so it cannot be published to; ${advice}`;
  return { topic, text, unauthorized: true };
}

/** True when a topic may not be described. The broker omits it from lists, and rejects its name. */
async function isHidden(admin: Admin, { name }: TopicPlan): Promise<boolean> {
  try {
    await admin.fetchTopicMetadata({ topics: [name] });
    return false;
  } catch (error) {
    if (classify(error) === 'unauthorized') return true;
    const isUnknown =
      error instanceof KafkaJSProtocolError && error.type === 'UNKNOWN_TOPIC_OR_PARTITION';
    if (isUnknown) return false;
    throw error;
  }
}

function isNeeded(role: TopicRole, { topics: { skipMissing = false } }: KafkaOptions): boolean {
  return !skipMissing || role === 'state';
}

/** Creates the missing topics; returns those that existed, and why the others cannot be used. */
export async function createTopics(
  admin: Admin,
  plans: readonly TopicPlan[],
  options: KafkaOptions,
  validateOnly: boolean,
) {
  const names = new Set(await admin.listTopics());
  const hidden: TopicPlan[] = [];
  const missing: TopicPlan[] = [];
  for (const plan of plans.filter(({ name }) => !names.has(name))) {
    if (await isHidden(admin, plan)) hidden.push(plan);
    else missing.push(plan);
  }
  const uncreated =
    missing.length > 0 && options.topics.create
      ? await createMissing(admin, missing, options, validateOnly)
      : missing.filter(({ role }) => isNeeded(role, options)).map(describeMissing);
  const problems = [...hidden.map((plan) => describeHidden(plan, options)), ...uncreated];
  return { present: plans.filter(({ name }) => names.has(name)), problems };
}
