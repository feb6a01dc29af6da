import type { StreamName } from '../../integration/end-to-end/expected-records.ts';

/** Fields of a decoded value. */
export type Fields = Readonly<Record<string, unknown>>;

/** A committed record of a topic, as the checker looks at it. */
export interface Logged {
  /** Orders the records of a partition. */
  readonly offset: bigint;
  readonly partition: number;
  readonly key: string;
  /** Null is a tombstone. */
  readonly value: Fields | null;
  /** Of the headers: `<stream>/<account id>`, as states are keyed. */
  readonly owner: string;
  /** Of the headers; a state without records has none. */
  readonly poll: string | undefined;
  /** Producer id and epoch. */
  readonly producer: string;
  readonly sentMs: number;
  /** When the marker of its transaction was written. */
  readonly committedMs: number;
}

/** Everything that a `read_committed` reader sees, topic by topic. */
export interface Log {
  readonly streams: ReadonlyMap<StreamName, readonly Logged[]>;
  /** The stream comments, of which each record is published once. */
  readonly comments: readonly Logged[];
  readonly states: readonly Logged[];
  readonly deadLetters: readonly Logged[];
}

/** What was promised and not kept, one line each. */
export interface Findings {
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  readonly reordered: readonly string[];
  readonly state_ahead: readonly string[];
  readonly state_behind: readonly string[];
}

/** Streams of which every poll publishes everything; all others publish changes alone. */
export const SNAPSHOTS: ReadonlySet<StreamName> = new Set(['users', 'user_lifetime_insights']);

/** By key, in the order of the log. */
export function byKey(records: readonly Logged[]): Map<string, readonly Logged[]> {
  return Map.groupBy(
    records.toSorted((a, b) => a.partition - b.partition || Number(a.offset - b.offset)),
    ({ key }) => key,
  );
}

/** What a value says, as a text: without the time of its poll and the signatures of its URLs. */
export function contentOf(value: Fields | null): string {
  return JSON.stringify(value, (name: string, inner: unknown) => {
    if (name === 'polled_at') return undefined;
    if (name.endsWith('_url') && typeof inner === 'string') return inner.split('?', 1)[0];
    // Maps come in any order.
    return typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  });
}
