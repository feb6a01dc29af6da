import type { TopicRole } from '../src/engine/stream-name.ts';
import { inboxRole } from '../src/engine/webhooks.ts';
import { compactedStreams, isStreamName, streams } from '../src/instagram/streams/index.ts';
import type { InstagramStream } from '../src/instagram/streams/stream.ts';
import { planTopics, type TopicPlan } from '../src/kafka/topic-plan.ts';
import { defaultConfig } from './default-config.ts';

/** The topics that are no stream's: their keys, and what a key's partition is computed from. */
const shared: Readonly<Record<TopicRole, { readonly key: string; readonly partition: string }>> = {
  state: { key: '`<stream>/<account id>`', partition: "the account's id" },
  dead_letters: { key: '`<stream>/<account id>`', partition: 'the key' },
  notifications: { key: '`<condition>`', partition: 'none: one partition' },
  [inboxRole]: { key: '`<account id>/<field>/<object id>`', partition: 'the key' },
};

/** Renders the topics: their keys, partitions, retention and tombstones. */
export function renderTopics(): string {
  const { kafka } = defaultConfig('all');
  const roles = [...Object.keys(streams), ...Object.keys(shared)];
  const options = { ...kafka, roles, compacted: compactedStreams, topicSettings: {} };
  return [
    '| Topic | Key | Partition by | Partitions | `cleanup.policy` | `retention.ms` | Tombstones |',
    '|---|---|---|---:|---|---|---|',
    ...planTopics({ ...options, eventTimed: [] }).map(topicRow),
  ].join('\n');
}

function topicRow({ role, name, partitions, policy, configs }: TopicPlan): string {
  const stream = isStreamName(role) ? streams[role] : undefined;
  const { key, partition } =
    stream === undefined ? sharedKey(role) : { key: keyOf(stream), partition: 'the key' };
  const cells = [`\`${name}\``, key, partition, `${partitions}`, `\`${policy}\``];
  return `| ${[...cells, retentionOf(configs['retention.ms']), tombstonesOf(role, stream)].join(' | ')} |`;
}

function sharedKey(role: TopicRole) {
  const found = shared[role];
  if (found === undefined) throw new Error(`scripts/topic-tables.ts: add the key of "${role}"`);
  return found;
}

function keyOf({ key }: InstagramStream): string {
  return key.map((part) => `\`${part}\``).join(', ');
}

const dayMs = 86_400_000;

function retentionOf(retentionMs: string | undefined): string {
  if (retentionMs === undefined) return '–';
  return retentionMs === '-1' ? '-1 (no limit)' : `${Number(retentionMs) / dayMs} days`;
}

function tombstonesOf(role: TopicRole, stream: InstagramStream | undefined): string {
  if (stream === undefined) return tombstonesOfShared[role] ?? 'none';
  const reasons = [
    ...(stream.tracksNodes ? ['with `KAFKA_TOMBSTONES`'] : []),
    ...(stream.author === null ? [] : ['by `forget`']),
  ];
  return reasons.join(', ') || 'none';
}

const tombstonesOfShared: Readonly<Record<TopicRole, string>> = {
  state: 'by `state reset`',
  [inboxRole]: 'of each change that is published',
};
