import type { GroupDescription } from 'kafkajs';
import { AssignerProtocol } from '../client/kafkajs.ts';
import { asAdmin } from '../client/admin-call.ts';
import type { KafkaShared } from '../shared.ts';

/** A running instance of the program and a state partition whose accounts it polls. */
export interface Owner {
  readonly partition: number;
  /** The instance's client id and address, for display. */
  readonly name: string;
}

/** Returns the id of the consumer group that assigns the state partitions to instances. */
function groupOf(shared: KafkaShared): string {
  return `${shared.options.transactionalIdPrefix}-instances`;
}

/** Returns the partitions of a topic in a member's assignment. */
export function partitionsOf(assignment: Buffer, topic: string): readonly number[] {
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

/**
 * Reads the current owner of each state partition.
 *
 * @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`
 */
export async function findOwners(shared: KafkaShared): Promise<readonly Owner[]> {
  const group = groupOf(shared);
  const layout = shared.layout();
  const all = Array.from({ length: layout.statePartitions }, (_, partition) => partition);
  const { groups } = await asAdmin(shared, (admin) => admin.describeGroups([group]), {
    doing: `describing the consumer group ${group}`,
    needs: [{ operation: 'Read', resource: 'group', name: group }],
  });
  return groups.flatMap((one) => ownersIn(one, layout.topic('state').name, all));
}
