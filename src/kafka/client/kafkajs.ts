import { createRequire } from 'node:module';
import type { Admin, Kafka as KafkaClient } from 'kafkajs';
import { codecs, type Compression } from './compression.ts';
import { patches } from './patches.ts';

const require = createRequire(import.meta.url);
/** The version that the patches are for; any other is used unpatched. */
const patchedVersion = '2.2.4';

// Before kafkajs itself is loaded: its modules keep what they have required.
if ((require('kafkajs/package.json') as { version: string }).version === patchedVersion) {
  for (const [path, patch] of Object.entries(patches)) {
    const original = require(path) as never;
    const module = require.cache[require.resolve(path)];
    if (module !== undefined) module.exports = patch(original);
  }
}

const library = require('kafkajs') as typeof import('kafkajs');
const { CompressionCodecs, CompressionTypes } = library;
// Every codec that kafkajs lacks, not only the configured one: a topic's `compression.type` decides which
// codec its readers meet.
CompressionCodecs[CompressionTypes.Snappy] = () => codecs.snappy;
CompressionCodecs[CompressionTypes.LZ4] = () => codecs.lz4;
CompressionCodecs[CompressionTypes.ZSTD] = () => codecs.zstd;

/** The codecs' numbers in kafkajs. */
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

interface RequestQueue {
  readonly broker: string;
  readonly logger: { info(message: string, fields: object): void };
  maybeThrottle: (this: RequestQueue, throttleMs: number | null | undefined) => void;
}

let logged = false;

/**
 * Has every connection of this process log how long a broker throttles it, as `throttleMs`, once. kafkajs
 * waits as it is told to, and reports that in no event and on no level but `debug`.
 */
export function logThrottling(): void {
  if (logged) return;
  logged = true;
  const queue = require('kafkajs/src/network/requestQueue') as { readonly prototype: RequestQueue };
  // The class of kafkajs itself, below the one that is patched.
  let owner = queue.prototype;
  while (!Object.hasOwn(owner, 'maybeThrottle'))
    owner = Object.getPrototypeOf(owner) as RequestQueue;
  const original = owner.maybeThrottle;
  owner.maybeThrottle = function (throttleMs) {
    original.call(this, throttleMs);
    if (typeof throttleMs !== 'number' || throttleMs <= 0) return;
    this.logger.info('Throttled by a quota', { broker: this.broker, throttleMs });
  };
}
