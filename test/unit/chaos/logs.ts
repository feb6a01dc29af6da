import type { Fields, Log, Logged } from '../../chaos/checker/logged.ts';
import { type StreamName, STREAM_NAMES } from '../../integration/end-to-end/expected-records.ts';

/** A transaction of a made-up log. */
export interface MadeTransaction {
  readonly stream: StreamName;
  /** Numbers the poll; a second time, the transaction belongs to the same poll. */
  readonly poll: number;
  readonly sequence: number;
  readonly records: Readonly<Record<string, Fields>>;
  /** Of the state, besides its sequence. */
  readonly state?: Fields;
  /** The number of dead letters. */
  readonly deadLetters?: number;
  /** What goes wrong: the transaction's state or its records are in one of their own, or nowhere. */
  readonly broken?: 'state-alone' | 'records-alone' | 'state-first' | 'records-first';
}

export const ACCOUNT = '17841';
const SECOND_MS = 1000;

/** A log in which transaction n begins at second n and is committed half a second later. */
export function logOfTransactions(transactions: readonly MadeTransaction[]): Log {
  const streams = new Map<StreamName, Logged[]>(STREAM_NAMES.map((name) => [name, []]));
  const states: Logged[] = [];
  const deadLetters: Logged[] = [];
  transactions.forEach((transaction, index) => {
    const { records, state, letters } = loggedOf(transaction, index + 1);
    streams.get(transaction.stream)?.push(...records);
    states.push(...state);
    deadLetters.push(...letters);
  });
  return { streams, comments: [], states, deadLetters };
}

function loggedOf(made: MadeTransaction, second: number) {
  const { stream, poll, sequence, records, broken } = made;
  const owner = `${stream}/${ACCOUNT}`;
  const at = (shiftMs: number) => ({
    partition: 0,
    owner,
    poll: `${owner}/${poll}`,
    producer: '7/0',
    sentMs: second * SECOND_MS + shiftMs,
    committedMs: second * SECOND_MS + shiftMs + SECOND_MS / 2,
  });
  const later = SECOND_MS * 0.6;
  const recordTime = at(broken === 'state-first' ? later : 0);
  const stateTime = at(broken === 'records-first' ? later : 0);
  const values = Object.entries(records).map(([key, fields], index) => ({
    ...recordTime,
    offset: BigInt(second * 100 + index),
    key,
    value: { polled_at: poll * SECOND_MS, ...fields },
  }));
  const state = {
    ...stateTime,
    offset: BigInt(second * 100),
    key: owner,
    value: { sequence, ...made.state },
  };
  const letters = Array.from({ length: made.deadLetters ?? 0 }, (_, index) => ({
    ...recordTime,
    offset: BigInt(second * 100 + index),
    key: owner,
    value: { raw: 'bad' },
  }));
  return {
    records: broken === 'state-alone' ? [] : values,
    state: broken === 'records-alone' ? [] : [state],
    letters,
  };
}

/** The published fingerprints of a state, by key. */
export function published(prints: Readonly<Record<string, number>>): Fields {
  const entries = Object.entries(prints).map(([key, print]) => {
    const entry = Buffer.alloc(16);
    entry.writeBigUInt64BE(BigInt(key), 0);
    entry.writeBigUInt64BE(BigInt(print), 8);
    return entry;
  });
  return { published: Buffer.concat(entries).toString('base64') };
}
