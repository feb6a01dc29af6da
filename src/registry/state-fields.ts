import type { Node } from '../engine/json.ts';
import type {
  CommentsReading,
  DayTotals,
  DayValues,
  Pause,
  Rejection,
  RememberedStory,
  SearchedHashtag,
  StreamState,
} from '../engine/state.ts';

/** The Avro names of an object's fields, by their names in memory. */
type AvroNames<T> = Readonly<Record<keyof T & string, string>>;

export const stateNames = {
  stream: 'stream',
  accountId: 'account_id',
  cursorMs: 'cursor',
  coveredUntilMs: 'covered_until',
  polledMs: 'last_poll',
  convertedMs: 'converted_at',
  truncationSuspectedMs: 'doubted_at',
  sequence: 'sequence',
  writtenAtMs: 'written_at',
  writtenBy: 'written_by',
} as const satisfies Partial<AvroNames<StreamState>>;

export const dayNames: AvroNames<DayValues> = {
  dateMs: 'date',
  followerCount: 'follower_count',
  reach: 'reach',
  reachWeek: 'reach_week',
  reachDays28: 'reach_days_28',
  onlineFollowers: 'online_followers',
};

export const totalsNames: AvroNames<DayTotals> = { dateMs: 'date', values: 'values' };

export const rejectionNames: AvroNames<Rejection> = {
  subject: 'subject',
  metric: 'metric',
  reason: 'reason',
  untilMs: 'until',
  missingFromMs: 'missing_from',
};

export const hashtagNames: AvroNames<SearchedHashtag> = {
  name: 'name',
  id: 'id',
  countedMs: 'counted_at',
};

export const readingNames: AvroNames<CommentsReading> = {
  mediaId: 'media_id',
  after: 'after',
  published: 'published',
  newestMs: 'newest',
  oldestMs: 'oldest',
};

export const pauseNames: AvroNames<Pause> = { sinceMs: 'since', untilMs: 'until' };

export const storyNames: AvroNames<RememberedStory> = {
  id: 'id',
  createdMs: 'created',
  readMs: 'read',
  values: 'values',
  actions: 'actions',
  fewViewers: 'few_viewers',
  outcome: 'outcome',
  untilMs: 'until',
};

/** Returns the Avro fields of an object; an absent value is null. */
export function toAvro<T extends object>(names: AvroNames<T>, object: T): Record<string, unknown> {
  const fields = Object.entries<string>(names);
  return Object.fromEntries(fields.map(([own, avro]) => [avro, object[own as keyof T] ?? null]));
}

/** Returns the object of a decoded record, whose types the reader's schema guarantees. */
export function fromAvro<T>(names: AvroNames<T>, record: Node): T {
  const fields = Object.entries<string>(names);
  return Object.fromEntries(fields.map(([own, avro]) => [own, record[avro]])) as T;
}
