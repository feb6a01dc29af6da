import { type Cluster, startCluster } from '../../sandbox/cluster/start.ts';
import { type GraphApi, startGraphApi } from '../../sandbox/graph-api/server.ts';
import { STREAM_NAMES } from '../integration/end-to-end/expected-records.ts';
import { type Fleet, createFleet } from './instances.ts';
import { type LogReader, createLogReader } from './log/log-reader.ts';
import { type Proxy, startProxy } from './proxy.ts';
import { openWebhooks } from './webhooks.ts';
import { type FastWorld, createFastWorld, WORLD_DAYS } from './world.ts';

/** What a run is. */
export interface ChaosOptions {
  /** How long faults last; coming to rest takes longer. */
  readonly minutes: number;
  readonly seed: number;
  readonly instances: number;
  /** The program to run in place of this project's own. */
  readonly main?: string;
  /** Version of Kafka in place of the sandbox's own. */
  readonly kafka?: string;
  /** Folder for a log file of each instance. */
  readonly logs?: string;
  /** Gets a line for people now and then. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Everything that a run needs: what is under test, its surroundings, and the ways between them. */
export interface Site extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly api: GraphApi;
  readonly fast: FastWorld;
  readonly fleet: Fleet;
  /** The ways that can be disturbed: one to each broker, to the registry, to the API. */
  readonly ways: readonly Proxy[];
  readonly reader: LogReader;
}

const BROKERS = 3;
const DAY_MS = 86_400_000;

/** How a role's topic is called. */
export function topicOf(role: string): string {
  return `chaos.${role.replaceAll('_', '-')}`;
}

/** Starts everything but the instances; disposing it stops whatever runs. */
export async function openSite(options: ChaosOptions): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const ways: Proxy[] = [];
  for (let count = 0; count < BROKERS + 2; count += 1) ways.push(stack.use(await startProxy()));
  const cluster = stack.use(
    await startCluster({
      brokers: BROKERS,
      proxies: ways.slice(0, BROKERS).map(({ address }) => address),
      // A cluster that was given cannot be killed.
      env: { ...process.env, KAFKA_BROKERS: '', SCHEMA_REGISTRY_URL: '' },
      ...(options.kafka === undefined ? {} : { versions: { kafka: options.kafka } }),
      log: options.say,
      signal: options.signal,
    }),
  );
  const fast = stack.use(createFastWorld(options.seed, options.minutes));
  const api = stack.use(await startGraphApi({ world: fast.world }));
  const targets = [
    ...(cluster.behindProxies ?? []),
    new URL(cluster.registryUrl).host,
    new URL(api.url).host,
  ];
  ways.forEach((way, index) => {
    way.leadTo(targets[index] ?? '');
  });
  const webhooks = stack.use(await openWebhooks(api, options.instances));
  const env = environmentOf({ cluster, fast, ways });
  const fleet = stack.use(
    await createFleet({
      size: options.instances,
      env: (index) => ({ ...env, ...webhooks.environmentOf(index) }),
      say: options.say,
      ...(options.main === undefined ? {} : { main: options.main }),
      ...(options.logs === undefined ? {} : { logs: options.logs }),
    }),
  );
  const owned = stack.move();
  return {
    cluster,
    api,
    fast,
    fleet,
    ways,
    reader: createLogReader({
      brokers: cluster.brokers,
      registryUrl: cluster.registryUrl,
      topics: [...STREAM_NAMES, 'comments', 'state', 'dead_letters'].map(topicOf),
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Everything is polled every few seconds, and waited for as short as may be. */
function environmentOf({
  cluster,
  fast,
  ways,
}: Pick<Site, 'cluster' | 'fast' | 'ways'>): Record<string, string> {
  const registryWay = ways[BROKERS]?.address ?? '';
  const apiWay = ways[BROKERS + 1]?.address ?? '';
  const startMs = fast.world.clock.now() - WORLD_DAYS * DAY_MS;
  return {
    KAFKA_BROKERS: ways
      .slice(0, BROKERS)
      .map(({ address }) => address)
      .join(','),
    KAFKA_TOPIC_TEMPLATE: 'chaos.{stream}',
    KAFKA_TRANSACTIONAL_ID_PREFIX: 'chaos',
    KAFKA_TOPICS_PARTITIONS: '3',
    KAFKA_TOPICS_STATE_PARTITIONS: '6',
    KAFKA_TOPICS_REPLICATION_FACTOR: '3',
    KAFKA_TOPICS_MIN_IN_SYNC_REPLICAS: '2',
    KAFKA_TRANSACTION_TIMEOUT: '10s',
    KAFKA_SEND_DEADLINE: '5s',
    KAFKA_CONNECTION_TIMEOUT: '2s',
    // The least that a broker allows unless it is told otherwise.
    KAFKA_GROUP_SESSION_TIMEOUT: '6s',
    KAFKA_GROUP_HEARTBEAT: '1s',
    KAFKA_GROUP_REBALANCE_TIMEOUT: '10s',
    // Polls of several transactions.
    KAFKA_MAX_BATCH_RECORDS: '20',
    SCHEMA_REGISTRY_URL: `http://${registryWay}${new URL(cluster.registryUrl).pathname}`,
    SCHEMA_REGISTRY_TIMEOUT: '3s',
    INSTAGRAM_BASE_URL: `http://${apiWay}`,
    INSTAGRAM_ACCESS_TOKEN: fast.world.token,
    INSTAGRAM_START_DATE: new Date(startMs).toISOString().slice(0, 10),
    INSTAGRAM_REQUEST_TIMEOUT: '5s',
    INSTAGRAM_ACCOUNTS_REFRESH: '5s',
    INSTAGRAM_PAGE_SIZE: '8',
    ...pollingEnvironment(),
    HTTP_PORT: '0',
    LOG_LEVEL: 'debug',
  };
}

function pollingEnvironment(): Record<string, string> {
  return {
    STREAMS: 'default,comments',
    // After the first polls, webhooks alone bring comments.
    STREAM_COMMENTS_INTERVAL: '24h',
    STREAM_USERS_INTERVAL: '2s',
    STREAM_USER_INSIGHTS_INTERVAL: '3s',
    STREAM_USER_LIFETIME_INSIGHTS_INTERVAL: '4s',
    STREAM_MEDIA_INTERVAL: '2s',
    STREAM_MEDIA_INSIGHTS_INTERVAL: '2s',
    STREAM_STORIES_INTERVAL: '1s',
    STREAM_STORY_INSIGHTS_INTERVAL: '1s',
    POLLING_JITTER: '0.3',
    // The world's past is young and its time is not the program's: everything is read at every poll.
    POLLING_LOOKBACK: '30d',
    POLLING_NEW_MEDIA_AGE: '365d',
    POLLING_RECENT_MEDIA_AGE: '3650d',
    POLLING_OLD_MEDIA_INTERVAL: '1s',
    POLLING_RECENT_MEDIA_INTERVAL: '1s',
    POLLING_MEDIA_LIST_INTERVAL: '1s',
    POLLING_RETRY_BASE: '200ms',
    POLLING_RETRY_MAX: '2s',
  };
}
