import { isShared, topicName, type TopicRole } from '../engine/stream-name.ts';
import { inboxRetentionMs, inboxRole } from '../engine/webhooks.ts';
import type { KafkaOptions } from './options.ts';

/** The required properties of a topic. */
export interface TopicPlan {
  readonly role: TopicRole;
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
  /** The `cleanup.policy` that its records need. */
  readonly policy: string;
  /** The configs that the configuration sets; they are among `configs`. */
  readonly settings: Readonly<Record<string, string>>;
  /** True when its records carry the time of their event. */
  readonly hasEventTime: boolean;
}

export interface TopicDescription {
  readonly partitions: number;
  /** Replica count of the partition with the fewest replicas. */
  readonly replicas: number;
  /** Empty when this user may not read them. */
  readonly configs: Readonly<Record<string, string>>;
}

const dayMs = 86_400_000;
const stateSegmentBytes = 50 * 1024 * 1024;

type PlanOptions = Pick<
  KafkaOptions,
  'roles' | 'compacted' | 'topicTemplate' | 'topics' | 'topicSettings' | 'eventTimed'
>;

function configsOf(role: TopicRole, options: PlanOptions) {
  const { minInSyncReplicas } = options.topics;
  const replicas = { 'min.insync.replicas': String(minInSyncReplicas) };
  const needed = retentionOf(role, options);
  const settings = options.topicSettings[role] ?? {};
  const configs = { ...needed, ...(minInSyncReplicas > 0 && replicas), ...settings };
  return { configs, policy: needed['cleanup.policy'], settings };
}

function retentionOf(
  role: TopicRole,
  { compacted, topics: { deadLetterRetentionMs } }: PlanOptions,
): Readonly<Record<string, string>> & { readonly 'cleanup.policy': string } {
  if (role === 'dead_letters') {
    // Dead letters hold other people's content, which no tombstone deletes. Only closed segments expire.
    return {
      'cleanup.policy': 'delete',
      'retention.ms': String(deadLetterRetentionMs),
      'segment.ms': String(Math.min(dayMs, deadLetterRetentionMs)),
    };
  }
  if (role === 'state') {
    // The state topic is read whole at every start, so segments roll and are compacted early.
    return {
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.1',
      'segment.ms': String(dayMs),
      // Kafka never compacts the active segment: hourly changes of many media would fill a day's segment.
      'segment.bytes': String(stateSegmentBytes),
      // Batches stay as sent: the cluster's default codec may be one that other readers lack.
      'compression.type': 'producer',
    };
  }
  if (role === inboxRole) {
    // A change is removed when it is published; the rest, of accounts that are polled no more, expires.
    return {
      'cleanup.policy': 'compact,delete',
      'retention.ms': String(inboxRetentionMs),
      'segment.ms': String(dayMs),
    };
  }
  if (role === 'notifications') return { 'cleanup.policy': 'compact' };
  // Tombstones delete other people's content from a compacted topic. Every other topic is history, of
  // which nothing may expire.
  return compacted.includes(role)
    ? { 'cleanup.policy': 'compact' }
    : { 'cleanup.policy': 'delete', 'retention.ms': '-1' };
}

/**
 * Returns the topics in use, in the order of `options.roles`.
 * @param accountIds - the accounts whose own topics are included, where the template has `{account}`
 */
export function planTopics(
  options: PlanOptions,
  accountIds: readonly string[] = [],
): readonly TopicPlan[] {
  return options.roles.flatMap((role) =>
    isShared(options.topicTemplate, role)
      ? [planOf(role, options)]
      : accountIds.map((accountId) => planOf(role, options, accountId)),
  );
}

/** Returns the topics of one account alone. */
export function planAccountTopics(options: PlanOptions, accountId: string): readonly TopicPlan[] {
  const { roles, topicTemplate } = options;
  return roles
    .filter((role) => !isShared(topicTemplate, role))
    .map((role) => planOf(role, options, accountId));
}

function planOf(role: TopicRole, options: PlanOptions, accountId?: string): TopicPlan {
  const { topics, topicTemplate } = options;
  return {
    role,
    name: topicName(topicTemplate, role, accountId),
    partitions: partitionsOf(role, topics),
    replicationFactor: topics.replicationFactor,
    ...configsOf(role, options),
    hasEventTime: options.eventTimed.includes(role),
  };
}

