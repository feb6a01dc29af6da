import { topicName } from '../src/engine/stream-name.ts';
import { streams } from '../src/instagram/streams/index.ts';
import type { InstagramStream } from '../src/instagram/streams/stream.ts';

/** Renders the table of keys in `docs/consuming.md`. */
export function renderKeys(): string {
  return [
    '| Topic | Primary key | Kafka keeps | Tombstones |',
    '|---|---|---|---|',
    ...Object.values(streams).map(keysRow),
  ].join('\n');
}

function keysRow(stream: InstagramStream): string {
  const { name, key, isCompacted } = stream;
  return `| ${[
    `\`${topicName('instagram.{stream}', name)}\``,
    key.map((part) => `\`${part}\``).join(', '),
    isCompacted ? 'the last record of a key' : 'every record',
    tombstonesOf(stream),
  ].join(' | ')} |`;
}

function tombstonesOf({ tracksNodes, author }: InstagramStream): string {
  const reasons = [
    ...(tracksNodes ? ['with `KAFKA_TOMBSTONES`'] : []),
    ...(author === null ? [] : ['by `forget`']),
  ];
  return reasons.join(', ') || 'none';
}
