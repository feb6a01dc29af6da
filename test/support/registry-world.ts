import { randomUUID } from 'node:crypto';
import { startCluster } from '../../sandbox/cluster/start.ts';
import type { Json } from '../../src/engine/json.ts';
import { topicName, type TopicRole } from '../../src/engine/stream-name.ts';
import {
  openRegistry,
  type RegistryAdapter,
  type RegistryOptions,
} from '../../src/registry/index.ts';
import { noSignal, registryOptions } from './registry-options.ts';

/** Subjects of a test's own in a real registry that tests may share. */
export interface RegistryWorld extends AsyncDisposable {
  readonly url: string;
  /** Opens an adapter on the world's subjects; nothing is prepared. */
  open(changes?: Partial<RegistryOptions>): RegistryAdapter;
  /** An adapter whose schemas are prepared. */
  openReady(changes?: Partial<RegistryOptions>): Promise<RegistryAdapter>;
  subjectOf(role: TopicRole): string;
  /** The world's subjects that the registry has, sorted. */
  listSubjects(): Promise<readonly string[]>;
  /** GETs a path of the registry. */
  get(path: string): Promise<Json>;
  /** Registers a schema as another program would; gives the answer's status. */
  register(role: TopicRole, schema: Json): Promise<number>;
}

/** Joins, or starts, a cluster and makes a world in its registry. */
export async function createRegistryWorld(): Promise<RegistryWorld> {
  const cluster = await startCluster();
  const prefix = `t-${randomUUID().slice(0, 8)}`;
  const topicTemplate = `${prefix}.{stream}`;
  const subjectOf = (role: TopicRole) => `${topicName(topicTemplate, role)}-value`;
  const open: RegistryWorld['open'] = (changes = {}) =>
    openRegistry(registryOptions(cluster.registryUrl, { topicTemplate, ...changes }));
  const get = async (path: string) => {
    const response = await fetch(`${cluster.registryUrl}${path}`);
    return (await response.json()) as Json;
  };
  return {
    url: cluster.registryUrl,
    open,
    async openReady(changes) {
      const registry = open(changes);
      await registry.prepare(noSignal);
      return registry;
    },
    subjectOf,
    async listSubjects() {
      const subjects = (await get('/subjects')) as readonly string[];
      return subjects.filter((subject) => subject.startsWith(`${prefix}.`)).sort();
    },
    get,
    async register(role, schema) {
      const response = await fetch(`${cluster.registryUrl}/subjects/${subjectOf(role)}/versions`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify({ schema: JSON.stringify(schema) }),
      });
      await response.body?.cancel();
      return response.status;
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}
