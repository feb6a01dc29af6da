import { describe, expect, test } from '@jest/globals';
import { AssignerProtocol, type GroupDescription, type MemberDescription } from 'kafkajs';
import { createShutdownBudget } from '../../../../src/engine/shutdown-budget.ts';
import type { TelemetryEvent } from '../../../../src/engine/ports.ts';
import { createGroup, ownersIn } from '../../../../src/kafka/group/membership.ts';
import { createHealth, createLayout, type KafkaBase } from '../../../../src/kafka/shared.ts';

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

test('Kafka is not ready while the group is lost, also after the lost partitions are released', async () => {
  const events: TelemetryEvent[] = [];
  const telemetry = { report: (event: TelemetryEvent) => events.push(event) };
  const health = createHealth(telemetry);
  const options = {
    brokers: ['127.0.0.1:1'],
    security: { tls: null, sasl: null, principal: () => 'User:ANONYMOUS' },
    clientId: 'test',
    topicTemplate: 't.{stream}',
    transactionalIdPrefix: 'test',
    sendDeadlineMs: 3000,
    connectionTimeoutMs: 1000,
    group: { sessionTimeoutMs: 1000, heartbeatMs: 300, rebalanceTimeoutMs: 1000 },
    instance: 'test',
  };
  const state = { name: 't.state', leaders: [1], maxBatchBytes: 1000 };
  const shutdown = createShutdownBudget(1000, () => performance.now());
  const base = {
    options,
    dependencies: { telemetry, log: () => undefined, shutdown },
    health,
    layout: () => createLayout('t.{stream}', [state]),
  } as unknown as KafkaBase;
  const stop = new AbortController();
  const isLost = () => events.some((event) => event.type === 'dependency' && !event.ready);
  const membership = createGroup(base).join(() => undefined, stop.signal);
  while (!isLost()) await new Promise((resolve) => setTimeout(resolve, 20));
  health.down('partition 0', 'away');
  health.up('partition 0');

  const kafka = events.filter((event) => event.type === 'dependency' && event.name === 'kafka');
  expect(kafka).toEqual([
    expect.objectContaining({ ready: false, reason: expect.stringContaining('ECONNREFUSED') }),
  ]);
  shutdown.beginWith(stop.signal);
  stop.abort();
  await membership;
}, 20_000);
