import type { Account } from '../core/account.ts';
import type { Scope } from '../core/errors.ts';

/** Which scopes of a limit are paused, and until when. */
export interface Limits {
  /** Nothing in the scope may be asked for `ms`; a longer pause that holds already stays. */
  pause(scope: Scope, ms: number): void;
  /** Milliseconds until the account may be asked again; 0 when it may. */
  delayMs(account: Account): number;
}

/** Keeps the pauses of one token's scopes. */
export function createLimits(nowMs: () => number): Limits {
  const untilMs = new Map<string, number>();
  const keyOf = ({ kind, id }: Scope) =>
    kind === 'account' || kind === 'page' ? `${kind} ${id}` : kind;
  return {
    pause(scope, ms) {
      const key = keyOf(scope);
      untilMs.set(key, Math.max(untilMs.get(key) ?? 0, nowMs() + ms));
    },
    delayMs(account) {
      const keys = ['app', 'user', `account ${account.id}`, `page ${account.pageId ?? ''}`];
      const latest = Math.max(...keys.map((key) => untilMs.get(key) ?? 0));
      return Math.max(0, latest - nowMs());
    },
  };
}
