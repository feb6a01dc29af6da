import { inspect, isDeepStrictEqual } from 'node:util';
import { truthOf } from '../sandbox/graph-api/truth.ts';
import type { World } from '../sandbox/graph-api/world.ts';
import type { Account } from '../sandbox/graph-api/world/model.ts';
import { type DecodedRecord, readTopics } from '../sandbox/topics.ts';
import { streams } from '../src/instagram/streams/index.ts';
import { comparable } from '../test/integration/end-to-end/deployment.ts';
import {
  type Truth,
  expectedRecords,
  STREAM_NAMES,
} from '../test/integration/end-to-end/expected-records.ts';

/** Addresses of the program's topics. */
export interface RecordAddresses {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly topicTemplate: string;
}

type Stream = (typeof STREAM_NAMES)[number];
type RecordFields = Readonly<Record<string, unknown>>;
type NewestRecords = ReadonlyMap<Stream, ReadonlyMap<string, DecodedRecord>>;

/** Returns the last record of every key, by stream. */
async function readNewest(at: RecordAddresses): Promise<NewestRecords> {
  const topicOf = (name: Stream) => at.topicTemplate.replace('{stream}', name.replaceAll('_', '-'));
  const topics = await readTopics(at, STREAM_NAMES.map(topicOf));
  return new Map(
    STREAM_NAMES.map((name) => {
      const records = topics.get(topicOf(name)) ?? [];
      return [name, new Map(records.map((record) => [record.key, record]))];
    }),
  );
}

/** Counts the records that some streams have published. */
export async function countRecords(at: RecordAddresses, names: readonly Stream[]): Promise<number> {
  const topicOf = (name: Stream) => at.topicTemplate.replace('{stream}', name.replaceAll('_', '-'));
  const topics = await readTopics(at, names.map(topicOf));
  return [...topics.values()].reduce((sum, records) => sum + records.length, 0);
}

/** Throws unless the last record of every key in the world equals the result of a full refresh. */
export async function compareWithTruth(
  at: RecordAddresses,
  world: World,
  { startDate, login }: { readonly startDate: string; readonly login: 'facebook' | 'instagram' },
): Promise<void> {
  const newest = await readNewest(at);
  const expected = expectedRecords(truthOf(world) as unknown as Truth, startDate);
  let count = 0;
  for (const name of STREAM_NAMES) {
    const wrong = [...expected[name]].flatMap(([key, truth]) => {
      const fields = login === 'facebook' ? truth : withoutFacebook(truth);
      const found = newest.get(name)?.get(key)?.value ?? null;
      return found === null ? [`${key} is missing`] : differencesOf(key, found, fields);
    });
    if (wrong.length > 0) {
      const examples = wrong.slice(0, 3).join('; ');
      throw new Error(
        `${name}: ${wrong.length} differences in ${expected[name].size}: ${examples}`,
      );
    }
    count += expected[name].size;
  }
  console.log(`  in Kafka: all ${count} records as a full refresh would bring them`);
}

/** Describes each field of a record that differs from a full refresh. */
function differencesOf(key: string, value: RecordFields, expected: RecordFields): string[] {
  const found = known(comparable(value), expected);
  const names = new Set([...Object.keys(found), ...Object.keys(expected)]);
  return [...names]
    .filter((name) => !isDeepStrictEqual(found[name], expected[name]))
    .map(
      (name) => `${name} of ${key} is ${inspect(found[name])}, expected ${inspect(expected[name])}`,
    );
}

/** Fields that Instagram Login lacks: the page, clicks on links, and what the streams declare. */
const facebookOnly: ReadonlySet<string> = new Set([
  'page_id',
  'link_clicks',
  ...Object.values(streams).flatMap(({ request }) =>
    'facebookOnly' in request ? (request.facebookOnly ?? []) : [],
  ),
]);

function withoutFacebook(fields: RecordFields): RecordFields {
  const missing = [...facebookOnly].filter((name) => name in fields);
  return { ...fields, ...Object.fromEntries(missing.map((name) => [name, null])) };
}

/**
 * Removes fields from a record that a refresh no longer returns: some metrics exist for 30 days, or
 * intermittently.
 */
function known(record: RecordFields, refreshed: RecordFields): RecordFields {
  const isLost = (value: unknown): boolean => value === null || isDeepStrictEqual(value, {});
  const lost = ['follower_count', 'online_followers'].filter(
    (name) => name in refreshed && isLost(refreshed[name]),
  );
  return { ...record, ...Object.fromEntries(lost.map((name) => [name, refreshed[name]])) };
}

const hourMs = 3_600_000;

/** Throws unless every post and every story of that time is in Kafka. */
export async function keysBetween(
  at: RecordAddresses,
  world: World,
  { sinceMs, untilMs: nowMs }: { readonly sinceMs: number; readonly untilMs: number },
): Promise<void> {
  const newest = await readNewest(at);
  let count = 0;
  const demand = (stream: Stream, id: string): void => {
    count += 1;
    if (newest.get(stream)?.has(id) !== true) throw new Error(`${stream} ${id} is missing`);
  };
  for (const account of world.accounts) {
    // Posts after the last poll of their list cannot be in Kafka yet.
    const posts = account.mediaAt(nowMs - 1.5 * hourMs);
    for (const { id, createdAtMs } of posts) {
      if (createdAtMs < sinceMs) continue;
      demand('media', id);
      demand('media_insights', id);
    }
    for (const id of storiesBetween(account, sinceMs, nowMs - 0.5 * hourMs)) {
      demand('stories', id);
      demand('story_insights', id);
    }
  }
  console.log(`  in Kafka: every post and story of the day, ${count} records`);
}

/** Includes stories that have ended meanwhile. */
function storiesBetween(account: Account, fromMs: number, untilMs: number): ReadonlySet<string> {
  const hours = Array.from({ length: Math.ceil((untilMs - fromMs) / hourMs) }, (_, hour) => hour);
  const times = [...hours.map((hour) => fromMs + (hour + 0.5) * hourMs), untilMs];
  return new Set(times.flatMap((atMs) => account.storiesAt(atMs).map(({ id }) => id)));
}