function partitionsOf(role: TopicRole, topics: PlanOptions['topics']): number {
  if (role === 'notifications') return 1;
  return role === 'state' ? topics.statePartitions : topics.partitions;
}

type Configs = Readonly<Record<string, string>>;

function alterCommand(topic: string, configs: Configs, brokers: readonly string[]): string {
  const added = Object.entries(configs).map(([name, value]) =>
    value.includes(',') ? `${name}=[${value}]` : `${name}=${value}`,
  );
  return (
    `kafka-configs.sh --bootstrap-server ${brokers.join(',')} --alter --entity-type topics ` +
    `--entity-name ${topic} --add-config ${added.join(',')}`
  );
}

/** A topic's configs that are not as expected but do not prevent publishing. */
export interface TopicWarning {
  readonly kind: 'loss' | 'difference';
  readonly problem: string;
  /** The advice, with its command. */
  readonly action: string;
}

/** Returns the warnings about an existing topic; none when its configs are unreadable. */
export function topicWarnings(
  plan: TopicPlan,
  { configs }: Pick<TopicDescription, 'configs'>,
  brokers: readonly string[],
): readonly TopicWarning[] {
  return [lossWarning(plan, configs, brokers), differenceWarning(plan, configs, brokers)].flatMap(
    (warning) => warning ?? [],
  );
}

/** Returns the warning about configs of a data topic that lose records. */
function lossWarning(
  plan: TopicPlan,
  found: Configs,
  brokers: readonly string[],
): TopicWarning | null {
  const { role, name, policy: expected } = plan;
  const policy = found['cleanup.policy'];
  if (role === 'state' || policy === undefined) return null;
  const limits = lossyLimits(role, policy, found);
  const isExpected = isSameValue(policy, expected);
  if (isExpected && limits.length === 0) return null;
  const isHistory = expected === 'delete' && role !== 'dead_letters';
  const values = ['cleanup.policy', ...limits].map((config) => `${config}=${found[config] ?? ''}`);
  const unlimited = isHistory ? ' without a limit of time or size' : '';
  const changes = {
    ...(!isExpected && { 'cleanup.policy': expected }),
    ...Object.fromEntries(isHistory ? limitsOf(found).map((limit) => [limit, '-1']) : []),
  };
  const command = alterCommand(name, changes, brokers);
  const configured = ['cleanup.policy', ...limits]
    .filter((config) => plan.settings[config] === found[config])
    .map((config) => variableOf(role, config));
  return {
    kind: 'loss',
    problem: `${values.join(', ')}, expected cleanup.policy=${expected}${unlimited}: ${lossOf(plan, policy, limits)}`,
    action:
      configured.length === 0
        ? `Run: ${command}`
        : `Keep the records elsewhere too; or remove ${configured.join(' and ')}, and run: ${command}`,
  };
}

/** Returns the warning about configured settings that an existing topic does not have. */
function differenceWarning(
  { name, role, settings }: TopicPlan,
  found: Configs,
  brokers: readonly string[],
): TopicWarning | null {
  const differing = Object.entries(settings).filter(
    ([config, value]) =>
      // Fewer replicas in sync are a problem, and more of them are no loss.
      config !== 'min.insync.replicas' && !isSameValue(found[config] ?? value, value),
  );
  if (differing.length === 0) return null;
  const problem = differing
    .map(([config, value]) => {
      const variable = variableOf(role, config);
      return `${config}=${found[config] ?? ''}, expected ${value} (${variable})`;
    })
    .join('; ');
  const command = alterCommand(name, Object.fromEntries(differing), brokers);
  return { kind: 'difference', problem, action: `Run: ${command}` };
}

/** The variable that configures a setting of a stream's topic. */
function variableOf(role: TopicRole, config: string): string {
  return `STREAM_${role}_TOPIC_${config.replaceAll('.', '_')}`.toUpperCase();
}

/** True for equal numbers, and for lists of the same entries in any order. */
function isSameValue(value: string, other: string): boolean {
  const sorted = (list: string) => list.split(',').sort().join();
  return sorted(value) === sorted(other) || Number(value) === Number(other);
}

