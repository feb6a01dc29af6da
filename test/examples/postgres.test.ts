import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '../../sandbox/cluster/readiness.ts';
import { startCluster } from '../../sandbox/cluster/start.ts';
import { startConnect } from '../../sandbox/postgres/connect.ts';
import { type Database, startDatabase } from '../../sandbox/postgres/database.ts';
import { type DecodedRecord, readTopics } from '../../sandbox/topics.ts';
import { streamNames, streams } from '../../src/instagram/streams/index.ts';
import { actualRow, expectedRow, newestByKey, type Row } from './postgres-rows.ts';
import { account, deletedPost, topicOf } from './world.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const histories = ['users', 'media_insights', 'story_insights'] as const;

const stack = new AsyncDisposableStack();
let database: Database;
let topics: ReadonlyMap<string, readonly DecodedRecord[]>;

const recordsOf = (stream: string): readonly DecodedRecord[] => topics.get(topicOf(stream)) ?? [];
const valuesOf = (stream: string) =>
  recordsOf(stream).flatMap(({ value }) => (value === null ? [] : [value]));
const rowsOf = async (sql: string): Promise<readonly Row[]> =>
  (await database.query<Row>(sql)).map(actualRow);

/** Waits until a table has as many rows as its topic has keys, and its newest record. */
async function waitForTable(stream: string, verify: () => Promise<void>): Promise<void> {
  const wanted = [...newestByKey(recordsOf(stream)).values()];
  const newestMs = Math.max(...wanted.map((value) => Number(value['polled_at'])));
  const probe = async (): Promise<boolean> => {
    await verify();
    const rows = await rowsOf(`SELECT polled_at FROM ${stream}`);
    return (
      rows.length === wanted.length &&
      Math.max(...rows.map((r) => Number(r['polled_at']))) === newestMs
    );
  };
  await waitUntil(probe, { subject: `table ${stream}`, timeoutMs: 60_000 });
}

beforeAll(async () => {
  const log = (): void => undefined;
  const cluster = stack.use(await startCluster({ sources: ['environment'], log }));
  database = stack.use(await startDatabase(process.env));
  // Times are UTC in every zone.
  const env = { ...process.env, TZ: 'America/New_York' };
  const connect = stack.use(await startConnect({ cluster, database, env }));
  topics = await readTopics(cluster, streamNames.map(topicOf));
  for (const name of streamNames) await waitForTable(name, () => connect.verify());
}, 600_000);

afterAll(async () => {
  await stack.disposeAsync();
});

describe('PostgreSQL', () => {
  it.each(streamNames)('has the newest record of each key of %s', async (name) => {
    const { key: parts, tracksNodes, author } = streams[name];
    const hasKeyColumn = (tracksNodes || author !== null) && parts.length > 1;
    const expected = [...newestByKey(recordsOf(name))].map(([key, value]) => ({
      ...(hasKeyColumn ? { key } : {}),
      ...expectedRow(value),
    }));
    const key = hasKeyColumn ? ['key'] : parts;
    const sorted = (rows: readonly Row[]) =>
      rows.toSorted((a, b) => (key.map((k) => a[k]).join() < key.map((k) => b[k]).join() ? -1 : 1));

    expect(expected.length).toBeGreaterThan(0);
    expect(sorted(await rowsOf(`SELECT * FROM ${name}`))).toEqual(sorted(expected));
  });

  it.each(histories)('keeps every record of %s', async (name) => {
    const expected = valuesOf(name).map(expectedRow);
    const keys = new Set(expected.map((row) => `${String(row['id'])} ${String(row['polled_at'])}`));
    const rows = await rowsOf(`SELECT * FROM ${name}_history`);

    expect(keys.size).toBe(expected.length);
    expect(rows).toHaveLength(expected.length);
    expect(rows).toEqual(expect.arrayContaining(expected));
  });

  it('deletes the row of a tombstone and keeps its history', async () => {
    const count = async (table: string) =>
      (await rowsOf(`SELECT FROM ${table} WHERE id = '${deletedPost}'`)).length;

    expect(await count('media')).toBe(0);
    expect(await count('media_insights')).toBe(0);
    expect(await count('media_insights_history')).toBeGreaterThan(0);
  });
});

