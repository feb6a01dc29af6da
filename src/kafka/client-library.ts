import { createRequire } from 'node:module';
import { codecs, type Compression } from './compression.ts';
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

const library = require('kafkajs') as typeof import('kafkajs');
const { CompressionCodecs, CompressionTypes } = library;
// All that kafkajs lacks, whatever this program is configured to send: the `compression.type` of a topic
// decides what the broker stores.
CompressionCodecs[CompressionTypes.Snappy] = () => codecs.snappy;
CompressionCodecs[CompressionTypes.LZ4] = () => codecs.lz4;
CompressionCodecs[CompressionTypes.ZSTD] = () => codecs.zstd;

/** What kafkajs calls them. */
export const compressionTypes = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} satisfies Record<Compression, unknown>;

export const {
  AssignerProtocol,
  ConfigResourceTypes,
  Kafka,
  KafkaJSAggregateError,
  KafkaJSError,
  KafkaJSProtocolError,
  logLevel,
} = library;
