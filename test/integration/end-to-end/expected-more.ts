/**
 * The expected records of the streams that are off by default, derived from the truth of the
 * simulated world; shares no code with the program.
 */
import { readFileSync } from 'node:fs';
import { unsigned } from './expected-records.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The part of an account that these streams read. */
export interface TrueAccount {
  readonly id: string;
  readonly page_id: string;
  readonly media: readonly {
    readonly fields: Fields;
    readonly children: readonly Fields[];
    readonly comments: readonly TrueComment[];
  }[];
  /** Media of other users, by the stream that lists them. */
  readonly foreign: Readonly<Record<string, readonly Fields[]>>;
  /** Totals of each day, with its `end_time`. */
  readonly totals: readonly Fields[];
  /** Metric, breakdown, people by value; null or absent where there are too few. */
  readonly audiences: Readonly<
    Record<string, Readonly<Record<string, Readonly<Record<string, number>> | null>>>
  >;
}

const METRICS = [
  ...['views', 'accounts_engaged', 'total_interactions', 'likes', 'comments', 'shares', 'saves'],
  ...['replies', 'reposts', 'profile_links_taps', 'profile_views', 'website_clicks'],
];
const DAY_MS = 86_400_000;
const PACIFIC_DATE = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'America/Los_Angeles',
  dateStyle: 'short',
});

type Entries = readonly (readonly [key: string, value: Fields])[];

function originOf({ id, page_id }: TrueAccount) {
  return { business_account_id: id, page_id };
}

/** Records of daily totals by key, of the days that end after a time. */
export function expectedTotals(account: TrueAccount, afterMs: number): Entries {
  return account.totals.flatMap((day) => {
    const endMs = Date.parse(String(day['end_time']));
    if (endMs <= afterMs) return [];
    const parts = day['follows_and_unfollows'] as Readonly<Record<string, number>>;
    const known = Object.values(parts).some((count) => count > 0);
    const record = {
      ...originOf(account),
      date: endMs,
      day: PACIFIC_DATE.format(endMs - DAY_MS / 2),
      ...Object.fromEntries(METRICS.map((name) => [name, day[name]])),
      follows: known ? parts['FOLLOWER'] : null,
      unfollows: known ? parts['NON_FOLLOWER'] : null,
    };
    const key = `${account.id}/${new Date(endMs).toISOString().replace('.000', '')}`;
    return [[key, record] as const];
  });
}

/** Records of daily breakdowns by key, of all days. */
export function expectedBreakdowns(account: TrueAccount): Entries {
  return account.totals.map((day) => {
    const endMs = Date.parse(String(day['end_time']));
    const known = Object.entries(day['breakdowns'] as Fields).map(
      ([pair, parts]) => [pair.replace(' ', '_by_'), parts] as const,
    );
    const names = schemaFields('user_daily_breakdowns').filter((name) => name.includes('_by_'));
    const record = {
      ...originOf(account),
      date: endMs,
      day: PACIFIC_DATE.format(endMs - DAY_MS / 2),
      ...Object.fromEntries(names.map((name) => [name, null])),
      ...Object.fromEntries(known),
    };
    return [`${account.id}/${new Date(endMs).toISOString().replace('.000', '')}`, record];
  });
}

/** Records of the children of albums by key, with the fields of their schema. */
export function expectedChildren(account: TrueAccount): Entries {
  const names = schemaFields('media_children');
  return account.media.flatMap(({ fields, children }) =>
    children.map((child, index) => [
      String(child['id']),
      {
        ...Object.fromEntries(names.map((name) => [name, publishedValue(name, child[name])])),
        ...originOf(account),
        media_id: fields['id'],
        position: index + 1,
      },
    ]),
  );
}

/** Records of a list of other users' media by key, with the fields of its schema. */
export function expectedForeign(account: TrueAccount, stream: string): Entries {
  const names = schemaFields(stream);
  return (account.foreign[stream] ?? []).map((media) => [
    `${account.id}/${String(media['id'])}`,
    {
      ...Object.fromEntries(names.map((name) => [name, publishedValue(name, media[name])])),
      ...originOf(account),
    },
  ]);
}

/** The names of a record's fields, without the time of the poll. */
export function schemaFields(stream: string): readonly string[] {
  const file = new URL(`../../../avro/${stream}.avsc`, import.meta.url);
  const schema = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly fields: readonly { readonly name: string }[];
  };
  return schema.fields.map(({ name }) => name).filter((name) => name !== 'polled_at');
}

function publishedValue(name: string, value: unknown): unknown {
  if (/^(?:media|thumbnail)_url$/.test(name)) return unsigned(value);
  return name === 'timestamp' ? Date.parse(String(value)) : (value ?? null);
}

/** A comment in the simulator's truth. */
interface TrueComment extends Fields {
  readonly id: string;
  readonly replies: readonly TrueComment[];
}

/** Records of comments and replies by key. */
export function expectedComments(account: TrueAccount): Entries {
  return account.media.flatMap(({ fields, comments }) =>
    comments.flatMap((comment) => [
      commentEntry(comment, { ...originOf(account), media_id: fields['id'], parent_id: null }),
      ...comment.replies.map((reply) =>
        commentEntry(reply, {
          ...originOf(account),
          media_id: fields['id'],
          parent_id: comment.id,
        }),
      ),
    ]),
  );
}

function commentEntry(comment: TrueComment, place: Fields): Entries[number] {
  const { id, text, username, from, like_count: likes } = comment;
  const timestamp = Date.parse(String(comment['timestamp']));
  return [id, { ...place, id, timestamp, text, username, from, like_count: likes, hidden: false }];
}

/** Records of an audience by key. */
export function expectedAudience(account: TrueAccount, metric: string): Entries {
  return ['city', 'country', 'age,gender'].flatMap((breakdown) => {
    const value = account.audiences[metric]?.[breakdown] ?? null;
    const record = { ...originOf(account), metric, breakdown, timeframe: 'this_month', value };
    return value === null ? [] : [[`${account.id}/${breakdown}`, record] as const];
  });
}
