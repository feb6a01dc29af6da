import type { Problem } from './config-error.ts';
import type { PlacedLeaf } from './leaf.ts';

interface Relation {
  readonly path: string;
  readonly other: string;
  readonly came: string;
  readonly expected: string;
  readonly action: string;
  readonly holds: (value: unknown, other: unknown) => boolean;
}

const relations: readonly Relation[] = [
  {
    path: 'schemaRegistry.password',
    other: 'schemaRegistry.username',
    came: 'one of user name and password',
    expected: 'both or neither',
    action: 'set SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD, or remove both',
    holds: (password, username) => (password === null) === (username === null),
  },
  {
    path: 'polling.retryBase',
    other: 'polling.retryMax',
    came: 'a first wait longer than the longest',
    expected: 'at most polling.retryMax',
    action: 'lower POLLING_RETRY_BASE or raise POLLING_RETRY_MAX',
    holds: (base, max) => Number(base) <= Number(max),
  },
  {
    path: 'polling.newMediaAge',
    other: 'polling.recentMediaAge',
    came: 'an age of new media above that of recent ones',
    expected: 'at most polling.recentMediaAge',
    action: 'lower POLLING_NEW_MEDIA_AGE or raise POLLING_RECENT_MEDIA_AGE',
    holds: (newest, recent) => Number(newest) <= Number(recent),
  },
  {
    path: 'kafka.group.heartbeat',
    other: 'kafka.group.sessionTimeout',
    came: 'fewer than three heartbeats a session',
    expected: 'at most a third of kafka.group.sessionTimeout',
    action: 'lower KAFKA_GROUP_HEARTBEAT or raise KAFKA_GROUP_SESSION_TIMEOUT',
    holds: (heartbeat, session) => Number(heartbeat) * 3 <= Number(session),
  },
  {
    path: 'kafka.topics.minInSyncReplicas',
    other: 'kafka.topics.replicationFactor',
    came: 'more in-sync replicas than replicas',
    expected: 'at most kafka.topics.replicationFactor',
    action: 'lower KAFKA_TOPICS_MIN_IN_SYNC_REPLICAS or raise KAFKA_TOPICS_REPLICATION_FACTOR',
    holds: (inSync, replicas) => replicas === -1 || Number(inSync) <= Number(replicas),
  },
];

/** What does not fit together among fields that are right by themselves. */
export function relationProblems(
  values: ReadonlyMap<string, unknown>,
  leaves: readonly PlacedLeaf[],
): readonly Problem[] {
  return relations
    .filter(({ path, other }) => values.has(path) && values.has(other))
    .filter(({ path, other, holds }) => !holds(values.get(path), values.get(other)))
    .map(({ path, came, expected, action }) => {
      const env = leaves.find((leaf) => leaf.path === path)?.env ?? null;
      return { path, env, came, expected, action };
    });
}
