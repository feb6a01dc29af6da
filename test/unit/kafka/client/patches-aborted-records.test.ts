import { describe, expect, test } from '@jest/globals';
import {
  type FetchedMessage,
  type FetchedPartition,
  hideAborted,
} from '../../../../src/kafka/client/patches.ts';

const commit = Buffer.from([0, 0, 0, 1]);
const abort = Buffer.from([0, 0, 0, 0]);

function message(offset: number, producerId: string, inTransaction = true): FetchedMessage {
  const key = Buffer.from(String(offset));
  return {
    offset: String(offset),
    key,
    batchContext: { producerId, inTransaction },
    isControlRecord: false,
  };
}

function marker(offset: number, producerId: string, key: Buffer): FetchedMessage {
  return { ...message(offset, producerId), key, isControlRecord: true };
}

/** The offsets that a consumer receives. */
function shown(
  messages: readonly FetchedMessage[],
  abortedTransactions: FetchedPartition['abortedTransactions'],
): readonly string[] {
  const partition = { messages, abortedTransactions };
  hideAborted(partition);
  expect(partition.abortedTransactions).toEqual([]);
  return messages.filter(({ isControlRecord }) => !isControlRecord).map(({ offset }) => offset);
}

describe('hideAborted', () => {
  test('hides overlapping aborted transactions that are listed in the order of their ends', () => {
    const messages = [
      message(0, 'a'),
      message(1, 'b'),
      message(2, 'a'),
      marker(3, 'b', abort),
      marker(4, 'a', abort),
      message(5, 'a'),
      marker(6, 'a', commit),
    ];
    const aborted = [
      { producerId: 'b', firstOffset: '1' },
      { producerId: 'a', firstOffset: '0' },
    ];

    expect(shown(messages, aborted)).toEqual(['5']);
  });

  test('hides the transactions that began before the fetch offset, from the first message on', () => {
    const messages = [message(7, 'b'), message(8, 'a'), message(9, 'c'), marker(10, 'a', abort)];
    const aborted = [
      { producerId: 'a', firstOffset: '2' },
      { producerId: 'b', firstOffset: '1' },
    ];

    expect(shown(messages, aborted)).toEqual(['9']);
  });

  test('shows records outside a transaction when their producer aborts one', () => {
    const messages = [message(0, 'a'), message(1, 'a', false), marker(2, 'a', abort)];

    expect(shown(messages, [{ producerId: 'a', firstOffset: '0' }])).toEqual(['1']);
  });

  test('shows every record when no transaction was aborted', () => {
    expect(shown([message(0, 'a'), marker(1, 'a', commit)], [])).toEqual(['0']);
  });
});
