/**
 * Measures the cost of a big world with each login, in calls as Meta counts them and in HTTP
 * requests: the first sync, a later poll of everything, and a day at the default intervals. The day
 * begins after the hour in which the program starts and reads every list once more. The simulator's
 * ledger counts; the results stand beside Airbyte's formula and the plan of `instagram-kafka plan`.
 * The last line of the output is JSON; the exit code is 1 when a target is missed. Needs an idle
 * machine: the world's clock leaps over a request that takes longer than 40 ms. The options are in
 * `bench/quota-arguments.ts`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type Cluster, startCluster } from '../sandbox/cluster/start.ts';
import { findFreePorts } from '../sandbox/cluster/free-port.ts';
import { type GraphApi, startGraphApi } from '../sandbox/graph-api/server.ts';
import { type World, createWorld } from '../sandbox/graph-api/world.ts';
import { nodeFlags } from '../sandbox/program.ts';
import { readCommandLine } from '../sandbox/stop.ts';
import { loadConfig } from '../src/config/load.ts';
import { planSettings } from '../src/cli/plan.ts';
import { planCalls } from '../src/instagram/call-plan.ts';
import { readLoad, recordTimes } from '../scripts/recorded-runs.ts';
import { airbyteRequests, measureWorld } from './airbyte.ts';
import { parseQuotaArguments, QUOTA_USAGE } from './quota-arguments.ts';
import { quotaFigures, type RunCost } from './quota-figures.ts';
import type { QuotaMessage } from './quota-program.ts';
import {
  type RecordAddresses,
  compareWithTruth,
  countRecords,
  keysBetween,
} from './quota-records.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const latencyMs = 100;
/** The oldest tier of media is due once a week. */
const untilAllIsDueMs = 8 * dayMs;
type Login = 'facebook' | 'instagram';

/** Calls are the same with both logins; without a batch each is a request. */
const targets = {
  firstCalls: 10_800,
  firstRequests: 550,
  firstSeconds: 60,
  dayCalls: 8000,
  dayRequests: 1800,
  peakRssMb: 300,
};

const program = fileURLToPath(new URL('quota-program.ts', import.meta.url));

const command = readCommandLine({ parse: parseQuotaArguments, usage: QUOTA_USAGE });

const createBigWorld = (): World =>
  createWorld({
    ...command.size,
    seed: 4,
    insightsDays: 90,
    preConversionMedia: 0,
    smallAccounts: 0,
    unseenStories: 0,
  });

interface QuotaSite {
  readonly cluster: Cluster;
  readonly api: GraphApi;
  readonly login: Login;
  readonly startDate: string;
  readonly kafka: RecordAddresses;
  readonly env: Readonly<Record<string, string>>;
}

async function siteOf(cluster: Cluster, api: GraphApi, login: Login): Promise<QuotaSite> {
  const { world } = api;
  const id = `bench-${randomUUID().slice(0, 8)}`;
  const [port = 0] = await findFreePorts(1);
  const startDate = new Date(world.clock.now() - 90 * dayMs).toISOString().slice(0, 10);
  const tokens =
    login === 'facebook'
      ? [world.token]
      : world.accounts.map(({ instagramToken }) => instagramToken);
  const topicTemplate = `${id}.{stream}`;
  const env = {
    PATH: process.env['PATH'] ?? '',
    HTTP_PORT: String(port),
    LOG_LEVEL: 'error',
    // They look at the health every five seconds of the world, and each look is a leap.
    NOTIFICATIONS_ENABLED: 'false',
    KAFKA_BROKERS: cluster.brokers.join(','),
    KAFKA_TOPIC_TEMPLATE: topicTemplate,
    KAFKA_TRANSACTIONAL_ID_PREFIX: id,
    SCHEMA_REGISTRY_URL: cluster.registryUrl,
    INSTAGRAM_BASE_URL: api.url,
    INSTAGRAM_LOGIN: login,
    INSTAGRAM_ACCESS_TOKEN: tokens.join(','),
    INSTAGRAM_START_DATE: startDate,
  };
  const { brokers, registryUrl } = cluster;
  return { cluster, api, login, startDate, env, kafka: { brokers, registryUrl, topicTemplate } };
}

