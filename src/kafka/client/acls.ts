/** Something that an ACL is about, as `kafka-acls.sh` names it. */
type Resource = 'topic' | 'group' | 'transactional-id';

/** One permission that the program needs. */
export interface Need {
  readonly operation: 'Read' | 'Write' | 'Create' | 'DescribeConfigs';
  readonly resource: Resource;
  readonly name: string;
  /** Whether it is needed for every name that begins so. */
  readonly prefixed?: boolean;
}

/** Whom it is allowed to, and where that is said. */
export interface Grantor {
  readonly brokers: readonly string[];
  /** As `User:alice`. */
  readonly principal: string;
}

/** What each of the broker's refusals is about. */
const refused: readonly (readonly [RegExp, Resource])[] = [
  [/TRANSACTIONAL_ID_AUTHORIZATION_FAILED|transactional ?id/i, 'transactional-id'],
  [/GROUP_AUTHORIZATION_FAILED|group authorization|access group/i, 'group'],
  [/TOPIC_AUTHORIZATION_FAILED|topic authorization|access topics/i, 'topic'],
];

/** Of what is needed, what a refusal is about; all of it when that is not told. */
export function narrowNeeds(needs: readonly Need[], refusal: string): readonly Need[] {
  const resource = refused.find(([pattern]) => pattern.test(refusal))?.[1];
  const narrowed = needs.filter((need) => need.resource === resource);
  return narrowed.length === 0 ? needs : narrowed;
}

/** As `Read on the topic instagram.state`. */
function nameNeed({ operation, resource, name, prefixed }: Need): string {
  const noun = resource.replace('-', ' ');
  return prefixed === true
    ? `${operation} on each ${noun} that begins with ${name}`
    : `${operation} on the ${noun} ${name}`;
}

/** The command that allows it. */
function aclCommand(
  { operation, resource, name, prefixed }: Need,
  { brokers, principal }: Grantor,
): string {
  const pattern = prefixed === true ? ' --resource-pattern-type prefixed' : '';
  return (
    `kafka-acls.sh --bootstrap-server ${brokers.join(',')} --add --allow-principal ` +
    `${quoted(principal)} --operation ${operation} --${resource} ${name}${pattern}`
  );
}

/** What to allow, each with its command. */
export function describeNeeds(needs: readonly Need[], grantor: Grantor): string {
  return needs.map((need) => `${nameNeed(need)}: ${aclCommand(need, grantor)}`).join('; ');
}

/** As a shell wants it: the principal of a certificate has spaces and commas. */
function quoted(principal: string): string {
  return /^[\w:.@-]+$/.test(principal)
    ? principal
    : `'${principal.replaceAll("'", String.raw`'\''`)}'`;
}
