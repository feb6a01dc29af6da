import { createRequire } from 'node:module';
import type { Admin, Kafka as KafkaClient } from 'kafkajs';
import { correctCommittedReads, patches } from './patches.ts';
import { codecs, type Compression } from './compression.ts';

const require = createRequire(import.meta.url);
/** The version that the patches fit; any other version runs unpatched. */
const patchedVersion = '2.2.4';

// Patched before kafkajs itself is loaded, because its modules keep references to what they
// require.
if ((require('kafkajs/package.json') as { version: string }).version === patchedVersion) {
  for (const [path, patch] of Object.entries(patches)) {
    const original = require(path) as never;
    const module = require.cache[require.resolve(path)];
    if (module !== undefined) module.exports = patch(original);
  }
}

const library = require('kafkajs') as typeof import('kafkajs');
correctCommittedReads(require);
logThrottling();
const { CompressionCodecs, CompressionTypes } = library;
// Registers every codec that kafkajs lacks, not only the configured one: a topic's `compression.type`
// decides the codec that its readers need.
CompressionCodecs[CompressionTypes.Snappy] = () => codecs.snappy;
CompressionCodecs[CompressionTypes.LZ4] = () => codecs.lz4;
CompressionCodecs[CompressionTypes.ZSTD] = () => codecs.zstd;

/** Numbers of the codecs in kafkajs. */
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
  KafkaJSSASLAuthenticationError,
  logLevel,
} = library;

const readUncommitted = 0;

/**
 * Creates an admin client whose `fetchTopicOffsets` reports the high watermark as the end. The
 * method of kafkajs 2.2.4 always reports the last stable offset, which hides records after an open
 * transaction.
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

interface ThrottledRequestQueue {
  readonly broker: string;
  readonly logger: { info(message: string, fields: object): void };
  maybeThrottle: (this: ThrottledRequestQueue, throttleMs: number | null | undefined) => void;
}

/**
 * Patches every connection of this process to log the broker's throttling as `throttleMs`. kafkajs
 * waits as requested, but reports it in no event and only on level `debug`.
 */
function logThrottling(): void {
  const queue = require('kafkajs/src/network/requestQueue') as {
    readonly prototype: ThrottledRequestQueue;
  };
  // The original class of kafkajs, below the patched one.
  let owner = queue.prototype;
  while (!Object.hasOwn(owner, 'maybeThrottle'))
    owner = Object.getPrototypeOf(owner) as ThrottledRequestQueue;
  const original = owner.maybeThrottle;
  owner.maybeThrottle = function (throttleMs) {
    original.call(this, throttleMs);
    if (typeof throttleMs !== 'number' || throttleMs <= 0) return;
    this.logger.info('Throttled by a quota', { broker: this.broker, throttleMs });
  };
}
