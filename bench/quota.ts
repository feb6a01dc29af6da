/**
 * What a big world costs in requests of the API: the first sync, a later poll of everything, a day at
 * the default intervals, a later poll with new refusals; beside Airbyte's formula, counted by the
 * simulator's ledger. The last line of the output is JSON; exit code 1 when a target is missed.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Cluster } from '../sandbox/cluster/start.ts';
import { findFreePorts } from '../sandbox/cluster/free-port.ts';
import { startCluster } from '../sandbox/cluster/start.ts';
import type { GraphApi } from '../sandbox/graph-api/server.ts';
import { startGraphApi } from '../sandbox/graph-api/server.ts';
import { createWorld } from '../sandbox/graph-api/world.ts';
import { nodeFlags } from '../sandbox/program.ts';
import { airbyteRequests, measureWorld } from './airbyte.ts';
import type { QuotaMessage } from './quota-program.ts';
import { compareWithTruth, keysSince } from './quota-records.ts';

const dayMs = 86_400_000;
const latencyMs = 100;
/** The oldest tier of media comes round in a week. */
const untilAllIsDueMs = 8 * dayMs;
const targets = { first: 700, poll: 400, day: 2500, seconds: 60, peakRssMb: 300 };

/** What a run of the program cost, by the simulator's ledger and the process itself. */
interface Cost {
  readonly requests: number;
  readonly calls: number;
  readonly seconds: number;
  readonly peakRssMb: number;
}

const program = fileURLToPath(new URL('quota-program.ts', import.meta.url));

const world = createWorld({
  seed: 4,
  accounts: 5,
  mediaPerAccount: 2000,
  childrenPerAccount: 3000,
  storiesPerAccount: 4,
  insightsDays: 90,
  preConversionMedia: 0,
  smallAccounts: 0,
  unseenStories: 0,
});
const startDate = new Date(world.clock.now() - 90 * dayMs).toISOString().slice(0, 10);

function environment(cluster: Cluster, api: GraphApi, port: number): Record<string, string> {
  const id = `bench-${randomUUID().slice(0, 8)}`;
  return {
    PATH: process.env['PATH'] ?? '',
    HTTP_PORT: String(port),
    LOG_LEVEL: 'error',
    KAFKA_BROKERS: cluster.brokers.join(','),
    KAFKA_TOPIC_TEMPLATE: `${id}.{stream}`,
    KAFKA_TRANSACTIONAL_ID_PREFIX: id,
    SCHEMA_REGISTRY_URL: cluster.registryUrl,
    INSTAGRAM_BASE_URL: api.url,
    INSTAGRAM_ACCESS_TOKEN: api.world.token,
    INSTAGRAM_START_DATE: startDate,
  };
}

/** @param runMs - of the world's time; `once` when undefined */
async function run(api: GraphApi, env: Record<string, string>, runMs?: number): Promise<Cost> {
  api.ledger.clear();
  const begunMs = performance.now();
  const argv = [world.clock.now(), ...(runMs === undefined ? [] : [runMs])].map(String);
  const child = fork(program, argv, {
    execArgv: [...nodeFlags],
    env,
  });
  let peakRssMb = NaN;
  let failures: readonly string[] = ['it did not come to its end'];
  child.on('message', (message: QuotaMessage) => {
    if (message.type === 'leap') {
      world.clock.set(message.nowMs);
      child.send('leapt');
      return;
    }
    peakRssMb = Math.round(message.peakRssMb);
    failures = message.failures;
  });
  await once(child, 'exit');
  if (failures.length > 0) throw new Error(`the program failed: ${failures.join('; ')}`);
  const { requests, calls } = api.ledger.total();
  const seconds = Math.round((performance.now() - begunMs) / 100) / 10;
  return { requests, calls, seconds, peakRssMb };
}

