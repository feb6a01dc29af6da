import { type Cluster, type ClusterRequest, createUnsupportedFaults } from './cluster.ts';
import { acceptsConnections, registryServes } from './readiness.ts';

const ANSWER_TIMEOUT_MS = 3_000;
const REASON =
  'this cluster was given by KAFKA_BROKERS and SCHEMA_REGISTRY_URL; unset both to get one that can be stopped and started';

/**
 * Uses the cluster that `KAFKA_BROKERS` (comma list of `host:port`) and `SCHEMA_REGISTRY_URL` name.
 *
 * @throws Error when one of them is not set, or does not answer within three seconds
 */
export async function useEnvironment(request: ClusterRequest): Promise<Cluster> {
  if ((request.proxies?.length ?? 0) > 0) throw new Error('its brokers know no proxies');
  if (request.versions !== undefined) throw new Error('it has the versions that it has');
  const brokers = splitBrokers(readVariable(request.env, 'KAFKA_BROKERS'));
  const registryUrl = readVariable(request.env, 'SCHEMA_REGISTRY_URL').replace(/\/+$/, '');
  request.log(`using the cluster of KAFKA_BROKERS (${brokers.join(',')}) and SCHEMA_REGISTRY_URL`);
  const [answering, registry] = await Promise.all([
    Promise.all(brokers.map((broker) => acceptsConnections(broker, ANSWER_TIMEOUT_MS))),
    registryServes(registryUrl, ANSWER_TIMEOUT_MS),
  ]);
  if (!answering.some(Boolean)) throw new Error('no broker of KAFKA_BROKERS accepts connections');
  if (!registry) throw new Error('SCHEMA_REGISTRY_URL does not answer GET /subjects with success');
  return {
    source: 'environment',
    brokers,
    registryUrl,
    broker: createUnsupportedFaults(REASON),
    registry: createUnsupportedFaults(REASON),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function readVariable(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name]?.trim() ?? '';
  if (value === '') throw new Error(`${name} is not set`);
  return value;
}

function splitBrokers(list: string): string[] {
  return list
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
}
