import type { Clock } from './clock.ts';
import type { Account } from './model.ts';

type PresentGetter = 'user' | 'media' | 'stories' | 'series' | 'demographics';

/** An account without the getters that show the present. */
export type TimelessAccount = Omit<Account, PresentGetter>;

/** Adds the getters that show an account as it is at the clock's time. */
export function showPresent(account: TimelessAccount, clock: Clock): Account {
  return {
    ...account,
    get user() {
      return account.userAt(clock.now());
    },
    get media() {
      return account.mediaAt(clock.now());
    },
    get stories() {
      return account.storiesAt(clock.now());
    },
    get series() {
      const nowMs = clock.now();
      return account.daysAt({ sinceMs: account.seriesFromMs, untilMs: nowMs }, nowMs);
    },
    get demographics() {
      return account.demographicsAt(clock.now());
    },
  };
}
