import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
  type Admin,
} from 'kafkajs';

/** The arguments of `kafka-acls.sh --add`. */
export interface Acl {
  readonly principal: string;
  readonly operation: keyof typeof operations;
  readonly resource: keyof typeof resources;
  readonly name: string;
  readonly prefixed: boolean;
}

const operations = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Create: AclOperationTypes.CREATE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
} as const;

const resources = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
} as const;

const command =
  /kafka-acls\.sh --bootstrap-server \S+ --add --allow-principal (?:'([^']+)'|(\S+)) --operation (\w+) --(topic|group|transactional-id) ([\w.-]+)( --resource-pattern-type prefixed)?/g;

/** Every command in a text. */
export function readCommands(text: string): readonly Acl[] {
  return [...text.matchAll(command)].map(
    ([, quoted, plain, operation, resource, name, prefixed]) => ({
      principal: quoted ?? plain ?? '',
      operation: operation as Acl['operation'],
      resource: resource as Acl['resource'],
      name: name ?? '',
      prefixed: prefixed !== undefined,
    }),
  );
}

/** The commands of docs/operations/run.md, those for a program that creates its topics after the others. */
export async function readDocumented(): Promise<readonly Acl[]> {
  const page = await readFile(new URL('../../../docs/operations/run.md', import.meta.url), 'utf8');
  const block = /```sh\nacls="([^"]+)"\n([^`]+)```/.exec(page);
  if (block === null) throw new Error('docs/operations/run.md has no block of ACLs');
  const [, start = '', lines = ''] = block;
  return readCommands(lines.replaceAll('$acls', start));
}

function toEntry({ principal, operation, resource, name, prefixed }: Acl) {
  return {
    resourceType: resources[resource],
    resourceName: name,
    resourcePatternType: prefixed ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    principal,
    host: '*',
    operation: operations[operation],
    permissionType: AclPermissionTypes.ALLOW,
  };
}

const anything = {
  resourceType: AclResourceTypes.ANY,
  resourcePatternType: ResourcePatternTypes.ANY,
  operation: AclOperationTypes.ANY,
  permissionType: AclPermissionTypes.ANY,
} as const;

/** Sets exactly these ACLs; resolves when the broker enforces them. */
export async function setAcls(admin: Admin, acls: readonly Acl[]): Promise<void> {
  await admin.deleteAcls({ filters: [anything] });
  await untilHeld(admin, 0);
  if (acls.length > 0) await admin.createAcls({ acl: acls.map(toEntry) });
  await untilHeld(admin, acls.length);
}

async function untilHeld(admin: Admin, count: number): Promise<void> {
  for (;;) {
    const { resources: held } = await admin.describeAcls(anything);
    const found = held.reduce((sum, { acls }) => sum + acls.length, 0);
    if (found === count) return;
    await sleep(10);
  }
}

/** The documented permissions on single topics, for topics with another prefix. */
export function topicReadsBy(topics: string): readonly Acl[] {
  const add = 'kafka-acls.sh --bootstrap-server x --add --allow-principal User:alice';
  const permissions = [
    `Read --topic ${topics}.state`,
    `DescribeConfigs --topic ${topics}.state`,
    `Read --topic ${topics}.notifications`,
  ];
  return readCommands(permissions.map((one) => `${add} --operation ${one}`).join('\n'));
}
