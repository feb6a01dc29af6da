import type { Config } from './config/config.ts';
import type { Overrides } from './engine/overrides.ts';
import type { AccountChoice } from './instagram/account-choice.ts';
import type { NarrowedDirectory } from './instagram/directory.ts';
import type { InstagramSource } from './instagram/extract/extract.ts';
import type { PublicContent } from './instagram/extract/extraction.ts';
import type { InstagramStreamName } from './instagram/streams/index.ts';

/** The settings that may change while the program runs. */
export interface LiveSettings {
  /** Changes the interval of a stream; ignores one that is disabled or follows a cron expression. */
  readonly setInterval: (stream: InstagramStreamName, intervalMs: number) => void;
  /** Changes the choice of accounts, their streams and intervals, from the next listing on. */
  readonly setAccounts: (changes: Partial<AccountChoice>) => void;
  /** Changes the lists of public content, from the next poll on. */
  readonly setPublicContent: (changes: Partial<PublicContent>) => void;
}

interface LiveParts {
  readonly overrides: Overrides;
  readonly directory: NarrowedDirectory;
  readonly source: InstagramSource;
}

export function liveSettings(
  config: Config,
  { overrides, directory, source }: LiveParts,
): LiveSettings {
  return {
    setInterval(stream, intervalMs) {
      const { enabled, schedule } = config.streams[stream];
      if (enabled && schedule === null) overrides.setInterval(stream, intervalMs);
    },
    setAccounts(changes) {
      directory.setAccounts(changes);
    },
    setPublicContent(changes) {
      source.setPublicContent(changes);
    },
  };
}
