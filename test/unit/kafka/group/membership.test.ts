import { describe, expect, test } from '@jest/globals';
import { AssignerProtocol, type GroupDescription, type MemberDescription } from 'kafkajs';
import { ownersIn } from '../../../../src/kafka/group/membership.ts';

const topic = 'instagram.state';
const all = [0, 1, 2];

function member(clientId: string, memberAssignment: Buffer): MemberDescription {
  return {
    clientId,
    clientHost: '/10.0.0.1',
    memberId: `${clientId}-1`,
    memberAssignment,
    memberMetadata: Buffer.alloc(0),
  };
}

function given(assignment: Record<string, number[]>): Buffer {
  return AssignerProtocol.MemberAssignment.encode({
    version: 1,
    assignment,
    userData: Buffer.alloc(0),
  });
}

function group(
  state: GroupDescription['state'],
  members: readonly MemberDescription[],
): GroupDescription {
  return {
    groupId: 'x-instances',
    members: [...members],
    protocol: 'one',
    protocolType: 'consumer',
    state,
  };
}

describe('the owners of state partitions', () => {
  test('are the members that the group assigned partitions of the state topic to', () => {
    const found = group('Stable', [
      member('a', given({ [topic]: [0, 2], other: [1] })),
      member('b', given({ other: [0] })),
      member('c', Buffer.alloc(0)),
    ]);

    expect(ownersIn(found, topic, all)).toEqual([
      { partition: 0, name: 'a at /10.0.0.1' },
      { partition: 2, name: 'a at /10.0.0.1' },
    ]);
  });

  test('cover every partition during a rebalance, because any member may own it', () => {
    const found = group('PreparingRebalance', [member('a', Buffer.alloc(0))]);

    expect(ownersIn(found, topic, all).map(({ partition }) => partition)).toEqual(all);
  });

  test('are none when the group does not exist', () => {
    expect(ownersIn(group('Dead', []), topic, all)).toEqual([]);
  });
});
