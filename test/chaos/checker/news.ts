import type { StreamName } from '../../integration/end-to-end/expected-records.ts';
import { type Fields, type Logged, contentOf, SNAPSHOTS } from './logged.ts';

/** The keys that a state tells of for the first time, or anew, and what it says of each, if it does. */
export type News = ReadonlyMap<string, Fields | null>;

/**
 * What a state has that the one before it did not: fingerprints of media and stories, which are taken
 * as they are, stories that had their last record, and days with their values. Null for a stream
 * whose state only counts.
 */
export function newsOf(stream: StreamName, before: Logged | undefined, state: Logged): News | null {
  if (SNAPSHOTS.has(stream)) return null;
  if (stream === 'user_insights') return newDays(before, state);
  const known = fingerprintsOf(before);
  const changed = [...fingerprintsOf(state)].filter(([key, print]) => known.get(key) !== print);
  const keys = [...changed.map(([key]) => key), ...endedStories(before, state)];
  return new Map(keys.map((key) => [key, null]));
}

/**
 * The stories whose last record this state tells of, in place of their fingerprints: those with a new
 * outcome, and those that are forgotten at once because they ended days ago.
 */
function endedStories(before: Logged | undefined, state: Logged): readonly string[] {
  const outcomes = outcomesOf(state);
  const known = outcomesOf(before);
  const ended = [...outcomes].filter(
    ([id, outcome]) => outcome !== null && outcome !== known.get(id),
  );
  const forgotten = [...known].filter(([id, outcome]) => outcome === null && !outcomes.has(id));
  return [...ended, ...forgotten].map(([id]) => id);
}

function outcomesOf(state: Logged | undefined): ReadonlyMap<string, unknown> {
  return new Map(storiesOf(state).map(({ id, outcome }) => [String(id), outcome]));
}

function storiesOf(state: Logged | undefined): readonly Fields[] {
  const stories = state?.value?.['stories'];
  return Array.isArray(stories) ? (stories as readonly Fields[]) : [];
}

/** Whether a state that has these news stands for a record. */
export function tells(news: News | null, record: Logged): boolean {
  if (news === null) return true;
  const said = news.get(record.key);
  if (said === undefined) return false;
  return said === null || valuesOf(said) === valuesOf(record.value ?? {});
}

/** Newest date that a state says was published, epoch milliseconds. */
export function cursorOf(state: Logged): number | null {
  const cursor = state.value?.['cursor'];
  return typeof cursor === 'number' ? cursor : null;
}

const ENTRY_BYTES = 16;

/** Key to fingerprint, 8 bytes each; what was found to have nothing has the fingerprint 0. */
function fingerprintsOf(state: Logged | undefined): Map<string, bigint> {
  const text = state?.value?.['published'];
  const bytes = Buffer.from(typeof text === 'string' ? text : '', 'base64');
  const prints = new Map<string, bigint>();
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const print = bytes.readBigUInt64BE(at + ENTRY_BYTES / 2);
    if (print !== 0n) prints.set(String(bytes.readBigUInt64BE(at)), print);
  }
  return prints;
}

function newDays(before: Logged | undefined, state: Logged): News {
  const account = state.key.slice(state.key.indexOf('/') + 1);
  const known = new Set(daysOf(before).map((day) => contentOf(day)));
  const changed = daysOf(state).filter((day) => !known.has(contentOf(day)));
  return new Map(changed.map((day) => [`${account}/${dateOf(day)}`, day]));
}

function daysOf(state: Logged | undefined): readonly Fields[] {
  const days = state?.value?.['days'];
  return Array.isArray(days) ? (days as readonly Fields[]) : [];
}

function dateOf(day: Fields): string {
  return new Date(Number(day['date'])).toISOString().replace('.000Z', 'Z');
}

/** The values of a day; no hours and an empty map of hours are the same. */
function valuesOf(day: Fields): string {
  const { follower_count, reach, reach_week, reach_days_28, online_followers } = day;
  const hours = online_followers ?? {};
  return contentOf({ follower_count, reach, reach_week, reach_days_28, hours });
}
