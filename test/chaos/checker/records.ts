import type { StreamName } from '../../integration/end-to-end/expected-records.ts';
import { type Log, type Logged, byKey, contentOf, SNAPSHOTS } from './logged.ts';

/**
 * What was published twice. Of a stream that publishes changes: a record that says the same as the
 * one before it of its key. Of a stream of snapshots: two records of a key from one poll.
 */
export function findDuplicated({ streams }: Log): string[] {
  return [...streams].flatMap(([stream, records]) =>
    [...byKey(records).values()].flatMap((history) => repeated(stream, history)),
  );
}

function repeated(stream: StreamName, history: readonly Logged[]): string[] {
  const says = SNAPSHOTS.has(stream)
    ? ({ poll }: Logged) => poll ?? ''
    : ({ value }: Logged) => contentOf(value);
  return history.flatMap((record, index) => {
    const before = history[index - 1];
    return before !== undefined && says(before) === says(record)
      ? [`${stream} ${record.key}: offset ${record.offset} repeats offset ${before.offset}`]
      : [];
  });
}

/** The comments that were published more than once. */
export function findDuplicatedComments({ comments }: Pick<Log, 'comments'>): string[] {
  return [...byKey(comments)].flatMap(([key, history]) =>
    history.slice(1).map(({ offset }) => `comments ${key}: again at offset ${offset}`),
  );
}

/** Where a key goes back in time: polled before the record in front of it, or in two partitions. */
export function findReordered({ streams }: Log): string[] {
  return [...streams].flatMap(([stream, records]) =>
    [...byKey(records)].flatMap(([key, history]) =>
      history.flatMap((record, index) => {
        const before = history[index - 1];
        if (before === undefined) return [];
        if (before.partition !== record.partition) {
          return [`${stream} ${key}: in partitions ${before.partition} and ${record.partition}`];
        }
        const [last, now] = [before, record].map(({ value }) => Number(value?.['polled_at']));
        return now !== undefined && last !== undefined && now < last
          ? [`${stream} ${key}: offset ${record.offset} was polled before offset ${before.offset}`]
          : [];
      }),
    ),
  );
}
