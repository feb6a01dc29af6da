import { emptyCheckpoint, type Published, type StreamState, stateKey } from '../../engine/state.ts';
import {
  maxSuppressionEntries,
  type PersonName,
  suppressionName,
} from '../../engine/suppression.ts';
import { suppressionEntry } from '../../instagram/model/suppression-entry.ts';
import { isPerAccount } from '../../engine/stream-name.ts';
import type { TopicFinding } from '../../kafka/index.ts';
import { accountsOf, type Plan, type PlannedWrite, readableState, writeOf } from '../state/plan.ts';
import type { StateSession } from '../state/session.ts';
import { type Authorship, changeTo, rejectState } from '../state/state-change.ts';
import { iso, plural } from '../text.ts';
import { hiddenNames } from './person.ts';
import { peopleStreams, type PersonRecord, searchRecords, type SearchResult } from './search.ts';

export interface ForgetRequest {
  readonly names: readonly PersonName[];
  /** All accounts with a state when absent. */
  readonly accounts?: readonly string[] | undefined;
}

/**
 * Plans `forget`: for each account a tombstone for each record of the person, and the person's
 * entries in the suppression list, in one transaction.
 * @throws StopProcessError `state.invalid` when a list is full or unreadable
 */
export async function planForget(
  session: StateSession,
  { names, accounts = accountsOf(session.stored) }: ForgetRequest,
  author: Authorship,
): Promise<Plan> {
  const { config, kafka, signal } = session;
  if (isPerAccount(config.kafka.topicTemplate)) {
    for (const account of accounts) await kafka.prepareAccount(account, signal);
  }
  const found = await searchRecords(session, names, accounts);
  const writes = accounts.flatMap((accountId) => {
    const key = stateKey(suppressionName, accountId);
    const before = readableState(session, key);
    const published = withPerson(before?.published ?? new Map(), accountId, found.names);
    const records = found.records.filter((record) => record.accountId === accountId);
    const added = published.size - (before?.published.size ?? 0);
    if (added + records.length === 0) return [];
    if (published.size > maxSuppressionEntries) rejectFull(key, published.size);
    return [writeList(session, { accountId, before, published, records }, author)];
  });
  return { writes, notes: notesOf(session, names, found) };
}

/** Plans `forget --undo`: removes a person's entries from the lists. */
export function planUndo(
  session: StateSession,
  { names, accounts = accountsOf(session.stored) }: ForgetRequest,
  author: Authorship,
): Plan {
  const writes = accounts.flatMap((accountId) => {
    const before = readableState(session, stateKey(suppressionName, accountId));
    if (before === null) return [];
    const published = withoutPerson(before.published, accountId, names);
    if (published.size === before.published.size) return [];
    return [writeList(session, { accountId, before, published, records: [] }, author)];
  });
  const notes =
    writes.length === 0
      ? ['No suppression list has this person.']
      : ['The deleted records are published again after `state reset` of its stream and account.'];
  return { writes, notes };
}

/** Adds a person's entries to a list; each maps to the entry of the first name. */
export function withPerson(
  list: Published,
  accountId: string,
  names: readonly PersonName[],
): Published {
  const entries = names.map((name) => suppressionEntry(accountId, name));
  const person = BigInt(entries[0] ?? 0);
  const added = entries.filter((entry) => !list.has(entry));
  return new Map([...list, ...added.map((entry) => [entry, person] as const)]);
}

/** Removes the entries of the names, and those that were added with one of them. */
export function withoutPerson(
  list: Published,
  accountId: string,
  names: readonly PersonName[],
): Published {
  const entries = new Set(names.map((name) => suppressionEntry(accountId, name)));
  const people = new Set(
    [...list].flatMap(([entry, person]) => (entries.has(entry) ? person : [])),
  );
  return new Map([...list].filter(([, person]) => !people.has(person)));
}

/** Lists the accounts with suppressed people, without the people: they are hashed. */
export function listSuppressions(session: StateSession) {
  return accountsOf(session.stored).flatMap((account) => {
    const state = readableState(session, stateKey(suppressionName, account));
    if (state === null) return [];
    const { published, writtenAtMs } = state;
    const people = new Set(published.values()).size;
    return [{ account, people, entries: published.size, written_at: iso(writtenAtMs) }];
  });
}

interface ListChange {
  readonly accountId: string;
  readonly before: StreamState | null;
  readonly published: Published;
  readonly records: readonly PersonRecord[];
}