describe('views of PostgreSQL', () => {
  it('followers_by_day has the new followers of a Pacific day and its last count', async () => {
    const rows = await rowsOf(
      `SELECT day, followers, new_followers FROM followers_by_day WHERE business_account_id = '${account}' ORDER BY day`,
    );
    const lastCounts = new Map(
      valuesOf('users')
        .filter(({ id }) => id === account)
        .map((value) => [pacificDay(Number(value['polled_at'])), value['followers_count']]),
    );

    expect(rows.map(({ day, new_followers }) => [day, new_followers])).toEqual([
      ['2026-02-28', 62],
      ['2026-03-01', 87],
      ['2026-03-02', 41],
      ['2026-03-03', 103],
      ['2026-03-04', 5],
      ['2026-03-05', 2],
      ['2026-03-06', 67],
      ['2026-03-07', 135],
      ['2026-03-08', 25],
      ['2026-03-09', null],
    ]);
    expect([...lastCounts.keys()]).toEqual([
      '2026-03-06',
      '2026-03-07',
      '2026-03-08',
      '2026-03-09',
    ]);
    expect(rows.slice(-4).map(({ followers }) => followers)).toEqual([...lastCounts.values()]);
  });

  it('followers_by_day has the change since the day before, where that day has a count', async () => {
    const rows = await rowsOf(
      `SELECT followers, net_change FROM followers_by_day WHERE business_account_id = '${account}' ORDER BY day`,
    );
    const [first, ...later] = rows.slice(-4);

    expect(rows.slice(0, -4).map(({ net_change: change }) => change)).not.toContainEqual(
      expect.any(Number),
    );
    expect(first?.['net_change']).toBeNull();
    expect(later.map(({ net_change: change }) => change)).toEqual(
      later.map(({ followers }, index) => {
        const before = rows.at(-4 + index)?.['followers'];
        return Number(followers) - Number(before);
      }),
    );
  });

  it('final_days has the days that no later record has changed', async () => {
    const rows = await rowsOf(
      'SELECT business_account_id, date, is_final FROM final_days ORDER BY business_account_id, date',
    );
    const days = valuesOf('user_insights').map((value) => ({
      account: value['business_account_id'],
      date: Number(value['date']),
      polledAt: Number(value['polled_at']),
    }));
    // Records of days that were final before.
    const late = days.filter((day) =>
      days.some(
        (other) =>
          other.account === day.account &&
          other.polledAt < day.polledAt &&
          other.date - day.date > 2 * DAY_MS,
      ),
    );
    const newest = Math.max(...days.map(({ date }) => date));

    expect(late).toEqual([]);
    expect(rows).toHaveLength(newestByKey(recordsOf('user_insights')).size);
    expect(rows.map(({ is_final: isFinal }) => isFinal)).toEqual(
      rows.map(({ date }) => newest - Number(date) > 2 * DAY_MS),
    );
  });

  it('first_48_hours has each change of a post until it is two days old', async () => {
    const ages = (await rowsOf(
      'SELECT id, views, extract(epoch FROM age) * 1000 AS age FROM first_48_hours ORDER BY id, age',
    )) as readonly { id: string; views: number; age: number }[];
    const all = valuesOf('media_insights').map((value) => ({
      id: String(value['id']),
      views: value['views'],
      age: Number(value['polled_at']) - Number(value['timestamp']),
    }));
    const young = all.filter(({ age }) => age <= 2 * DAY_MS);
    const published = new Set(young.filter(({ age }) => age < 2 * HOUR_MS).map(({ id }) => id));

    expect(published.size).toBeGreaterThan(10);
    expect(young.length).toBeLessThan(all.length);
    expect(ages).toEqual(
      young.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.age - b.age)),
    );
  });

  it('first_48_hours_by_hour carries the last reading forward, until the last poll', async () => {
    const rows = await rowsOf('SELECT id, hour, reach FROM first_48_hours_by_hour');
    const polledUntil = new Map(
      valuesOf('users').map((value) => [value['id'], Number(value['polled_at'])]),
    );
    const byPost = Map.groupBy(valuesOf('media_insights'), ({ id }) => id);
    const hours = Array.from({ length: 48 }, (_, index) => index + 1);
    const expected = [...byPost].flatMap(([id, readings]) =>
      hours.flatMap((hour) => {
        const [first] = readings;
        const atMs = Number(first?.['timestamp']) + hour * HOUR_MS;
        if (atMs > (polledUntil.get(first?.['business_account_id']) ?? 0)) return [];
        const reading = readings.findLast(({ polled_at: polled }) => Number(polled) <= atMs);
        return reading === undefined ? [] : [{ id, hour, reach: reading['reach'] }];
      }),
    );
    const readings = await rowsOf('SELECT id FROM first_48_hours');

    expect(expected.length).toBeGreaterThan(readings.length);
    const sorted = (all: readonly Row[]) =>
      all.map(({ id, hour, reach }) => `${String(id)} ${String(hour)} ${String(reach)}`).sort();
    expect(sorted(rows)).toEqual(sorted(expected));
  });

  it('best_posting_hour has the averages of the posts of an hour', async () => {
    const rows = await rowsOf(
      `SELECT utc_hour, posts, average_reach, rank FROM best_posting_hour WHERE business_account_id = '${account}'`,
    );
    const reachByHour = Map.groupBy(
      [...newestByKey(recordsOf('media_insights')).values()].filter(
        (value) => value['business_account_id'] === account,
      ),
      (value) => new Date(Number(value['timestamp'])).getUTCHours(),
    );
    const expected = [...reachByHour].map(([hour, posts]) => ({
      utc_hour: hour,
      posts: posts.length,
      average_reach: Math.round(
        posts.reduce((sum, post) => sum + Number(post['reach']), 0) / posts.length,
      ),
    }));

    const better = (reach: number) => expected.filter((row) => row.average_reach > reach).length;

    expect(rows).toHaveLength(expected.length);
    expect(rows).toEqual(
      expect.arrayContaining(
        expected.map((row) => ({ ...row, rank: 1 + better(row.average_reach) })),
      ),
    );
  });

  it('story_finals has the last record of each story that has ended', async () => {
    const rows = await rowsOf('SELECT id, is_final, not_final_reason, views FROM story_finals');
    const last = new Map(valuesOf('story_insights').map((value) => [value['id'], value]));
    const ended = [...last.values()].filter(
      (value) => value['is_final'] === true || value['not_final_reason'] !== null,
    );

    expect(ended.length).toBeGreaterThan(3);
    expect(ended.length).toBeLessThan(last.size);
    expect(rows).toHaveLength(ended.length);
    expect(rows).toEqual(
      expect.arrayContaining(
        ended.map(({ id, is_final, not_final_reason, views }) => ({
          id,
          is_final,
          not_final_reason,
          views,
        })),
      ),
    );
  });

  it('story_exits has the last count of each story, also of those that are gone', async () => {
    const rows = await rowsOf('SELECT id, views, exits FROM story_exits');
    const last = new Map(valuesOf('story_insights').map((value) => [value['id'], value]));

    expect(rows.length).toBeGreaterThan(newestByKey(recordsOf('story_insights')).size);
    expect(rows).toHaveLength(last.size);
    expect(rows).toEqual(
      expect.arrayContaining(
        [...last.values()].map(({ id, views, navigation_actions: actions }) => ({
          id,
          views,
          exits: (actions as Row | null)?.['tap_exit'] ?? null,
        })),
      ),
    );
  });

  it('has a row for each value of a map', async () => {
    const countries = (await rowsOf(
      `SELECT segment, followers FROM follower_demographics WHERE business_account_id = '${account}' AND breakdown = 'country'`,
    )) as readonly { segment: string; followers: number }[];
    const [online] = await rowsOf('SELECT count(*), sum(followers) FROM online_followers');
    const hours = onlineCounts();

    expect(Object.fromEntries(countries.map((row) => [row.segment, row.followers]))).toEqual(
      newestByKey(recordsOf('user_lifetime_insights')).get(`${account}/country`)?.['value'],
    );
    expect(online).toEqual({
      count: hours.length,
      sum: hours.reduce((sum, count) => sum + count, 0),
    });
  });
});

/** Returns the followers online of every hour that is in the newest records. */
function onlineCounts(): readonly number[] {
  return [...newestByKey(recordsOf('user_insights')).values()].flatMap(
    ({ online_followers: map }) => Object.values((map ?? {}) as Readonly<Record<string, number>>),
  );
}

function pacificDay(ms: number): string {
  // Swedish writes a date as ISO does.
  return new Date(ms).toLocaleDateString('sv', { timeZone: 'America/Los_Angeles' });
}
