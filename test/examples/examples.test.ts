import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { waitUntil } from '../../sandbox/cluster/readiness.ts';
import { type Cluster, startCluster } from '../../sandbox/cluster/start.ts';
import { type DecodedRecord, readTopics } from '../../sandbox/topics.ts';
import { streamNames } from '../../src/instagram/streams/index.ts';
import { newestByKey } from './postgres-rows.ts';
import { runExample, startExample } from './run-example.ts';
import { topicOf } from './world.ts';

const FIRST_HOURS_MS = 48 * 3_600_000;
const RUNNING_MS = 400_000;
jest.setTimeout(600_000);

type Value = NonNullable<DecodedRecord['value']>;
/** A row of `first_48_hours`: id, age in minutes, views, reach, interactions. */
type Reading = readonly unknown[];

let cluster: Cluster;
let topics: ReadonlyMap<string, readonly DecodedRecord[]>;

const recordsOf = (stream: string): readonly DecodedRecord[] => topics.get(topicOf(stream)) ?? [];
const newestOf = (stream: string): ReadonlyMap<string, Value> => newestByKey(recordsOf(stream));

beforeAll(async () => {
  const log = (): void => undefined;
  cluster = await startCluster({ sources: ['environment'], log });
  topics = await readTopics(cluster, streamNames.map(topicOf));
});

describe('the newest value of each media', () => {
  /** Returns the likes of each media that has not been deleted, by its key. */
  function expectedLikes(): readonly unknown[] {
    const newest = [...newestOf('media')];
    expect(newest.length).toBeGreaterThan(20);
    expect(newest.length).toBeLessThan(recordsOf('media').length);
    return newest.map(([key, { like_count: likes }]) => [key, likes]).sort();
  }

  /** Parses lines such as `17841… {"like_count": 5}`. */
  function likesOf(lines: readonly string[]): readonly unknown[] {
    return lines
      .map((line) => {
        const [key = ''] = line.split(' ', 1);
        return [key, (JSON.parse(line.slice(key.length)) as Value)['like_count']];
      })
      .sort();
  }

  it('is printed by the consumer in Python', async () => {
    const lines = await runExample('python');
    const records = lines.map((line) => JSON.parse(line) as { key: string; value: Value });

    expect(records.map(({ key, value }) => [key, value['like_count']]).sort()).toEqual(
      expectedLikes(),
    );
  });

  it('is printed by the consumer in Go', async () => {
    expect(likesOf(await runExample('go'))).toEqual(expectedLikes());
  });

  it("is printed by the consumer in Java with Apicurio's deserializer", async () => {
    expect(likesOf(await runExample('java'))).toEqual(expectedLikes());
  });

  it('is counted per account by Flink', async () => {
    const rows = rowsOfFlink(await runExample('flink'));
    // The last change of an account is its result.
    const found = new Map(rows.map(([account, media, likes]) => [account, [media, likes]]));
    const expected = [...byAccount('media')].map(
      ([account, media]) => [account, [media.length, sumOf(media, 'like_count')]] as const,
    );

    expect(found).toEqual(new Map(expected));
  });
});

describe('the first 48 hours of each post', () => {
  function expectedReadings(): readonly Reading[] {
    const readings = recordsOf('media_insights').flatMap(({ value }): Reading[] => {
      if (value === null) return [];
      const ageMs = Number(value['polled_at']) - Number(value['timestamp']);
      if (ageMs > FIRST_HOURS_MS) return [];
      const { id, views, reach, total_interactions: interactions } = value;
      return [[id, Math.floor(ageMs / 60_000), views, reach, interactions]];
    });
    expect(readings.length).toBeGreaterThan(100);
    expect(readings.length).toBeLessThan(recordsOf('media_insights').length);
    return sortReadings(readings);
  }

  function sortReadings(readings: readonly Reading[]): readonly Reading[] {
    return readings.toSorted(
      ([a, x], [b, y]) => String(a).localeCompare(String(b)) || Number(x) - Number(y),
    );
  }

  it('are printed by Flink', async () => {
    const rows = rowsOfFlink(await runExample('flink', { args: ['first-48-hours.sql'] }));

    expect(sortReadings(rows)).toEqual(expectedReadings());
  });

  it('are printed by DuckDB', async () => {
    const [header, ...lines] = await runExample('python', { args: ['first_48_hours.py'] });
    const rows = lines.map((line) => {
      const [id, ...counts] = line.split(',');
      return [id, ...counts.map(countOf)];
    });

    expect(header).toBe('id,age_minutes,views,reach,total_interactions');
    expect(sortReadings(rows)).toEqual(expectedReadings());
  });

  it('are none in an empty topic: DuckDB and ClickHouse', async () => {
    const empty = 'instagram.dead-letters';
    const header = 'id,age_minutes,views,reach,total_interactions';

    expect(await runExample('python', { args: ['first_48_hours.py', empty] })).toEqual([header]);
    expect(await runExample('clickhouse', { args: [empty] })).toEqual([]);
  });

  it('are printed by ClickHouse', async () => {
    const rows = (await runExample('clickhouse')).map((line) => {
      const row = JSON.parse(line) as Value;
      return ['id', 'age_minutes', 'views', 'reach', 'total_interactions'].map((name) => row[name]);
    });

    expect(sortReadings(rows)).toEqual(expectedReadings());
  });
});

