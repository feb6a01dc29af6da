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

/** The principal of the permissions and the cluster that grants them. */
export interface Grantor {
  readonly brokers: readonly string[];
  /** The principal, such as `User:alice`. */
  readonly principal: string;
}

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

/** Describes a need, such as `Read on the topic instagram.state`. */
function nameNeed({ operation, resource, name, prefixed }: RequiredPermission): string {
  const noun = resource.replace('-', ' ');
  return prefixed === true
    ? `${operation} on each ${noun} that begins with ${name}`
    : `${operation} on the ${noun} ${name}`;
}

/** Returns the command that grants a need. */
function aclCommand(
  { operation, resource, name, prefixed }: RequiredPermission,
  { brokers, principal }: Grantor,
): string {
  const pattern = prefixed === true ? ' --resource-pattern-type prefixed' : '';
  return (
    `kafka-acls.sh --bootstrap-server ${brokers.join(',')} --add --allow-principal ` +
    `${quoted(principal)} --operation ${operation} --${resource} ${name}${pattern}`
  );
}

/** Describes the needs, each with the command that grants it. */
export function describeNeeds(needs: readonly RequiredPermission[], grantor: Grantor): string {
  return needs.map((need) => `${nameNeed(need)}: ${aclCommand(need, grantor)}`).join('; ');
}

/** Quotes a principal for a shell: that of a certificate has spaces and commas. */
function quoted(principal: string): string {
  return /^[\w:.@-]+$/.test(principal)
    ? principal
    : `'${principal.replaceAll("'", String.raw`'\''`)}'`;
}