function report(name: string, cost: Cost, api: GraphApi): void {
  const { requests, calls, seconds, peakRssMb } = cost;
  console.log(`${name}: ${requests} requests (${calls} calls) in ${seconds} s, ${peakRssMb} MB`);
  for (const [endpoint, spent] of Object.entries(api.ledger.byEndpoint())) {
    console.log(`  ${endpoint} ${spent.requests} requests, ${spent.calls} calls`);
  }
}

/** Every hundredth media, evenly over accounts and ages, refuses a metric from now on. */
function refuseOnePercent(): ReadonlyMap<string, readonly string[]> {
  const media = world.accounts.flatMap((account) => account.mediaAt(world.clock.now()));
  const refusing = media.filter((_, index) => index % 100 === 0).map(({ id }) => id);
  const refused = new Map(refusing.map((id) => [id, ['shares']]));
  world.conditions.set({ refusedMetrics: Object.fromEntries(refused) });
  return refused;
}

const missed: string[] = [];

function judge(name: string, measured: number, target: number): void {
  const isMet = measured < target;
  const ratio = (measured / target).toFixed(2);
  console.log(`target: ${name} ${measured} of less than ${target} (${ratio} times)`);
  if (!isMet) missed.push(name);
}

await using cluster = await startCluster({
  toMeasure: true,
  log: (line) => {
    console.log(line);
  },
});
await using api = await startGraphApi({ world });
const [port = 0] = await findFreePorts(1);
const env = environment(cluster, api, port);
const size = measureWorld(api);
const { accounts, media, children, stories } = size;
console.log(
  `world: ${accounts} accounts, ${media} media, ${children} children, ${stories} stories`,
);
const airbyte = { first: airbyteRequests(size, 130), sync: airbyteRequests(size, 18) };
const kafka = { ...cluster, topicTemplate: env['KAFKA_TOPIC_TEMPLATE'] ?? '' };

api.faults.add({ effect: { latency_ms: latencyMs } });
const first = await run(api, env);
api.faults.clear();
report(`first sync, ${latencyMs} ms a request`, first, api);
await compareWithTruth(kafka, world, { startDate });

world.clock.advance(untilAllIsDueMs);
const poll = await run(api, env);
report('later poll of everything', poll, api);
await compareWithTruth(kafka, world, { startDate });

const dayStartMs = world.clock.now();
const day = await run(api, env, dayMs);
report('a day at the default intervals', day, api);
await keysSince(kafka, world, dayStartMs);

world.clock.advance(untilAllIsDueMs);
const refusing = refuseOnePercent();
const pollWithRefusals = await run(api, env);
report(`later poll, ${refusing.size} media newly refuse a metric`, pollWithRefusals, api);
await compareWithTruth(kafka, world, { startDate, refusing });
world.clock.advance(untilAllIsDueMs);
const nextPoll = await run(api, env);
report('the poll after it', nextPoll, api);

console.log(`Airbyte by its formula: first ${airbyte.first}, each sync ${airbyte.sync}`);
const times = (ours: number, theirs: number) => (theirs / ours).toFixed(0);
console.log(
  `as many requests: first ${times(first.requests, airbyte.first)} times, ` +
    `a poll of everything ${times(poll.requests, airbyte.sync)} times`,
);
judge('requests of the first sync', first.requests, targets.first);
judge('requests of a later poll of everything', poll.requests, targets.poll);
judge('requests of a day', day.requests, targets.day);
judge('seconds of the first sync', first.seconds, targets.seconds);
const runs = [first, poll, day, pollWithRefusals, nextPoll];
const peakRssMb = Math.max(...runs.map((cost) => cost.peakRssMb));
judge('peak memory, MB', peakRssMb, targets.peakRssMb);
process.exitCode = missed.length === 0 ? 0 : 1;
console.log();
const spent = ({ requests, calls, seconds }: Cost) => ({ requests, calls, seconds });
console.log(
  JSON.stringify({
    first: spent(first),
    poll: spent(poll),
    poll_with_refusals: spent(pollWithRefusals),
    day: spent(day),
    airbyte,
    peak_rss_mb: peakRssMb,
  }),
);
