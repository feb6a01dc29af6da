import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { DecodedRecord, TopicsAt } from '../topics.ts';
import { readTopics } from '../topics.ts';

/** The streams in the order in which a person wants to see them. */
export const STREAMS = [
  'users',
  'user_insights',
  'user_lifetime_insights',
  'media',
  'media_insights',
  'stories',
  'story_insights',
] as const;

const STATE_TOPIC = 'instagram.state';
const DEAD_LETTER_TOPIC = 'instagram.dead-letters';

/** The topic of a stream under the default template. */
function topicOf(stream: string): string {
  return `instagram.${stream.replaceAll('_', '-')}`;
}

/** What is in Kafka, by topic. */
export type Topics = ReadonlyMap<string, readonly DecodedRecord[]>;

/** Reads all of the program's topics as a `read_committed` consumer. */
export function readAll(at: TopicsAt): Promise<Topics> {
  return readTopics(at, [...STREAMS.map(topicOf), STATE_TOPIC, DEAD_LETTER_TOPIC]);
}

/** A line for each stream: its topic, the records in it, the requests it took. */
export function describeTopics(topics: Topics, requestsOf: (stream: string) => number): string[] {
  const rows = STREAMS.map((stream) => [
    stream,
    topicOf(stream),
    String(topics.get(topicOf(stream))?.length ?? 0),
    String(requestsOf(stream)),
  ]);
  const state = ['state', STATE_TOPIC, String(stateKeys(topics)), ''];
  return [['stream', 'topic', 'records', 'requests'], ...rows, state].map(
    ([name = '', topic = '', records = '', requests = '']) =>
      `${name.padEnd(24)}${topic.padEnd(36)}${records.padStart(8)}${requests.padStart(10)}`,
  );
}

/** One record of every stream as a consumer gets it. */
export function describeSamples(topics: Topics): string[] {
  return STREAMS.flatMap((stream) => {
    const record = topics.get(topicOf(stream))?.at(-1);
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

/** The line for machines; every number but the requests is counted from Kafka. */
export function describeCounts(topics: Topics, requests: number): string {
  const deadLetters = topics.get(DEAD_LETTER_TOPIC)?.length ?? 0;
  const counts = STREAMS.map((stream) => {
    const topic = topicOf(stream);
    return [topic, topics.get(topic)?.length ?? 0] as const;
  });
  return JSON.stringify({
    topics: {
      ...Object.fromEntries(counts),
      ...(deadLetters > 0 && { [DEAD_LETTER_TOPIC]: deadLetters }),
    },
    requests,
    state: stateKeys(topics),
  });
}

/** How many (stream, account) have a state: the last value of a key counts, a tombstone does not. */
function stateKeys(topics: Topics): number {
  const last = new Map(topics.get(STATE_TOPIC)?.map(({ key, value }) => [key, value]));
  return [...last.values()].filter((value) => value !== null).length;
}

/** Writes `DIR/<topic>.jsonl`, a line of key and value for each record. */
export async function writeTopics(topics: Topics, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [topic, records] of topics) {
    const lines = records.map(({ key, value, partition, offset }) =>
      JSON.stringify({ key, value, partition, offset }),
    );
    await writeFile(join(directory, `${topic}.jsonl`), lines.map((line) => `${line}\n`).join(''));
  }
}
