/**
 * Measures the program on a real Kafka: encoding and committing with the real media schema, by each
 * codec, beside Java's own producer, the start with many states, the duration of a hand-over, the
 * CPU of an idle instance, the latency of webhooks, requests beside Airbyte's, memory over a thousand
 * polls. Runs all parts or the named ones. The last line of the output is JSON; `--record` also writes
 * the figures to docs/evidence.json.
 */
// First import: the sandbox loads kafkajs as well, and the patches must be in place before.
import '../src/kafka/client/kafkajs.ts';
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Cluster, startCluster } from '../sandbox/cluster/start.ts';
import { type GraphApi, startGraphApi } from '../sandbox/graph-api/server.ts';
import { type WorldSpec, createWorld } from '../sandbox/graph-api/world.ts';
import { readLoad, recordBenchmark, recordTimes } from '../scripts/recorded-runs.ts';
import { loadConfig } from '../src/config/load.ts';
import { compressions } from '../src/config/schema.ts';
import { type RegistryAdapter, openRegistry } from '../src/registry/index.ts';
import type { OutgoingRecord } from '../src/engine/ports.ts';
import { benchCapacity } from './capacity.ts';
import { benchHandover } from './handover.ts';
import { benchIdle } from './idle.ts';
import { benchJava } from './java.ts';
import { benchKafka } from './kafka.ts';
import { mediaValue } from './media.ts';
import { benchMemory } from './memory.ts';
import {
  reportCapacity,
  reportHandover,
  reportIdle,
  reportJava,
  reportKafka,
  reportMemory,
  reportRequests,
  reportLargeStates,
  reportRestore,
  reportWebhooks,
} from './report.ts';
import { type PollCost, benchRequests } from './requests.ts';
import { benchLargeStates, benchRestore } from './restore.ts';
import { behindMs, benchWebhooks } from './webhooks.ts';

const testWorld: WorldSpec = {
  seed: 1,
  accounts: 5,
  mediaPerAccount: 120,
  storiesPerAccount: 4,
  insightsDays: 90,
};
const measuredStreams: readonly string[] = [
  'users',
  'user_insights',
  'user_lifetime_insights',
  'media',
  'media_insights',
  'stories',
  'story_insights',
];
/** The input of the parts. */
interface BenchContext {
  readonly cluster: Cluster;
  readonly registry: RegistryAdapter;
}

const everySecond = Object.fromEntries(
  measuredStreams.map((stream) => [`STREAM_${stream.toUpperCase()}_INTERVAL`, '1s']),
);

function openSchemas(cluster: Cluster): RegistryAdapter {
  return openRegistry({
    url: cluster.registryUrl,
    timeoutMs: 10_000,
    login: { kind: 'none' },
    tls: null,
    compatibility: 'FULL_TRANSITIVE',
    mode: 'register',
    topicTemplate: 'bench.{stream}',
    roles: ['media', 'state'],
    keyFields: {},
  });
}

function encodeMedia({ encoder }: RegistryAdapter, n: number): OutgoingRecord {
  return {
    role: 'media',
    key: `17841400000000000/${String(n)}`,
    value: encoder.encode('media', mediaValue(n)),
    headers: { stream: 'media', account: '17841400000000000', poll: 'bench', schema: '1' },
  };
}

/** Returns the size of a record: its key, its value and its headers. */
function bytesOf({ key, value, headers }: OutgoingRecord): number {
  const texts = [key, ...Object.entries(headers).flat()];
  return texts.reduce((sum, text) => sum + text.length, value?.length ?? 0);
}

/** Returns the program's settings, with topics and a transactional id of its own. */
function environment(cluster: Cluster, api: GraphApi): Record<string, string> {
  const id = `bench-${randomUUID().slice(0, 8)}`;
  const startDate = new Date(Date.now() - 90 * 86_400_000).toISOString().slice(0, 10);
  return {
    KAFKA_BROKERS: cluster.brokers.join(','),
    KAFKA_TOPIC_TEMPLATE: `${id}.{stream}`,
    KAFKA_TRANSACTIONAL_ID_PREFIX: id,
    SCHEMA_REGISTRY_URL: cluster.registryUrl,
    INSTAGRAM_BASE_URL: api.url,
    INSTAGRAM_ACCESS_TOKEN: api.world.token,
    INSTAGRAM_START_DATE: startDate,
  };
}

/** Counts the polls of the test world in an hour, with the streams' default intervals. */
function countPollsPerHour(env: Readonly<Record<string, string>>): number {
  const { streams } = loadConfig({ env, args: {} });
  const perAccount = Object.entries(streams)
    .filter(([name]) => measuredStreams.includes(name))
    .reduce((sum, [, { intervalMs }]) => sum + 3_600_000 / intervalMs, 0);
  return perAccount * testWorld.accounts;
}

