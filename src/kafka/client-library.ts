import { createRequire } from 'node:module';
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
