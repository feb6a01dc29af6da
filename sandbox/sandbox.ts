import type { Cluster } from './cluster/start.ts';
import { startCluster } from './cluster/start.ts';
import type { GraphApi } from './graph-api/server.ts';
import { startGraphApi } from './graph-api/server.ts';
import type { World } from './graph-api/world.ts';

/** A whole local world: Kafka, a schema registry and the Instagram simulator. */
export interface Sandbox extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly api: GraphApi;
  /** What the program must be told to run against it. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a sandbox is made of. */
export interface SandboxOptions {
  readonly world: World;
  /** Gets one line for a person whenever something slow begins. */
  readonly log?: (line: string) => void;
  /** Ends the start; what was started by then is stopped. */
  readonly signal?: AbortSignal;
}

const DAY_MS = 86_400_000;
const BACKFILL_DAYS = 90;

/** Starts everything that the program talks to; disposing it stops what was started. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  await using stack = new AsyncDisposableStack();
  const { log, signal, world } = options;
  const cluster = stack.use(await startCluster({ ...(log && { log }), ...(signal && { signal }) }));
  const api = stack.use(await startGraphApi({ world }));
  const owned = stack.move();
  return {
    cluster,
    api,
    env: environmentOf(cluster, api),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function environmentOf(cluster: Cluster, api: GraphApi): Record<string, string> {
  const startDate = new Date(Date.now() - BACKFILL_DAYS * DAY_MS).toISOString().slice(0, 10);
  return {
    KAFKA_BROKERS: cluster.brokers.join(','),
    SCHEMA_REGISTRY_URL: cluster.registryUrl,
    INSTAGRAM_BASE_URL: api.url,
    INSTAGRAM_ACCESS_TOKEN: api.world.token,
    INSTAGRAM_START_DATE: startDate,
  };
}
