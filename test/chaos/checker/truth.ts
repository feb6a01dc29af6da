import { isDeepStrictEqual } from 'node:util';
import type { StreamName } from '../../integration/end-to-end/expected-records.ts';
import { type Fields, type Log, type Logged, contentOf } from './logged.ts';

/** What must be in Kafka, by stream and key; without `polled_at`, URLs unsigned. */
export type Expected = Readonly<Record<StreamName, ReadonlyMap<string, Fields>>>;

/** What must be in Kafka, with the ids of the comments that the world has. */
export interface ExpectedNow {
  readonly records: Expected;
  readonly comments: ReadonlySet<string>;
}

/** The values and the comments of the world that are not in Kafka. */
export function findAllLost(
  { records, comments }: ExpectedNow,
  log: Pick<Log, 'streams' | 'comments'>,
): string[] {
  const published = new Set(log.comments.map(({ key }) => key));
  const lost = [...comments].filter((id) => !published.has(id));
  return [...findLost(records, log.streams), ...lost.map((id) => `comments ${id}: is not there`)];
}

/**
 * The values of the world that are not the last values of their keys.
 *
 * @param streams - committed records of each stream, each partition by offset
 */
function findLost(
  expected: Expected,
  streams: ReadonlyMap<StreamName, readonly Logged[]>,
): string[] {
  return Object.entries(expected).flatMap(([name, values]) => {
    const stream = name as StreamName;
    const last = new Map((streams.get(stream) ?? []).map(({ key, value }) => [key, value]));
    return [...values].flatMap(([key, value]) => {
      const difference = differenceOf(value, last.get(key));
      return difference === undefined ? [] : [`${stream} ${key}: ${difference}`];
    });
  });
}

function differenceOf(expected: Fields, found: Fields | null | undefined): string | undefined {
  if (found === undefined) return 'is not there';
  if (found === null) return 'was deleted';
  const has = JSON.parse(contentOf(found)) as Fields;
  const differing = Object.keys({ ...expected, ...has }).filter(
    (name) => !isKept(name, expected) && !isDeepStrictEqual(has[name], expected[name]),
  );
  if (differing.length === 0) return undefined;
  const [name = ''] = differing;
  return `${name} is ${JSON.stringify(has[name])}, expected ${JSON.stringify(expected[name])}`;
}

/** Hours come and go from call to call; those that were seen are kept when none come. */
function isKept(name: string, expected: Fields): boolean {
  return name === 'online_followers' && Object.keys(expected[name] ?? {}).length === 0;
}
