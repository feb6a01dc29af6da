import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { type DecodedRecord, type TopicAddresses, readTopics } from '../topics.ts';

/** The streams in the order of the summary. */
export const STREAMS = [
  'users',
  'user_insights',
  'user_lifetime_insights',
  'media',
  'media_insights',
  'stories',
  'story_insights',
] as const;

/** The program's records in Kafka. */
export interface Topics {
  /** Returns the topic of a stream, of `state` or of `dead-letters`. */
  readonly nameOf: (stream: string) => string;
  readonly byName: ReadonlyMap<string, readonly DecodedRecord[]>;
}

/** Reads all topics of the program as a `read_committed` consumer. */
export async function readAll(at: TopicAddresses, topicTemplate: string): Promise<Topics> {
  const nameOf = (stream: string): string =>
    topicTemplate.replace('{stream}', stream.replaceAll('_', '-'));
  const names = [...STREAMS, 'state', 'dead-letters'].map(nameOf);
  return { nameOf, byName: await readTopics(at, names) };
}

function recordsOf({ nameOf, byName }: Topics, stream: string): readonly DecodedRecord[] {
  return byName.get(nameOf(stream)) ?? [];
}

/** Formats a line for each stream: its topic, records and requests. */
export function describeTopics(topics: Topics, requestsOf: (stream: string) => number): string[] {
  const rows = STREAMS.map((stream) => [
    stream,
    topics.nameOf(stream),
    String(recordsOf(topics, stream).length),
    String(requestsOf(stream)),
  ]);
  const state = ['state, last of each key', topics.nameOf('state'), String(stateKeys(topics)), ''];
  return [['stream', 'topic', 'records', 'requests'], ...rows, state].map(
    ([name = '', topic = '', records = '', requests = '']) =>
      `${name.padEnd(24)}${topic.padEnd(36)}${records.padStart(8)}${requests.padStart(10)}`,
  );
}

/** Formats one record of every stream, as a consumer receives it. */
export function describeSamples(topics: Topics): string[] {
  return STREAMS.flatMap((stream) => {
    const record = recordsOf(topics, stream).at(-1);
    if (record === undefined) return [];
    const value = inspect(record.value, {
      depth: 3,
      maxArrayLength: 2,
      maxStringLength: 70,
      breakLength: 110,
      compact: 3,
    });
    return ['', `${record.topic}  key ${record.key}  offset ${record.offset}`, value];
  });
}

/** Formats the counts for machines; every number but the requests is counted from Kafka. */
export function describeCounts(topics: Topics, requests: number): string {
  const countOf = (stream: string) =>
    [topics.nameOf(stream), recordsOf(topics, stream).length] as const;
  const deadLetters = countOf('dead-letters');
  return JSON.stringify({
    topics: {
      ...Object.fromEntries(STREAMS.map(countOf)),
      ...(deadLetters[1] > 0 && Object.fromEntries([deadLetters])),
    },
    requests,
    state: stateKeys(topics),
  });
}

/**
 * Counts the pairs of stream and account with a state: the last value of a key counts, a tombstone
 * does not.
 */
function stateKeys(topics: Topics): number {
  const last = new Map(recordsOf(topics, 'state').map(({ key, value }) => [key, value]));
  return [...last.values()].filter((value) => value !== null).length;
}

/** Writes `DIR/<topic>.jsonl`, a line of key and value for each record. */
export async function writeTopics({ byName }: Topics, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [topic, records] of byName) {
    const lines = records.map(({ key, value, partition, offset }) =>
      JSON.stringify({ key, value, partition, offset }),
    );
    await writeFile(join(directory, `${topic}.jsonl`), lines.map((line) => `${line}\n`).join(''));
  }
}
