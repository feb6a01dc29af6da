import type { KafkaOptions } from '../options.ts';

/** A resource type, as `kafka-acls.sh` names it. */
type Resource = 'topic' | 'group' | 'transactional-id';

/** One permission that the program needs. */
export interface RequiredPermission {
  readonly operation: 'Read' | 'Write' | 'Create' | 'DescribeConfigs';
  readonly resource: Resource;
  readonly name: string;
  /** True when the permission is needed for every name with this prefix. */
  readonly prefixed?: boolean;
}

type Prefix = Pick<KafkaOptions, 'transactionalIdPrefix'>;

/** The permissions that each kind of operation needs. */
export const needsOf = {
  publishing: (topics: readonly string[]): readonly RequiredPermission[] =>
    topics.map((name) => ({ operation: 'Write', resource: 'topic', name })),
  transactions: (
    { transactionalIdPrefix: prefix }: Prefix,
    topics: readonly string[],
  ): readonly RequiredPermission[] => [
    { operation: 'Write', resource: 'transactional-id', name: `${prefix}-`, prefixed: true },
    ...needsOf.publishing(topics),
  ],
  /** Reading a topic in a group of its own. */
  reading: (
    { transactionalIdPrefix: prefix }: Prefix,
    topic: string,
  ): readonly RequiredPermission[] => [
    { operation: 'Read', resource: 'topic', name: topic },
    { operation: 'Read', resource: 'group', name: `${prefix}-`, prefixed: true },
  ],
  /** Joining a group that assigns partitions of topics; describing it needs no topic. */
  group: (name: string, ...topics: readonly string[]): readonly RequiredPermission[] => [
    { operation: 'Read', resource: 'group', name },
    ...needsOf.listing(...topics),
  ],
  listing: (...topics: readonly string[]): readonly RequiredPermission[] =>
    topics.map((name) => ({ operation: 'Read', resource: 'topic', name })),
};

/** The resource type of each authorization error of a broker. */
const resourcesByRejection: readonly (readonly [RegExp, Resource])[] = [
  [/TRANSACTIONAL_ID_AUTHORIZATION_FAILED|transactional ?id/i, 'transactional-id'],
  [/GROUP_AUTHORIZATION_FAILED|group authorization|access group/i, 'group'],
  [/TOPIC_AUTHORIZATION_FAILED|topic authorization|access topics/i, 'topic'],
];

/** Returns the needs that a rejection concerns; all needs when it names no resource. */
export function narrowNeeds(
  needs: readonly RequiredPermission[],
  rejection: string,
): readonly RequiredPermission[] {
  const resource = resourcesByRejection.find(([pattern]) => pattern.test(rejection))?.[1];
  const matching = needs.filter((need) => need.resource === resource);
  return matching.length === 0 ? needs : matching;
}

/** The actions of IAM that stand for each permission (Amazon MSK's "Semantics of IAM authorization policy actions", read 2026-11-30). */
const iamActions = {
  topic: {
    Read: ['DescribeTopic', 'ReadData'],
    Write: ['DescribeTopic', 'WriteData'],
    Create: ['CreateTopic'],
    DescribeConfigs: ['DescribeTopicDynamicConfiguration'],
  },
  group: { Read: ['DescribeGroup', 'AlterGroup'] },
  'transactional-id': { Write: ['DescribeTransactionalId', 'AlterTransactionalId'] },
} as const satisfies Readonly<
  Record<Resource, Partial<Record<RequiredPermission['operation'], readonly string[]>>>
>;

function describeIamAction({ operation, resource, name, prefixed }: RequiredPermission): string {
  const actions: Partial<Record<string, readonly string[]>> = iamActions[resource];
  const names = (actions[operation] ?? []).map((action) => `kafka-cluster:${action}`);
  const pattern = `${name}${prefixed === true ? '*' : ''}`;
  return (
    `${operation} on the ${resource.replace('-', ' ')} ${pattern}: in the IAM policy, ` +
    `${names.join(' and ')} on arn:aws:kafka:<region>:<account>:${resource}/<cluster>/<uuid>/${pattern}`
  );
}

/** Describes the needs, each with the command that grants it, or with the actions of IAM. */
export function describeNeeds(
  needs: readonly RequiredPermission[],
  { brokers, security }: Pick<KafkaOptions, 'brokers' | 'security'>,
): string {
  if (security.sasl?.mechanism === 'AWS_MSK_IAM') {
    return needs.map((need) => describeIamAction(need)).join('; ');
  }
  const command =
    `kafka-acls.sh --bootstrap-server ${brokers.join(',')} --add --allow-principal ` +
    quoted(security.principal());
  return needs
    .map(({ operation, resource, name, prefixed = false }) => {
      const noun = resource.replace('-', ' ');
      const subject = prefixed ? `each ${noun} that begins with` : `the ${noun}`;
      const pattern = prefixed ? ' --resource-pattern-type prefixed' : '';
      return (
        `${operation} on ${subject} ${name}: ` +
        `${command} --operation ${operation} --${resource} ${name}${pattern}`
      );
    })
    .join('; ');
}

/** Quotes a principal for a shell: that of a certificate has spaces and commas. */
function quoted(principal: string): string {
  return /^[\w:.@-]+$/.test(principal)
    ? principal
    : `'${principal.replaceAll("'", String.raw`'\''`)}'`;
}
