import type { GroupDescription } from 'kafkajs';
import { needsOf } from '../client/acls.ts';
import { asAdmin } from '../client/admin-call.ts';
import { AssignerProtocol } from '../client/kafkajs.ts';
import type { KafkaOptions } from '../options.ts';
import type { KafkaBase } from '../shared.ts';
import { readMemberMetadata } from './assignor.ts';

/** A running instance of the program and a state partition whose accounts it polls. */
export interface Owner {
  readonly partition: number;
  /** The instance's client id and address, for display. */
  readonly name: string;
}

/** Returns the id of the consumer group of all instances with one prefix. */
export function groupIdOf({ transactionalIdPrefix }: KafkaOptions): string {
  return `${transactionalIdPrefix}-instances`;
}

/** @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized` */
async function describeGroup(
  shared: KafkaBase,
  limits: { readonly signal?: AbortSignal; readonly limitMs?: number } = {},
): Promise<readonly GroupDescription[]> {
  const id = groupIdOf(shared.options);
  const operation = { doing: `describing the consumer group ${id}`, needs: needsOf.group(id) };
  const request = { ...operation, ...limits };
  return (await asAdmin(shared, (admin) => admin.describeGroups([id]), request)).groups;
}

/** Returns the partitions of a topic in a member's assignment. */
function partitionsOf(assignment: Buffer, topic: string): readonly number[] {
  // Empty for a member that has joined and has no assignment yet.
  if (assignment.length === 0) return [];
  return AssignerProtocol.MemberAssignment.decode(assignment)?.assignment[topic] ?? [];
}

/** Returns the owners in a group; during a rebalance every member may own every partition. */
export function ownersIn(group: GroupDescription, topic: string, all: readonly number[]): Owner[] {
  const isStable = group.state === 'Stable';
  return group.members.flatMap(({ clientId, clientHost, memberAssignment }) => {
    const owned = isStable ? partitionsOf(memberAssignment, topic) : all;
    return owned.map((partition) => ({ partition, name: `${clientId} at ${clientHost}` }));
  });
}

/** Reads the current owner of each state partition. */
export async function findOwners(shared: KafkaBase): Promise<readonly Owner[]> {
  const layout = shared.layout();
  const groups = await describeGroup(shared);
  const { name } = layout.topic('state');
  return groups.flatMap((group) => ownersIn(group, name, layout.partitions));
}

/** Reads the members of the group and their partitions; the name is an instance and its address. */
export async function findMembers(shared: KafkaBase, signal: AbortSignal) {
  const topic = shared.layout().topic('state').name;
  const groups = await describeGroup(shared, { signal, limitMs: 10_000 });
  return groups
    .flatMap(({ members }) => members)
    .map(({ memberMetadata, memberAssignment, memberId, clientHost }) => {
      const instance = readMemberMetadata(memberMetadata, topic)?.instance ?? memberId;
      return {
        name: `${instance} (${clientHost.replace(/^\//, '')})`,
        owned: partitionsOf(memberAssignment, topic),
      };
    });
}
