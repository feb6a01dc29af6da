import {
  type InstagramAdapter,
  type InstagramDependencies,
  openInstagram,
} from '../../../src/instagram/index.ts';
import type { InstagramOptions } from '../../../src/instagram/options.ts';
import type {
  Clock,
  GraphRequest,
  TelemetryEvent,
  UsageReport,
} from '../../../src/engine/ports.ts';

/** The token of every test here; it may appear only in the Authorization header. */
export const token = 'EAAtestTOKEN0123456789abcdefghijklmnopqrstuvwxyz';

/** A clock that stands still, and whose sleepers the test wakes. */
export interface StandingClock extends Clock {
  /** The sleeping times in milliseconds, one per sleeper. */
  readonly sleeping: ReadonlySet<number>;
  wakeAll(): void;
}

function createStandingClock(nowMs: number): StandingClock {
  const sleepers = new Map<() => void, number>();
  return {
    get sleeping() {
      return new Set(sleepers.values());
    },
    nowMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.set(resolve, ms);
        signal.addEventListener('abort', () => {
          sleepers.delete(resolve);
          reject(signal.reason as Error);
        });
      }),
    wakeAll() {
      for (const wake of sleepers.keys()) wake();
    },
  };
}

/** An adapter under test and its events. */
export interface Opened extends InstagramAdapter {
  readonly events: readonly TelemetryEvent[];
  readonly usage: readonly UsageReport[];
  readonly clock: StandingClock;
}

/** Opens the real adapter against a test server. */
export function open(
  baseUrl: string,
  changes: Partial<InstagramOptions> = {},
  others: Partial<InstagramDependencies> = {},
): Opened {
  const events: TelemetryEvent[] = [];
  const usage: UsageReport[] = [];
  const clock = createStandingClock(Date.UTC(2026, 9, 5, 12));
  const options: InstagramOptions = {
    accessTokens: [token],
    apiVersion: 'v25.0',
    baseUrl,
    login: 'facebook',
    clientId: null,
    clientSecret: null,
    accounts: [],
    accountsExclude: [],
    accountPolling: { byAccount: {}, others: { streams: [], intervalsMs: {} } },
    businesses: [],
    requestTimeoutMs: 30_000,
    pageSize: 100,
    ...changes,
  };
  const telemetry = { report: (event: TelemetryEvent): void => void events.push(event) };
  const onUsage = (report: UsageReport): void => void usage.push(report);
  const adapter = openInstagram(options, { telemetry, clock, onUsage, ...others });
  return Object.assign(adapter, { events, usage, clock });
}

/** A page of media of one account. */
export const mediaRequest: GraphRequest = {
  endpoint: '/{account}/media',
  path: '/17841400000000001/media',
  query: { fields: 'id,caption', limit: '100' },
  accountId: '17841400000000001',
};

/** A signal that is never aborted. */
export const calm = new AbortController().signal;

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
}