function writeList(
  session: StateSession,
  { accountId, before, published, records }: ListChange,
  author: Authorship,
): PlannedWrite {
  const id = { stream: suppressionName, accountId };
  const change = changeTo(
    id,
    { ...emptyCheckpoint, published, pause: null },
    { ...author, before },
  );
  const kept = published.size === 0 ? { ...change, after: null } : change;
  const byStream = Map.groupBy(records, ({ role }) => role);
  return {
    ...writeOf(session, kept),
    deletions: records.map((record) => ({ ...record, headers: headersOf(record, author.nowMs) })),
    details: [
      ...[...byStream].map(([role, some]) => `  ${role}: ${plural(some.length, 'tombstone')}`),
      `  entries of the suppression list: ${before?.published.size ?? 0} -> ${published.size}`,
    ],
  };
}

/** Returns the headers of a record's tombstone: those of the record, with this run as its poll. */
function headersOf({ accountId, headers }: PersonRecord, nowMs: number) {
  const kept = Object.entries(headers).filter(([name]) => name !== 'traceparent');
  const poll = `forget/${accountId}/${new Date(nowMs).toISOString()}`;
  return { ...Object.fromEntries(kept), poll };
}

function rejectFull(key: string, entries: number): never {
  return rejectState(
    `${key} would have ${entries} entries, expected at most ${maxSuppressionEntries}. Remove people ` +
      'with --undo, or exclude the stream from STREAMS',
  );
}

/** Describes what the search did not find, and what the tombstones do not delete. */
function notesOf(
  { config }: StateSession,
  names: readonly PersonName[],
  { records, topics, deadLetters, unreadable, hashed, hidden }: SearchResult,
): readonly string[] {
  const searched = topics.map(({ name }) => name).join(', ');
  const none = topics.length === 0 ? 'No topic has records of other people yet.' : '';
  const notFound = `No record of this person was found in ${searched}.`;
  const touched = topics.filter(({ name }) => records.some(({ topic }) => topic === name));
  return [
    ...(none === '' && records.length > 0 ? [] : [none || notFound]),
    ...touched.map(describeDeletion),
    ...[...deadLetters].map(
      ([topic, count]) =>
        `${topic}: ${plural(count, 'dead letter')} may contain what this person wrote; a tombstone ` +
        'does not delete them. They stay until retention.ms, or until kafka-delete-records.sh.',
    ),
    ...[...unreadable].map(
      ([topic, count]) => `${topic}: ${plural(count, 'record')} cannot be decoded: not searched.`,
    ),
    ...[...hashed].map(
      ([topic, count]) =>
        `${topic}: the names in ${plural(count, 'record')} are hashed; they were searched with this ` +
        'FIELDS_HASH_SECRET, and cannot be found with another one.',
    ),
    ...[...hidden].map(
      ([topic, count]) =>
        `${topic}: ${plural(count, 'record')} ${count === 1 ? 'has' : 'have'} no name of their author ` +
        'in clear or hashed: not searched. Give the other of --user and --user-id, or delete the topic.',
    ),
    ...peopleStreams.flatMap((stream) =>
      hiddenNames(stream, names, config.streams[stream.name as keyof typeof config.streams]),
    ),
    'Not searched: texts that mention this person, and replies of others to a deleted comment.',
  ];
}

const unlimited = '9223372036854775807';

/** Describes when Kafka deletes the values of the keys with a tombstone. */
export function describeDeletion({
  name,
  configs,
}: Pick<TopicFinding, 'name' | 'configs'>): string {
  const { 'cleanup.policy': policy, 'max.compaction.lag.ms': lagMs = unlimited } = configs;
  if (policy === undefined) {
    return `${name}: its configs cannot be read; values are deleted only if cleanup.policy is compact.`;
  }
  if (!policy.includes('compact')) {
    const retention = configs['retention.ms'] ?? 'unknown';
    return (
      `${name}: cleanup.policy is ${policy}, so tombstones delete nothing: the values stay until ` +
      `retention.ms (${retention}). Set cleanup.policy=compact.`
    );
  }
  const when =
    lagMs === unlimited
      ? 'which has no time limit: set max.compaction.lag.ms'
      : `at the latest about ${lagMs} ms after the tombstone (max.compaction.lag.ms)`;
  return `${name}: Kafka deletes the values when it compacts the topic, ${when}.`;
}
