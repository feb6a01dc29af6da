import type { Config } from './config/config.ts';
import { streamNames } from './engine/stream-name.ts';
import type { Freshness, SourceSettings } from './instagram/extract/extraction.ts';
import type { PollTools } from './engine/poll-context.ts';

/** The settings of polls, from the configuration. */
export function pollSettings(config: Config, instance: string): PollTools['settings'] {
  const { polling, kafka } = config;
  return {
    lookbackMs: polling.lookbackMs,
    maxBatchRecords: kafka.maxBatchRecords,
    publish: Object.fromEntries(streamNames.map((name) => [name, config.streams[name].publish])),
    tombstones: kafka.tombstones,
    instance,
  };
}

/** The settings of the source, from the configuration. */
export function sourceSettings({ instagram, polling }: Config): SourceSettings {
  const { login, startDateMs, pageSize } = instagram;
  return { login, startDateMs, pageSize, freshness: freshnessOf(polling) };
}

/** The intervals at which media are read again, by their age and by the API's listing order. */
function freshnessOf(polling: Config['polling']): Freshness {
  return {
    tiers: [
      { untilAgeMs: polling.newMediaAgeMs, everyMs: 0 },
      { untilAgeMs: polling.recentMediaAgeMs, everyMs: polling.recentMediaIntervalMs },
      { untilAgeMs: Infinity, everyMs: polling.oldMediaIntervalMs },
    ],
    wholeListMs: polling.mediaListIntervalMs,
    newestMs: polling.newMediaAgeMs,
  };
}
