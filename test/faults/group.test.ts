import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiKeys } from '../support/kafka-frames.ts';
import { mediaBatch, mediaRecord, noSignal } from '../support/kafka-world.ts';
import { type FaultWorld, createFaultWorld, expectOnce } from './fault-world.ts';

const leaveGroup = 13;

const batchOf = (sequence: number, key: string) =>
  mediaBatch('17841', sequence, [mediaRecord(key)]);

function text(value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeInt16BE(Buffer.byteLength(value));
  return Buffer.concat([length, Buffer.from(value)]);
}

/** Removes a member from its group, as a coordinator does after a session without heartbeats. */
async function expel(broker: string, groupId: string, memberId: string): Promise<void> {
  const header = Buffer.from([0, leaveGroup, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
  const body = Buffer.concat([header, text(groupId), text(memberId)]);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  const [host = '', port = ''] = broker.split(':');
  const socket = connect({ host, port: Number(port) });
  socket.write(Buffer.concat([length, body]));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  // After the length and the correlation id: the error code.
  expect(answer.readInt16BE(8)).toBe(0);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(20);
}

describe('instance that its group no longer knows', () => {
  let world: FaultWorld;

  beforeEach(async () => {
    world = await createFaultWorld();
  });

  afterEach(async () => {
    await world[Symbol.asyncDispose]();
  });

  test('joins again when its connection ends during the join, which kafkajs gives up without an error', async () => {
    const timeouts = { sessionTimeoutMs: 6000, heartbeatMs: 300, rebalanceTimeoutMs: 2000 };
    const { group } = await world.openFaulty({ group: timeouts });
    const groupId = `${world.options.transactionalIdPrefix}-instances`;
    const stop = new AbortController();
    let owned: readonly number[] = [];
    const shares: number[] = [];
    const joined = group.join((now) => {
      owned = now;
      shares.push(now.length);
    }, stop.signal);
    await until(() => owned.length === group.partitions);

    const admin = await world.openAdmin();
    const { groups } = await admin.describeGroups([groupId]);
    const cut = world.proxy.inject(apiKeys.joinGroup, 'cut-request');
    await expel(world.cluster.brokers[0] ?? '', groupId, groups[0]?.members[0]?.memberId ?? '');
    await cut.met;
    await until(() => owned.length === 0);
    await until(() => owned.length === group.partitions);

    expect(shares).toEqual([4, 0, 4]);
    stop.abort();
    await joined;
  });

  test('opens no producer, which would fence the new owner, after a session without heartbeats', async () => {
    const timeouts = { sessionTimeoutMs: 6000, heartbeatMs: 300, rebalanceTimeoutMs: 2000 };
    const { group, publisher } = await world.openFaulty({ group: timeouts });
    const stop = new AbortController();
    let owned: readonly number[] = [];
    const joined = group.join((now) => {
      owned = now;
    }, stop.signal);
    await until(() => owned.length === group.partitions);
    world.proxy.setMute(true);
    await until(() => owned.length === 0);
    const next = await world.openReady();
    await next.publisher.publish(batchOf(1, 'a'), noSignal);

    await expect(publisher.publish(batchOf(1, 'late'), noSignal)).rejects.toMatchObject({
      disposition: 'stop-stream',
      code: 'kafka.fenced',
    });

    world.proxy.setMute(false);
    await next.publisher.publish(batchOf(2, 'b'), noSignal);
    stop.abort();
    await joined;
    await expectOnce(world, ['a', 'b']);
  });
});
