import type { Config } from './config/config.ts';
import type { SourceSettings } from './instagram/extract/extraction.ts';
import { withExtra, withoutExcluded } from './instagram/extract/requested.ts';
import { type InstagramStreamName, streams } from './instagram/streams/index.ts';

/** The time that Meta takes to report an ended story is not documented. */
const webhookWaitMs = 3_600_000;
/** The most pages of each list of a hashtag in a poll. */
export const hashtagPages = 10;

/** Returns the settings by which the API is read. */
export function sourceSettings({
  instagram,
  polling,
  webhookReceiver,
}: Pick<Config, 'instagram' | 'polling' | 'webhookReceiver'>): SourceSettings {
  const { login, startDateMs, pageSize, discoveredUsers, discoveredMediaAgeMs, hashtags } =
    instagram;
  return {
    login,
    startDateMs,
    pageSize,
    publicContent: {
      users: discoveredUsers,
      mediaAgeMs: discoveredMediaAgeMs,
      hashtags,
      hashtagPages,
    },
    // Media are read again at intervals by their age, and by the API's listing order.
    freshness: {
      tiers: [
        { untilAgeMs: polling.newMediaAgeMs, everyMs: 0 },
        { untilAgeMs: polling.recentMediaAgeMs, everyMs: polling.recentMediaIntervalMs },
        { untilAgeMs: Infinity, everyMs: polling.oldMediaIntervalMs },
      ],
      wholeListMs: polling.mediaListIntervalMs,
      newestMs: polling.newMediaAgeMs,
    },
    // Instagram Login has no webhooks of stories.
    storyFinalWaitMs: webhookReceiver.port === null || login === 'instagram' ? 0 : webhookWaitMs,
  };
}

/** Returns a stream with the requests of the configuration: extra metrics, no excluded fields. */
export function requestedStream(config: Config, name: InstagramStreamName) {
  const { exclude, extra } = config.streams[name];
  return withExtra(withoutExcluded(streams[name], exclude), extra);
}