/** A run of the program for some time, in milliseconds of the world's clock. */
interface TimedRun {
  /** The first part, which costs more than the rest: its calls are not counted. */
  readonly startMs: number;
  readonly countedMs: number;
  /** Called between the two, while the program waits. */
  onCounting(): Promise<void>;
}

/** @param timed - `once` when undefined */
async function run({ api, env }: QuotaSite, timed?: TimedRun): Promise<RunCost> {
  const { clock } = api.world;
  api.ledger.clear();
  const begunMs = performance.now();
  const runMs = timed === undefined ? [] : [timed.startMs + timed.countedMs];
  const argv = [clock.now(), ...runMs].map(String);
  const countFromMs = clock.now() + (timed?.startMs ?? 0);
  let isCounting = timed === undefined;
  const leapTo = async (nowMs: number): Promise<void> => {
    clock.set(nowMs);
    if (!isCounting && nowMs >= countFromMs) {
      isCounting = true;
      await timed?.onCounting();
      api.ledger.clear();
    }
    child.send('leapt');
  };
  const child = fork(program, argv, { execArgv: [...nodeFlags], env });
  let peakRssMb = NaN;
  let failures: readonly string[] = ['it did not come to its end'];
  child.on('message', (message: QuotaMessage) => {
    if (message.type === 'leap') {
      void leapTo(message.nowMs);
      return;
    }
    peakRssMb = Math.round(message.peakRssMb);
    failures = message.failures;
  });
  await once(child, 'exit');
  if (failures.length > 0) throw new Error(`the program failed: ${failures.join('; ')}`);
  const { calls, requests } = api.ledger.total();
  const seconds = Math.round((performance.now() - begunMs) / 100) / 10;
  return { calls, requests, seconds, peakRssMb };
}

function report(name: string, cost: RunCost, { api }: QuotaSite): void {
  const { calls, requests, seconds, peakRssMb } = cost;
  console.log(`${name}: ${calls} calls, ${requests} requests in ${seconds} s, ${peakRssMb} MB`);
  for (const [endpoint, spent] of Object.entries(api.ledger.byEndpoint())) {
    console.log(`  ${endpoint} ${spent.calls} calls, ${spent.requests} requests`);
  }
}

/** Returns the calls that `plan` expects of a world: of the first poll, and of a day. */
function planned({ api, env }: QuotaSite): { readonly first: number; readonly day: number } {
  const { world } = api;
  const nowMs = world.clock.now();
  const settings = planSettings(loadConfig({ env, args: {} }), nowMs);
  const calls = world.accounts.flatMap((account) => {
    const mediaMs = account.mediaAt(nowMs).map(({ createdAtMs }) => createdAtMs);
    return planCalls({ mediaMs, storiesADay: account.storiesAt(nowMs).length }, settings);
  });
  const sum = (field: 'first' | 'day') => calls.reduce((total, one) => total + one[field], 0);
  return { first: sum('first'), day: sum('day') };
}

