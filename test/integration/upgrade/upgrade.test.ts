import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { type WorldSpec, createWorld } from '../../../sandbox/graph-api/world.ts';
import type { DecodedRecord } from '../../../sandbox/topics.ts';
import { createApp } from '../../../src/app.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { systemClock } from '../../../src/engine/clock.ts';
import { type Deployment, deploy } from '../end-to-end/deployment.ts';

/**
 * What version 0.1 (commit b601fe4) left behind after one `once` against the world: its schemas,
 * without their docs, the last state of each stream and account, without the five bytes of the
 * schema id, and the number of records by topic.
 */
interface Left {
  readonly world: WorldSpec & { readonly now: string };
  readonly startDate: string;
  readonly records: Readonly<Record<string, number>>;
  readonly states: readonly {
    readonly key: string;
    readonly partition: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly value: string;
    readonly sequence: number;
  }[];
  readonly schemas: Readonly<Record<string, object>>;
}

const left = JSON.parse(readFileSync(new URL('version-0.1.json', import.meta.url), 'utf8')) as Left;
const streams = Object.keys(left.schemas).filter(
  (role) => role !== 'state' && role !== 'dead_letters',
);
/** Every poll publishes a snapshot of these. */
const snapshots = [
  'users',
  'user_lifetime_insights',
  'user_engaged_audience',
  'user_reached_audience',
];
/**
 * Records with new fields: all media and live stories, and the insights of the newest media, one an
 * account, which alone are due.
 */
const extended: Readonly<Record<string, number>> = {
  media: 16,
  story_insights: 2,
  media_insights: 2,
};
/** The program's clock shows the world's time, as that of 0.1 did. */
const aheadMs = Date.parse(left.world.now) - Date.now();
const clock = { ...systemClock, nowMs: () => Date.now() + aheadMs };

let deployment: Deployment;

beforeAll(async () => {
  deployment = await deploy(createWorld(left.world));
  const schemaId = await registerSchemas(deployment);
  await writeStates(deployment, schemaId);
  await pollOnce(deployment);
}, 120_000);

afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
});

/** Sends a request to the registry, and returns the response. */
async function ask(url: string, method: string, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${method} ${url}: ${JSON.stringify(answer)}`);
  return answer;
}

/** Registers the schemas of 0.1 as it did, and returns the id of the state's. */
async function registerSchemas(target: Deployment): Promise<number> {
  const ids = new Map<string, number>();
  for (const [role, schema] of Object.entries(left.schemas)) {
    const subject = `${target.topicOf(role)}-value`;
    const versions = `${target.cluster.registryUrl}/subjects/${subject}/versions`;
    const answer = await ask(versions, 'POST', { schema: JSON.stringify(schema) });
    ids.set(role, (answer as { id: number }).id);
    const level = { compatibility: 'FULL_TRANSITIVE' };
    await ask(`${target.cluster.registryUrl}/config/${subject}`, 'PUT', level);
  }
  return ids.get('state') ?? NaN;
}

async function writeStates(target: Deployment, schemaId: number): Promise<void> {
  const kafka = new Kafka({ brokers: [...target.cluster.brokers], logLevel: logLevel.NOTHING });
  const topic = target.topicOf('state');
  const header = Buffer.alloc(5);
  header.writeInt32BE(schemaId, 1);
  const admin = kafka.admin();
  const producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
    await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }] });
    const messages = left.states.map(({ key, partition, headers, value }) => ({
      key,
      partition,
      headers,
      value: Buffer.concat([header, Buffer.from(value, 'hex')]),
    }));
    await producer.send({ topic, acks: -1, messages });
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}

async function pollOnce({ env }: Deployment): Promise<void> {
  const settings = {
    ...env,
    STREAMS: streams.join(','),
    INSTAGRAM_START_DATE: left.startDate,
    LOG_LEVEL: 'error',
  };
  const config = loadConfig({ env: settings, args: {}, nowMs: clock.nowMs() });
  await using app = createApp(config, { version: 'test', hostName: 'host-2', clock });
  await app.once(new AbortController().signal);
}

/** The states that this version wrote, in the order of their keys. */
async function newStates(): Promise<readonly DecodedRecord[]> {
  const states = await deployment.read('state');
  return states.filter(({ value }) => value?.['written_by'] === 'host-2');
}

describe('an upgrade from 0.1', () => {
  it('publishes snapshots, what has new fields once more, and nothing else', async () => {
    const counts = await Promise.all(
      streams.map(async (role) => [role, (await deployment.read(role)).length] as const),
    );

    const expected = streams.map((role) => {
      const snapshot = snapshots.includes(role) ? left.records[role] : 0;
      return [role, extended[role] ?? snapshot] as const;
    });
    expect(Object.fromEntries(counts)).toEqual(Object.fromEntries(expected));
    expect(left.records).toMatchObject({ media: 16, media_insights: 16, comments: 1361 });
  });

  it('continues the sequence of each state (Invariant 2)', async () => {
    const before = new Map(left.states.map(({ key, sequence }) => [key, sequence]));
    const first = new Map<string, number>();
    for (const { key, value } of await newStates()) {
      if (!first.has(key)) first.set(key, Number(value?.['sequence']));
    }

    expect(first.size).toBeGreaterThan(snapshots.length);
    expect([...first]).toEqual([...first.keys()].map((key) => [key, (before.get(key) ?? NaN) + 1]));
  });

  it('registers schemas that are compatible with all those of 0.1 (Invariant 6)', async () => {
    const versions = await Promise.all(
      Object.keys(left.schemas).map(async (role) => {
        const subject = `${deployment.topicOf(role)}-value`;
        const url = `${deployment.cluster.registryUrl}/subjects/${subject}/versions`;
        return [role, await (await fetch(url)).json()] as const;
      }),
    );

    // At least the docs differ, and every subject demands FULL_TRANSITIVE.
    expect(versions).toEqual(Object.keys(left.schemas).map((role) => [role, [1, 2]]));
  });
});