describe('Kafka Streams', () => {
  it('publishes the followers and the interactions of each account', async () => {
    const media = byAccount('media_insights');
    const expected = new Map(
      [...newestOf('users')].map(([account, { username, followers_count: followers }]) => [
        account,
        {
          username,
          followers,
          interactions: sumOf(media.get(account) ?? [], 'total_interactions'),
        },
      ]),
    );
    // Kafka Streams keeps its stores in the folder for temporary files.
    const directory = await mkdtemp(join(tmpdir(), 'example-streams-'));
    const env = { JDK_JAVA_OPTIONS: `-Djava.io.tmpdir=${directory}` };
    await using streams = await startExample('streams', { env });

    expect(await readEngagement(expected, streams.check)).toEqual(expected);
  });

  /** Reads the committed results until they are the expected ones, or for the longest time. */
  async function readEngagement(
    expected: ReadonlyMap<string, unknown>,
    check: () => void,
  ): Promise<ReadonlyMap<string, unknown>> {
    const kafka = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const isThere = async () => (await admin.listTopics()).includes('engagement');
    await waitUntil(isThere, { subject: 'topic engagement', timeoutMs: RUNNING_MS, check });
    await admin.disconnect();
    const consumer = kafka.consumer({ groupId: 'example-streams' });
    await consumer.connect();
    await consumer.subscribe({ topic: 'engagement', fromBeginning: true });
    const found = new Map<string, unknown>();
    await consumer.run({
      eachMessage: ({ message: { key, value } }) => {
        found.set(String(key), JSON.parse(String(value)));
        return Promise.resolve();
      },
    });
    const isFound = () => Promise.resolve(isDeepStrictEqual(found, expected));
    await waitUntil(isFound, { subject: 'the result', timeoutMs: RUNNING_MS, check });
    await consumer.disconnect();
    return found;
  }
});

describe('the Iceberg sink', () => {
  it('appends every record of every stream to a table', async () => {
    const warehouse = await mkdtemp(join(tmpdir(), 'example-iceberg-'));
    const env = { WAREHOUSE: warehouse, CONNECT_LISTENER: 'http://127.0.0.1:0' };
    const counts = streamNames.map((name) => {
      const records = recordsOf(name).filter(({ value }) => value !== null);
      return [topicOf(name).replace('instagram.', ''), records.length] as const;
    });
    // The sink creates a table with its first record.
    const expected = new Map(counts.filter(([, records]) => records > 0));
    await using sink = await startExample('iceberg', { env });
    let found: ReadonlyMap<string, number> = new Map();
    const isComplete = async () => {
      found = await countRows(env);
      return [...expected].every(([table, rows]) => found.get(table) === rows);
    };
    const { check } = sink;
    await waitUntil(isComplete, { subject: 'Iceberg', timeoutMs: RUNNING_MS, check });

    expect(found).toEqual(expected);
  });

  async function countRows(env: Record<string, string>): Promise<ReadonlyMap<string, number>> {
    const lines = await runExample('iceberg', { script: 'count.sh', env });
    const rows = lines.map((line) => JSON.parse(line) as { table: string; rows: number });
    return new Map(rows.map(({ table, rows: count }) => [table, count]));
  }
});

describe('an example whose topic does not exist', () => {
  const missing = 'instagram.nothing';

  it.each(['python', 'go', 'java', 'clickhouse'])('fails and names the topic: %s', async (name) => {
    await expect(runExample(name, { args: [missing] })).rejects.toThrow(reportOf(missing));
  });

  it('fails and names the topic: DuckDB', async () => {
    const run = runExample('python', { args: ['first_48_hours.py', missing] });

    await expect(run).rejects.toThrow(reportOf(missing));
  });

  it('fails and names the topic: Kafka Streams', async () => {
    const run = runExample('streams', { args: [missing] });

    await expect(run).rejects.toThrow(reportOf(`${missing}.users`));
  });

  it('fails and names the topic: Flink', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'example-flink-'));
    const file = join(directory, 'missing.sql');
    const sql = await readFile(join(import.meta.dirname, '../../examples/flink/media.sql'), 'utf8');
    await writeFile(file, sql.replace('instagram.media', missing));

    await expect(runExample('flink', { args: [file] })).rejects.toThrow(missing);
  });

  function reportOf(topic: string): RegExp {
    return new RegExp(`${topic.replaceAll('.', '[.]')}: .*(no such topic|unknown.topic)`, 'i');
  }
});

/** Returns the newest values of a stream by their account. */
function byAccount(stream: string): ReadonlyMap<string, readonly Value[]> {
  return Map.groupBy(newestOf(stream).values(), (value) => String(value['business_account_id']));
}

function sumOf(values: readonly Value[], field: string): number {
  return values.reduce((sum, value) => sum + Number(value[field] ?? 0), 0);
}

/** Returns the id and the counts of each row that Flink prints. */
function rowsOfFlink(lines: readonly string[]): readonly (readonly unknown[])[] {
  return lines
    .filter((line) => line.startsWith('| +'))
    .map((line) => {
      const [id = '', ...counts] = line.split('|').slice(2, -1);
      return [id.trim(), ...counts.map((cell) => countOf(cell.trim()))];
    });
}

function countOf(text: string): number | null {
  return text === '' || text === '<NULL>' ? null : Number(text);
}