/** Measures the first sync, a poll when everything is due again, and a day. */
async function measure(cluster: Cluster, login: Login) {
  await using api = await startGraphApi({ world: createBigWorld() });
  const { clock } = api.world;
  const site = await siteOf(cluster, api, login);
  const { kafka, startDate } = site;
  const compare = () => compareWithTruth(kafka, api.world, { startDate, login });
  console.log(`\nwith ${login} login`);

  api.faults.add({ effect: { latency_ms: latencyMs } });
  const plan = planned(site);
  const first = await run(site);
  api.faults.clear();
  report(`first sync, ${latencyMs} ms a request`, first, site);
  await compare();

  clock.advance(untilAllIsDueMs);
  const poll = await run(site);
  report('later poll of everything', poll, site);
  await compare();

  const insights = ['media_insights', 'story_insights'] as const;
  let before = NaN;
  const dayStartMs = clock.now();
  const { day: plannedDay } = planned(site);
  const day = await run(site, {
    startMs: hourMs,
    countedMs: dayMs,
    async onCounting() {
      const { calls, requests } = api.ledger.total();
      console.log(`the first hour after a start: ${calls} calls, ${requests} requests`);
      before = await countRecords(kafka, insights);
    },
  });
  report('the day after it, at the default intervals', day, site);
  // The clock may have moved on while the program ended.
  await keysBetween(kafka, api.world, {
    sinceMs: dayStartMs,
    untilMs: dayStartMs + hourMs + dayMs,
  });
  const calls = api.ledger.byEndpoint()['/{media}/insights']?.calls ?? 0;
  const changed = (await countRecords(kafka, insights)) - before;
  console.log(
    `  of ${calls} calls for insights ${changed} brought a record: ${calls - changed} found nothing changed`,
  );
  const ratios = { first: plan.first / first.calls, day: plannedDay / day.calls };
  console.log(
    `planned: first ${plan.first} calls (${ratios.first.toFixed(2)} of the measured), day ${plannedDay} (${ratios.day.toFixed(2)})`,
  );
  return { first, poll, day, ratios };
}

const missed: string[] = [];

function judge(name: string, measured: number, target: number): void {
  if (!command.hasTargets) return;
  const isMet = measured < target;
  const ratio = (measured / target).toFixed(2);
  console.log(`target: ${name} ${measured} of less than ${target} (${ratio} times)`);
  if (!isMet) missed.push(name);
}

const load = readLoad();
await using cluster = await startCluster({
  toMeasure: true,
  log: (line) => {
    console.log(line);
  },
});
await using sized = await startGraphApi({ world: createBigWorld() });
const size = measureWorld(sized);
const { accounts, media, children, stories } = size;
console.log(
  `world: ${accounts} accounts, ${media} media, ${children} children, ${stories} stories`,
);
const airbyte = { first: airbyteRequests(size, 130), sync: airbyteRequests(size, 18) };
const facebook = await measure(cluster, 'facebook');
const instagram = await measure(cluster, 'instagram');

console.log(`\nAirbyte by its formula: first ${airbyte.first} calls, each sync ${airbyte.sync}`);
const times = (ours: number, theirs: number) => (theirs / ours).toFixed(1);
console.log(
  `as many calls: first ${times(facebook.first.calls, airbyte.first)} times, ` +
    `a poll of everything ${times(facebook.poll.calls, airbyte.sync)} times, ` +
    `a day of one sync an hour ${times(facebook.day.calls, 24 * airbyte.sync)} times`,
);
judge('calls of the first sync', facebook.first.calls, targets.firstCalls);
judge('requests of the first sync', facebook.first.requests, targets.firstRequests);
judge('seconds of the first sync', facebook.first.seconds, targets.firstSeconds);
judge('calls of a day', facebook.day.calls, targets.dayCalls);
judge('requests of a day', facebook.day.requests, targets.dayRequests);
for (const [login, { ratios }] of [
  ['Facebook', facebook],
  ['Instagram', instagram],
] as const) {
  const difference = Math.max(Math.abs(1 - ratios.first), Math.abs(1 - ratios.day));
  judge(`difference of the plan, ${login} Login`, Math.round(difference * 100) / 100, 0.1);
}
judge('calls of the first sync, Instagram Login', instagram.first.calls, targets.firstCalls);
judge('calls of a day, Instagram Login', instagram.day.calls, targets.dayCalls);
const figures = quotaFigures({ facebook, instagram, airbyte });
judge('peak memory, MB', figures.peak_rss_mb, targets.peakRssMb);
process.exitCode = missed.length === 0 ? 0 : 1;
const reason = command.isRecorded ? recordTimes('quota', { ...load, figures }) : null;
if (reason !== null) console.log(reason);
console.log();
console.log(JSON.stringify(figures));
