import { emptyCheckpoint } from '../../../../src/engine/state.ts';
import { describe, expect, test } from '@jest/globals';
import type { Batch, OutgoingRecord } from '../../../../src/engine/ports.ts';
import { createLayout } from '../../../../src/kafka/shared.ts';
import { placeRecords, planRequests } from '../../../../src/kafka/producer/produce-requests.ts';

const one = 1_048_588;

function layoutOf(mediaLeaders: number[], stateLeaders: number[], mediaLimit = one) {
  return createLayout('t.{stream}', [
    { name: 't.media', leaders: mediaLeaders, maxBatchBytes: mediaLimit },
    { name: 't.state', leaders: stateLeaders, maxBatchBytes: one },
  ]);
}

function recordOf(key: string, bytes = 10): OutgoingRecord {
  return { role: 'media', key, value: Buffer.alloc(bytes), headers: { poll: 'p1' } };
}

function batchOf(records: readonly OutgoingRecord[]): Batch {
  return {
    account: { id: '17841', pageId: null, username: null },
    records,
    state: {
      stream: 'media',
      accountId: '17841',
      sequence: 1,
      writtenAtMs: 0,
      writtenBy: 'test',
      pause: null,
      ...emptyCheckpoint,
    },
  };
}

const state = Buffer.from('state');

function sizes(records: readonly OutgoingRecord[], layout = layoutOf([1], [1])): number[] {
  return planRequests(placeRecords(batchOf(records), state, layout), layout).map(
    (send) => send.records.length,
  );
}

describe('placeRecords', () => {
  test('places the state last, in the partition of its account, with the headers of the poll', () => {
    const placed = placeRecords(batchOf([recordOf('a')]), state, layoutOf([1, 1, 1], [1, 1, 1, 1]));
    expect(placed.at(-1)).toEqual({
      role: 'state',
      topic: 't.state',
      partition: 2,
      key: 'media/17841',
      value: state,
      headers: { stream: 'media', account: '17841', partitions: '4', poll: 'p1' },
      bytes: 128,
    });
  });

  test('places a record by the text of its key, whatever the bytes of an Avro key', () => {
    const layout = layoutOf([1, 1, 1, 1], [1]);
    const records = ['a', 'b', 'c', 'd'].map((key) => recordOf(key));
    const avro = records.map((record) => ({ ...record, keyBytes: Buffer.alloc(9) }));
    const partitions = [records, avro].map((some) =>
      placeRecords(batchOf(some), state, layout).map(({ partition }) => partition),
    );
    expect(partitions[1]).toEqual(partitions[0]);
  });

  test('writes the format of Avro keys into the header of the state', () => {
    const topics = ['t.media', 't.state'].map((name) => ({
      name,
      leaders: [1],
      maxBatchBytes: one,
    }));
    const layout = createLayout('t.{stream}', topics, 'avro');
    const placed = placeRecords(batchOf([]), state, layout);
    expect(placed.at(-1)?.headers).toMatchObject({ keys: 'avro', partitions: '1' });
  });

  test('rejects a record above the limit of its topic, and names its key', () => {
    const layout = layoutOf([1], [1], 10_000);
    expect(() => placeRecords(batchOf([recordOf('big', 9900)]), state, layout)).toThrow(
      'The record big needs a record batch of 10151 bytes, above the limit of 10000; ' +
        'raise max.message.bytes of t.media.',
    );
  });

  test('rejects a state above the limit of its topic as an error of the stream', () => {
    const layout = layoutOf([1], [1]);
    expect(() => placeRecords(batchOf([]), Buffer.alloc(1_100_000), layout)).toThrow(
      /^The state media\/17841 needs a record batch of/,
    );
  });
});

describe('planRequests', () => {
  test('puts one record and its state into one request', () => {
    expect(sizes([recordOf('a')])).toEqual([2]);
  });

  test('puts thousands of small records into one request', () => {
    const records = Array.from({ length: 5000 }, (_, index) => recordOf(String(index)));
    expect(sizes(records)).toEqual([5001]);
  });

  test('puts at most 900,000 bytes into one request', () => {
    const records = Array.from({ length: 5 }, (_, index) => recordOf(String(index), 400_000));
    expect(sizes(records)).toEqual([2, 2, 2]);
  });

  test('puts a record above 900,000 bytes into its own request when the topic accepts it', () => {
    const layout = layoutOf([1], [1], 5_000_000);
    expect(sizes([recordOf('a'), recordOf('b', 2_000_000), recordOf('c')], layout)).toEqual([
      1, 1, 2,
    ]);
  });

  test('keeps the record batch of a partition below the limit of its topic', () => {
    const records = Array.from({ length: 4 }, (_, index) => recordOf(String(index), 4000));
    expect(sizes(records, layoutOf([1], [1], 10_000))).toEqual([2, 3]);
  });

  test('plans one request for each leader', () => {
    const layout = layoutOf([1, 2], [2]);
    const records = Array.from({ length: 20 }, (_, index) => recordOf(String(index)));
    const sends = planRequests(placeRecords(batchOf(records), state, layout), layout);
    const leaders = sends.map((send) => [
      send.leader,
      [...new Set(send.records.map(({ topic, partition }) => `${topic}/${String(partition)}`))],
    ]);
    expect(Object.fromEntries(leaders)).toEqual({
      1: ['t.media/0'],
      2: ['t.media/1', 't.state/0'],
    });
  });
});
