import type { Cluster, ClusterOptions, ClusterRequest, ClusterSource } from './cluster.ts';
import { startByDocker } from './docker.ts';
import { useEnvironment } from './environment.ts';
import { startByJava } from './java.ts';

export type { Cluster, ClusterOptions } from './cluster.ts';

/** A way to start a cluster; rejects with the reason when it is unavailable. */
export interface Candidate {
  readonly source: ClusterSource;
  /** Its requirement, for the message when no candidate is available. */
  readonly needs: string;
  readonly start: (request: ClusterRequest) => Promise<Cluster>;
}

const CANDIDATES: readonly Candidate[] = [
  {
    source: 'environment',
    needs: 'KAFKA_BROKERS and SCHEMA_REGISTRY_URL of a running cluster',
    start: useEnvironment,
  },
  { source: 'docker', needs: 'a running Docker engine', start: startByDocker },
  { source: 'java', needs: 'Java 17 or later and Maven', start: startByJava },
];

/**
 * Starts a real Kafka and a real Schema Registry from the first available origin: the environment,
 * Docker, Java.
 * Its processes end with the cluster's disposal and with this process, even by SIGKILL. Several
 * clusters, in one process or many, do not disturb each other.
 *
 * @throws Error that names every origin and its error; the signal's reason when it aborts
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { sources } = options;
  const candidates = CANDIDATES.filter(({ source }) => sources?.includes(source) ?? true);
  return startFirst(candidates, {
    brokers: options.brokers ?? 1,
    proxies: options.proxies ?? [],
    versions: options.versions,
    registryJava: options.registryJava,
    toMeasure: options.toMeasure ?? false,
    env: options.env ?? process.env,
    log: options.log ?? (() => undefined),
    signal: options.signal,
  });
}

/**
 * Starts the first available candidate.
 *
 * @throws Error with the requirement and the error of every candidate, in order
 */
export async function startFirst(
  candidates: readonly Candidate[],
  request: ClusterRequest,
): Promise<Cluster> {
  const failures: string[] = [];
  for (const { source, needs, start } of candidates) {
    request.signal?.throwIfAborted();
    try {
      return await start(request);
    } catch (error) {
      request.signal?.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(`- ${source} (needs ${needs}): ${reason}`);
      request.log(`cannot use ${source}: ${reason.split('\n', 1)[0] ?? ''}`);
    }
  }
  throw new Error(
    `found no way to run Kafka and a schema registry; give one of these:\n${failures.join('\n')}`,
  );
}
