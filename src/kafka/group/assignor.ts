import type { Cluster, GroupMember, PartitionAssigner } from 'kafkajs';
import { AssignerProtocol } from '../client/kafkajs.ts';
import { assignPartitions, type Member } from '../../engine/assignment.ts';
import { largest } from '../../engine/extremes.ts';

/** The metadata that an instance sends when it joins the group. */
export interface MemberMetadata {
  /** The instance's name, for display. */
  readonly instance: string;
  /** Partition count of the state topic when the instance started. */
  readonly partitions: number;
  readonly owned: readonly number[];
  /** The only partitions wanted, as a temporary assignment; absent for a polling instance. */
  readonly temporary?: readonly number[];
}

/** Upper bound of readable metadata: an instance that owns 10,000 partitions has 60,000 bytes. */
const maxMetadataBytes = 256 * 1024;

/** The assignor's name, and the group's protocol: a broker admits only members with a common one. */
const name = 'instagram-kafka-sticky';
const version = 1;

/** Reads a member's metadata; returns undefined when it is unreadable. */
export function readMemberMetadata(metadata: Buffer, topic: string): MemberMetadata | undefined {
  try {
    const decoded = AssignerProtocol.MemberMetadata.decode(metadata);
    if (!decoded?.topics.includes(topic) || decoded.userData.length > maxMetadataBytes) {
      return undefined;
    }
    const fields = JSON.parse(decoded.userData.toString('utf8')) as Partial<MemberMetadata>;
    const { instance, partitions, owned, temporary } = fields;
    if (typeof instance !== 'string' || !isNumber(partitions)) return undefined;
    if (!Array.isArray(owned)) return undefined;
    const read = { instance, partitions, owned: owned.filter(isNumber) };
    return Array.isArray(temporary) ? { ...read, temporary: temporary.filter(isNumber) } : read;
  } catch {
    return undefined;
  }
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/**
 * Returns the members that may be assigned partitions: those that know the latest partition count.
 * Metadata with a larger count than the topic has is invalid.
 */
function membersOf(members: readonly GroupMember[], topic: string, partitions: number) {
  const readable = members.flatMap(({ memberId, memberMetadata }) => {
    const read = readMemberMetadata(memberMetadata, topic);
    if (read === undefined || read.partitions > partitions) return [];
    return [{ id: memberId, ...read }];
  });
  const count = largest(
    readable.map((member) => member.partitions),
    0,
  );
  // Partitions can only be added. An instance with an older count computes wrong partitions of accounts.
  const current: Member[] = readable.filter((member) => member.partitions === count);
  return { count, current };
}

/** The decisions of an assignor of one topic. */
interface AssignorPolicy {
  /** Returns the data that a member sends when it joins the group. */
  readonly userData: (cluster: Cluster) => string;
  /** Returns the assignment: the partitions of each member id. */
  readonly assign: (
    members: readonly GroupMember[],
    cluster: Cluster,
  ) => (id: string) => readonly number[];
}

export function createTopicAssignor(
  assignorName: string,
  topic: string,
  { userData, assign }: AssignorPolicy,
): PartitionAssigner {
  const { MemberMetadata: metadataCodec, MemberAssignment: assignmentCodec } = AssignerProtocol;
  return ({ cluster }: { cluster: Cluster }) => ({
    name: assignorName,
    version,
    protocol({ topics }) {
      const bytes = Buffer.from(userData(cluster), 'utf8');
      const metadata = metadataCodec.encode({ version, topics, userData: bytes });
      return { name: assignorName, metadata };
    },
    assign({ members }) {
      const partitionsOf = assign(members, cluster);
      const assigned = members.map(({ memberId }) => {
        const assignment = { [topic]: [...partitionsOf(memberId)] };
        const userData = Buffer.alloc(0);
        return {
          memberId,
          memberAssignment: assignmentCodec.encode({ version, assignment, userData }),
        };
      });
      return Promise.resolve(assigned);
    },
  });
}

/**
 * Creates a sticky assignor for the state topic, which kafkajs lacks: few partitions move in a
 * rebalance. Each join calls `metadata`, and `onMetadata` with the topic's current partition count.
 */
export function createAssignor(
  topic: string,
  metadata: () => MemberMetadata,
  onMetadata: (partitions: number) => void,
): PartitionAssigner {
  const countIn = (cluster: Cluster) => cluster.findTopicPartitionMetadata(topic).length;
  return createTopicAssignor(name, topic, {
    userData(cluster) {
      onMetadata(countIn(cluster));
      return JSON.stringify(metadata());
    },
    assign(members, cluster) {
      // kafkajs refreshed the leader's metadata just before.
      const { count, current } = membersOf(members, topic, countIn(cluster));
      const assigned = assignPartitions(current, count);
      return (id) => assigned.get(id) ?? [];
    },
  });
}
