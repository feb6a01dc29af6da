import type { Cluster, GroupMember, PartitionAssigner } from 'kafkajs';
import { AssignerProtocol } from '../client/kafkajs.ts';
import { assignPartitions, type Member } from '../../engine/assignment.ts';
import { largest } from '../../engine/extremes.ts';

/** What an instance tells the others when it joins. */
export interface MemberNote {
  /** Its name, for people. */
  readonly instance: string;
  /** How many partitions the state topic had when it started. */
  readonly partitions: number;
  readonly owned: readonly number[];
  /** What it wants for a moment, and no others; absent for an instance. */
  readonly borrows?: readonly number[];
}

/** The longest metadata that is read: an instance that owns 10,000 partitions has 60,000 bytes. */
const maxMetadataBytes = 256 * 1024;

/** Also the name of the group's protocol: a broker lets in only members that share one. */
const name = 'instagram-kafka-sticky';
const version = 1;

/** The note that a member has joined with; undefined for one that this program cannot read. */
export function readNote(metadata: Buffer, topic: string): MemberNote | undefined {
  try {
    const decoded = AssignerProtocol.MemberMetadata.decode(metadata);
    if (!decoded?.topics.includes(topic) || decoded.userData.length > maxMetadataBytes) {
      return undefined;
    }
    const note = JSON.parse(decoded.userData.toString('utf8')) as Partial<MemberNote>;
    const { instance, partitions, owned, borrows } = note;
    if (typeof instance !== 'string' || !isCount(partitions)) return undefined;
    if (!Array.isArray(owned)) return undefined;
    const borrowing = Array.isArray(borrows) ? { borrows: numbersIn(borrows) } : {};
    return { instance, partitions, owned: numbersIn(owned), ...borrowing };
  } catch {
    return undefined;
  }
}

/** No topic has more; a member that says so would have every leader fail to deal partitions out. */
const mostPartitions = 1_000_000;

function isCount(partitions: number | undefined): partitions is number {
  const count = partitions ?? -1;
  return Number.isSafeInteger(count) && count >= 0 && count <= mostPartitions;
}

function numbersIn(list: readonly number[]): readonly number[] {
  return list.filter((one) => Number.isSafeInteger(one) && one >= 0);
}

/**
 * The members that may be assigned something: those that count the partitions as the instance does
 * that was started last.
 *
 * @param partitions - how many the topic has; the metadata of a member that claims more is invalid
 */
function membersOf(members: readonly GroupMember[], topic: string, partitions: number) {
  const noted = members.flatMap(({ memberId, memberMetadata }) => {
    const note = readNote(memberMetadata, topic);
    if (note === undefined || note.partitions > partitions) return [];
    return [{ id: memberId, ...note }];
  });
  const count = largest(
    noted.map((note) => note.partitions),
    0,
  );
  // Partitions can only be added. An instance that does not know of them takes accounts for others'.
  const current: Member[] = noted.filter((note) => note.partitions === count);
  return { count, current };
}

/**
 * Shares the state topic's partitions out so that few change hands. kafkajs has no assigner that
 * keeps what members have.
 *
 * @param note - asked at each join
 * @param onMetadata - told at each join how many partitions the topic has now
 */
export function createAssigner(
  topic: string,
  note: () => MemberNote,
  onMetadata: (partitions: number) => void,
): PartitionAssigner {
  return ({ cluster }: { cluster: Cluster }) => ({
    name,
    version,
    protocol({ topics }) {
      onMetadata(cluster.findTopicPartitionMetadata(topic).length);
      return {
        name,
        metadata: AssignerProtocol.MemberMetadata.encode({
          version,
          topics,
          userData: Buffer.from(JSON.stringify(note()), 'utf8'),
        }),
      };
    },
    assign({ members }) {
      // kafkajs has just refreshed the leader's metadata.
      const partitions = cluster.findTopicPartitionMetadata(topic).length;
      const { count, current } = membersOf(members, topic, partitions);
      const shares = assignPartitions(current, count);
      return Promise.resolve(
        members.map(({ memberId }) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version,
            assignment: { [topic]: [...(shares.get(memberId) ?? [])] },
            userData: Buffer.alloc(0),
          }),
        })),
      );
    },
  });
}
