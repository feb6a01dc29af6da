import type { GroupDescription } from 'kafkajs';
import { AssignerProtocol } from '../client/kafkajs.ts';
import { asAdmin } from '../client/admin-call.ts';
import type { KafkaShared } from '../shared.ts';

/** A running instance of the program and a state partition whose accounts it polls. */
export interface Owner {
  readonly partition: number;
  /** The instance's client id and address, for a person. */
  readonly name: string;
}

/** The consumer group by which instances share the partitions of the state topic. */
function groupOf(shared: KafkaShared): string {
  return `${shared.options.transactionalIdPrefix}-instances`;
}

/** What a member of the group was given of a topic. */
export function partitionsOf(assignment: Buffer, topic: string): readonly number[] {
  // A member that has joined and was not given anything yet.
  if (assignment.length === 0) return [];
  return AssignerProtocol.MemberAssignment.decode(assignment)?.assignment[topic] ?? [];
}

/** The assignments in a group; while it is being shared out anew, any member may own anything. */
export function ownersIn(group: GroupDescription, topic: string, all: readonly number[]): Owner[] {
  const settled = group.state === 'Stable';
  return group.members.flatMap(({ clientId, clientHost, memberAssignment }) => {
    const owned = settled ? partitionsOf(memberAssignment, topic) : all;
    return owned.map((partition) => ({ partition, name: `${clientId} at ${clientHost}` }));
  });
}

/**
 * Who polls the accounts of which state partition now.
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