/** Dead letters may expire, and retention has no effect on a topic that is only compacted. */
function lossyLimits(role: TopicRole, policy: string, configs: Configs) {
  const expires = role === 'dead_letters' || role === inboxRole;
  return expires || !policy.includes('delete') ? [] : limitsOf(configs);
}

function limitsOf(configs: Configs): readonly string[] {
  return ['retention.ms', 'retention.bytes'].filter((name) => Number(configs[name] ?? -1) >= 0);
}

function lossOf(
  { role, policy: expectedPolicy }: TopicPlan,
  policy: string,
  limits: readonly string[],
): string {
  if (role === 'notifications') return 'an open condition expires, and is reported again';
  if (policy.includes('compact') && expectedPolicy === 'delete') {
    return 'of the records with one key only the last one stays, and the history is lost';
  }
  return limits.length > 0
    ? 'records expire, and what has not changed is never published again'
    : 'outdated records stay, and tombstones delete nothing';
}

/** Returns the problems of an existing topic: one sentence each, with the command that fixes it. */
export function topicProblems(
  plan: TopicPlan,
  found: TopicDescription,
  brokers: readonly string[],
): readonly string[] {
  const { name, role } = plan;
  const alter = (config: string, value: string): string =>
    alterCommand(name, { [config]: value }, brokers);
  const problems: string[] = [...timestampProblems(plan, found.configs, alter)];
  const policy = found.configs['cleanup.policy'];
  if (role === 'state' && policy !== 'compact') {
    problems.push(
      `${name}: cleanup.policy is ${policy ?? 'not readable'}, expected compact, or the state ` +
        `of the streams is lost when it expires; run: ${alter('cleanup.policy', 'compact')}`,
    );
  }
  if (role === 'state' && found.partitions !== plan.partitions) {
    problems.push(
      `${name}: has ${found.partitions} partitions, expected ${plan.partitions} ` +
        '(KAFKA_TOPICS_STATE_PARTITIONS): accounts and their states are found by this number. If the ' +
        'topic was made with as many, set it so, the same for all instances; if partitions were ' +
        'added later, stop all instances, set it so, run "instagram-kafka state move-partitions --apply"',
    );
  }
  if (plan.replicationFactor > 0 && found.replicas < plan.replicationFactor) {
    problems.push(
      `${name}: has ${found.replicas} replicas, expected at least ${plan.replicationFactor}; ` +
        'add replicas with kafka-reassign-partitions.sh or lower the replication factor that is asked for',
    );
  }
  const { 'min.insync.replicas': minInSync = '' } = plan.configs;
  const { 'min.insync.replicas': inSync } = found.configs;
  // Comparisons with NaN, the number of a config that is unreadable, are false.
  if (Number(inSync) < Number(minInSync)) {
    problems.push(
      `${name}: min.insync.replicas is ${inSync}, expected at least ${minInSync}; run: ` +
        alter('min.insync.replicas', minInSync),
    );
  }
  return problems;
}

/** The least age of an event that a topic must accept: Instagram's oldest media are from 2010. */
const oldestEventMs = 20 * 365 * dayMs;

/** Returns the problems of a topic that does not keep the times of events. */
function timestampProblems(
  { name, role, hasEventTime }: TopicPlan,
  configs: Configs,
  alter: (config: string, value: string) => string,
): readonly string[] {
  if (!hasEventTime) return [];
  const variable = `STREAM_${role.toUpperCase()}_RECORD_TIMESTAMP`;
  const wanted = `because its records carry the time of their event (${variable} or KAFKA_RECORD_TIMESTAMP is event)`;
  const type = 'message.timestamp.type';
  const limits = ['message.timestamp.before.max.ms', 'message.timestamp.difference.max.ms'];
  return [
    ...(configs[type] === 'LogAppendTime'
      ? [
          `${name}: ${type} is LogAppendTime, expected CreateTime, ${wanted}; run: ${alter(type, 'CreateTime')}`,
        ]
      : []),
    ...limits
      .filter((limit) => Number(configs[limit]) < oldestEventMs)
      .map(
        (limit) =>
          `${name}: ${limit} is ${configs[limit]}, expected at least ${oldestEventMs}, ${wanted}; run: ${alter(limit, String(oldestEventMs))}`,
      ),
  ];
}
