import { Kafka, logLevel } from 'kafkajs';
import type { SandboxArguments, SandboxLogin } from './demo/arguments.ts';
import { type Cluster, startCluster } from './cluster/start.ts';
import { type GraphApi, startGraphApi } from './graph-api/server.ts';
import type { World } from './graph-api/world.ts';

/** A whole local world: Kafka, a schema registry and the Instagram simulator. */
export interface Sandbox extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly api: GraphApi;
  /** Value of the program's `KAFKA_TOPIC_TEMPLATE`. */
  readonly topicTemplate: string;
  /** The program's settings for it. */
  readonly env: Readonly<Record<string, string>>;
}

/** Options of a sandbox. */
export interface SandboxOptions extends Pick<SandboxArguments, 'givenCluster' | 'login'> {
  readonly world: World;
  /** Receives a line for a person at the beginning of each slow step. */
  readonly log: (line: string) => void;
  /** Aborts the start; parts that have started are stopped. */
  readonly signal: AbortSignal;
}

const DAY_MS = 86_400_000;
const BACKFILL_DAYS = 90;

/**
 * Starts all of the program's dependencies; disposal stops them.
 *
 * @throws Error when no cluster is available, or the given one already has topics of the prefix
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  await using stack = new AsyncDisposableStack();
  const { givenCluster, login, log, signal, world } = options;
  const sources =
    givenCluster === undefined ? (['docker', 'java'] as const) : (['environment'] as const);
  if (givenCluster === undefined) sayIgnored(process.env, log);
  const cluster = stack.use(await startCluster({ sources, log, signal }));
  if (givenCluster !== undefined) await refuseExisting(cluster, givenCluster);
  const api = stack.use(await startGraphApi({ world }));
  const owned = stack.move();
  return {
    cluster,
    api,
    topicTemplate: `${givenCluster ?? 'instagram'}.{stream}`,
    env: { ...environmentOf(cluster, api), ...loginOf(login, world), ...namesOf(givenCluster) },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Invented records reach a real cluster only by an explicit option. */
function sayIgnored(env: NodeJS.ProcessEnv, log: (line: string) => void): void {
  const names = ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL'].filter((name) => env[name] !== undefined);
  if (names.length === 0) return;
  log(`ignoring ${names.join(' and ')}: --given-cluster PREFIX uses that cluster`);
}

async function refuseExisting({ brokers }: Cluster, prefix: string): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = await admin.listTopics().finally(() => admin.disconnect());
  const existing = topics.filter((topic) => topic.startsWith(`${prefix}.`)).sort();
  if (existing.length === 0) return;
  throw new Error(
    `--given-cluster ${prefix}: the cluster has topics of this prefix (${existing.join(', ')}), and ` +
      'invented records are never added to existing ones; give another prefix, or delete these topics if they are of an earlier run',
  );
}

/** Returns separate names of topics, transactions and consumer groups for a shared cluster. */
function namesOf(prefix: string | undefined): Record<string, string> {
  if (prefix === undefined) return {};
  return {
    KAFKA_TOPIC_TEMPLATE: `${prefix}.{stream}`,
    KAFKA_TRANSACTIONAL_ID_PREFIX: prefix,
  };
}

function loginOf(login: SandboxLogin, { accounts, token }: World): Record<string, string> {
  if (login === 'facebook') return { INSTAGRAM_ACCESS_TOKEN: token };
  const tokens = accounts.map(({ instagramToken }) => instagramToken);
  return { INSTAGRAM_LOGIN: login, INSTAGRAM_ACCESS_TOKEN: tokens.join(',') };
}

function environmentOf(cluster: Cluster, api: GraphApi): Record<string, string> {
  const startDate = new Date(Date.now() - BACKFILL_DAYS * DAY_MS).toISOString().slice(0, 10);
  return {
    KAFKA_BROKERS: cluster.brokers.join(','),
    SCHEMA_REGISTRY_URL: cluster.registryUrl,
    INSTAGRAM_BASE_URL: api.url,
    INSTAGRAM_START_DATE: startDate,
  };
}
