/**
 * Measures the program on a real Kafka: encoding and committing with the real media schema beside
 * Java's own producer, the start with many states, memory over a thousand polls, requests beside Airbyte's. The last line of the output is JSON.
 */
import { randomUUID } from 'node:crypto';
import type { Cluster } from '../sandbox/cluster/start.ts';
import { startCluster } from '../sandbox/cluster/start.ts';
import type { GraphApi } from '../sandbox/graph-api/server.ts';
import { startGraphApi } from '../sandbox/graph-api/server.ts';
import type { WorldSpec } from '../sandbox/graph-api/world.ts';
import { createWorld } from '../sandbox/graph-api/world.ts';
import type { RegistryAdapter } from '../src/registry/open.ts';
import { openRegistry } from '../src/registry/open.ts';
import type { OutgoingRecord } from '../src/runtime/ports.ts';
import { benchJava } from './java.ts';
import { benchKafka } from './kafka.ts';
import { mediaValue } from './media.ts';
import { benchMemory } from './memory.ts';
import { reportJava, reportKafka, reportMemory, reportRequests, reportRestore } from './report.ts';
import { benchRequests } from './requests.ts';
import { benchRestore } from './restore.ts';

const testWorld: WorldSpec = {
  seed: 1,
  accounts: 5,
  mediaPerAccount: 120,
  storiesPerAccount: 4,
  insightsDays: 90,
};
const streams = [
  'users',
  'user_insights',
  'user_lifetime_insights',
  'media',
  'media_insights',
  'stories',
  'story_insights',
];
const everySecond = Object.fromEntries(
  streams.map((stream) => [`STREAM_${stream.toUpperCase()}_INTERVAL`, '1s']),
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

/** What a record weighs: its key, its value and its headers. */
function bytesOf({ key, value, headers }: OutgoingRecord): number {
  const texts = [key, ...Object.entries(headers).flat()];
  return texts.reduce((sum, text) => sum + text.length, value?.length ?? 0);
}

/** What the program must be told, with topics and a transactional id of its own. */
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

await using cluster = await startCluster({
  log: (line) => {
    console.log(line);
  },
});

await using registry = openSchemas(cluster);
await registry.prepare(new AbortController().signal);

console.log('batches of 1, 100, 500 and 10,000 records, encoding included …');
const result = await benchKafka({
  brokers: cluster.brokers,
  codec: registry.stateCodec,
  encodeMedia: (n) => encodeMedia(registry, n),
});
reportKafka(result);

console.log("\nJava's own transactional producer on the same broker, committing as often …");
const java = await benchJava(cluster.brokers, bytesOf(encodeMedia(registry, 1)), result);
reportJava(java);

console.log('\nstarts of the program …');
const restore = await (async () => {
  const world = createWorld({ ...testWorld, accounts: 1 });
  await using api = await startGraphApi({ world });
  return await benchRestore(cluster, registry.stateCodec, environment(cluster, api));
})();
reportRestore(restore);

console.log('\nrequests of the test world, every stream of every account …');
{
  await using api = await startGraphApi({ world: createWorld(testWorld) });
  reportRequests(await benchRequests(api, environment(cluster, api)));
}

console.log('\nmemory of the program over 1,000 polls, after 2,000 to warm up …');
{
  const world = createWorld({ ...testWorld, mediaPerAccount: 40, live: true });
  await using api = await startGraphApi({ world });
  reportMemory(await benchMemory({ ...environment(cluster, api), ...everySecond }));
}

console.log();
const start = { keys: restore.keys, empty_ms: restore.emptyMs, full_ms: restore.fullMs };
console.log(JSON.stringify({ ...result, java, start }));