/** The parts: each measures and prints one thing, and returns its figures for the last line. */
const parts: Readonly<Record<string, (bench: BenchContext) => Promise<object>>> = {
  async compression({ cluster, registry }) {
    const results: Record<string, object> = {};
    for (const compression of compressions) {
      say(`batches of 1, 100, 500 and 10,000 records, encoding included, by ${compression} …`);
      const result = await benchKafka({
        brokers: cluster.brokers,
        codec: registry.stateCodec,
        compression,
        encodeMedia: (n) => encodeMedia(registry, n),
      });
      reportKafka(result);
      say(`Java's own transactional producer by ${compression}, committing as often …`);
      const recordBytes = bytesOf(encodeMedia(registry, 1));
      const java = await benchJava({ brokers: cluster.brokers, recordBytes, compression }, result);
      reportJava(java);
      results[compression] = { ...result, java };
    }
    return { compression: results };
  },
  async start({ cluster, registry }) {
    say('starts of the program …');
    await using api = await startGraphApi({ world: createWorld({ ...testWorld, accounts: 1 }) });
    const env = environment(cluster, api);
    const restore = await benchRestore(cluster, registry.stateCodec, env);
    reportRestore(restore);
    const { keys, emptyMs, fullMs } = restore;
    return { start: { keys, empty_ms: emptyMs, full_ms: fullMs } };
  },
  async restore({ cluster, registry }) {
    say('a restore of 1,000 accounts with 2,000 media each …');
    await using api = await startGraphApi({ world: createWorld({ ...testWorld, accounts: 1 }) });
    const env = environment(cluster, api);
    const restore = await benchLargeStates(cluster, registry.stateCodec, env);
    reportLargeStates(restore);
    return { restore };
  },
  async handover({ cluster }) {
    say('instances that are killed, stopped and join, three times each …');
    const result = await benchHandover(cluster);
    reportHandover(result);
    return result;
  },
  async idle({ cluster }) {
    say('CPU of an instance that waits for its next poll …');
    await using api = await startGraphApi({ world: createWorld({ ...testWorld, accounts: 1 }) });
    const result = await benchIdle(environment(cluster, api));
    reportIdle(result);
    return result;
  },
  async requests({ cluster }) {
    say('requests of the test world, every stream of every account …');
    await using api = await startGraphApi({ world: createWorld(testWorld) });
    const { first, second, airbyte, world } = await benchRequests(api, environment(cluster, api));
    reportRequests({ first, second, airbyte, world });
    const costOf = ({ calls, requests }: PollCost) => ({ calls, requests });
    return { requests: { world, first: costOf(first), second: costOf(second), airbyte } };
  },
  async webhooks({ cluster }) {
    say('webhooks of new comments, one after another …');
    const now = Date.now() - behindMs;
    const world = createWorld({ ...testWorld, mediaPerAccount: 40, storiesPerAccount: 0, now });
    await using api = await startGraphApi({ world });
    const result = await benchWebhooks(api, environment(cluster, api));
    reportWebhooks(result);
    return result;
  },
  async checkpoint({ cluster }) {
    say('memory of the program over 1,000 polls, after 2,000 to warm up …');
    const world = createWorld({ ...testWorld, mediaPerAccount: 40, live: true });
    await using api = await startGraphApi({ world });
    const env = environment(cluster, api);
    const result = await benchMemory({ ...env, ...everySecond }, countPollsPerHour(env));
    reportMemory(result);
    return { memory_slope_mb_per_hour: result.memory_slope_mb_per_hour };
  },
  async capacity({ cluster }) {
    say('memory after every stream of every account was polled once …');
    const result = await benchCapacity(cluster, environment);
    reportCapacity(result);
    return { kb_per_account: result.kb_per_account, bytes_per_media: result.bytes_per_media };
  },
};

/** Parts that measure calls or memory; the others measure time. */
const timeless: readonly string[] = ['requests', 'checkpoint', 'capacity'];

/** Puts a part on record, unless it measured the time of a busy machine. */
function record(part: string, run: Parameters<typeof recordBenchmark>[1]): void {
  if (timeless.includes(part)) {
    recordBenchmark(part, run);
    return;
  }
  const reason = recordTimes(part, run);
  if (reason !== null) say(reason);
}

function say(line: string): void {
  console.log(`\n${line}`);
}

const { values: options, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: { record: { type: 'boolean', default: false } },
});
const unknown = asked.find((name) => !(name in parts));
if (unknown !== undefined) {
  console.error(`got "${unknown}", expected any of ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}

await using cluster = await startCluster({
  toMeasure: true,
  log: (line) => {
    console.log(line);
  },
});
await using registry = openSchemas(cluster);
await registry.prepare(new AbortController().signal);

const results: object[] = [];
for (const [name, measure] of Object.entries(parts)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const load = readLoad();
  const figures = await measure({ cluster, registry });
  if (options.record) record(name, { ...load, figures: { ...figures } });
  results.push(figures);
}
console.log();
console.log(JSON.stringify(Object.assign({}, ...results)));
