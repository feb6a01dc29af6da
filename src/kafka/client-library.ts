import { createRequire } from 'node:module';
import type { Admin, Kafka as KafkaClient } from 'kafkajs';
import { quickParts } from './quick-parts.ts';

const require = createRequire(import.meta.url);
/** The one whose parts are known; any other is used as it is. */
const knownVersion = '2.2.4';

// Before kafkajs itself is loaded: its files keep what they once required.
if ((require('kafkajs/package.json') as { version: string }).version === knownVersion) {
  for (const [path, quicken] of Object.entries(quickParts)) {
    const original = require(path) as never;
    const module = require.cache[require.resolve(path)];
    if (module !== undefined) module.exports = quicken(original);
  }
}

export const {
  AssignerProtocol,
  ConfigResourceTypes,
  Kafka,
  KafkaJSAggregateError,
  KafkaJSError,
  KafkaJSProtocolError,
  logLevel,
} = require('kafkajs') as typeof import('kafkajs');

const readUncommitted = 0;

/**
 * An administrator whose `fetchTopicOffsets` reports the high watermark as the end. That of kafkajs 2.2.4
 * reports the last stable offset and has no option, so that what follows an open transaction is hidden.
 */
export function createHighWatermarkAdmin(client: KafkaClient): Admin {
  const symbol = Object.getOwnPropertySymbols(client).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  if (symbol === undefined) return client.admin();
  const createCluster = Reflect.get(client, symbol) as (options: object) => unknown;
  const value = (options: object) => createCluster({ ...options, isolationLevel: readUncommitted });
  return (Object.create(client, { [symbol]: { value } }) as KafkaClient).admin();
}
