import type { Config } from './config/config.ts';
import { streamNames } from './engine/stream-name.ts';
import type { Freshness, SourceSettings } from './instagram/extract/extraction.ts';
import type { PollTools } from './engine/poll.ts';

/** What polls are told by the configuration. */
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

/** What extraction is told by the configuration. */
export function sourceSettings({ instagram, polling }: Config): SourceSettings {
  const { login, startDateMs, pageSize } = instagram;
  return { login, startDateMs, pageSize, freshness: freshnessOf(polling) };
}

/** The API's listing order and the age of media decide how often each is read again. */
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
