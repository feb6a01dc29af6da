import { describe, expect, test } from '@jest/globals';
import type { Cluster } from 'kafkajs';
import { AssignerProtocol } from '../../../../src/kafka/client/kafkajs.ts';
import { createAssignor, type MemberMetadata } from '../../../../src/kafka/group/assignor.ts';

const topic = 't.state';

function memberOf(memberId: string, note: Partial<MemberMetadata> & { readonly padding?: string }) {
  const full = { instance: memberId, owned: [], ...note };
  const memberMetadata = AssignerProtocol.MemberMetadata.encode({
    version: 1,
    topics: [topic],
    userData: Buffer.from(JSON.stringify(full), 'utf8'),
  });
  return { memberId, memberMetadata };
}

/** Each member's partitions of a topic that has `partitions`. */
async function assigned(partitions: number, members: readonly ReturnType<typeof memberOf>[]) {
  const cluster = {
    findTopicPartitionMetadata: () => Array.from({ length: partitions }, () => ({})),
  } as unknown as Cluster;
  const note = { instance: 'leader', partitions, owned: [] };
  const assignor = createAssignor(
    topic,
    () => note,
    () => undefined,
  )({ cluster } as never);
  const assignment = await assignor.assign({ members: [...members], topics: [topic] });
  return Object.fromEntries(
    assignment.map(({ memberId, memberAssignment }) => [
      memberId,
      AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[topic] ?? [],
    ]),
  );
}

describe('the group assignor', () => {
  test.each([[2 ** 40], [2 ** 53 - 1], [5]])(
    'ignores a member that claims %p partitions of a topic with four',
    async (claimed) => {
      const members = [memberOf('a', { partitions: 4 }), memberOf('b', { partitions: claimed })];

      expect(await assigned(4, members)).toEqual({ a: [0, 1, 2, 3], b: [] });
    },
  );

  test('assigns partitions that were added to the topic to members that know of them', async () => {
    const members = [memberOf('a', { partitions: 4 }), memberOf('b', { partitions: 2 })];

    expect(await assigned(4, members)).toEqual({ a: [0, 1, 2, 3], b: [] });
  });

  test('ignores a member whose metadata exceeds 256 KiB', async () => {
    const padding = 'x'.repeat(256 * 1024);
    const members = [memberOf('a', { partitions: 2 }), memberOf('b', { partitions: 2, padding })];

    expect(await assigned(2, members)).toEqual({ a: [0, 1], b: [] });
  });
});
