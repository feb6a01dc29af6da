import { dependencyNames } from '../../src/engine/readiness.ts';
import type { TelemetryEvent } from '../../src/engine/ports.ts';
import { account, failed, finished } from '../unit/observability/telemetry-events.ts';
import { type Captured, openCaptured } from '../unit/observability/captured-observability.ts';

/** The time at which the tests begin. */
export const startMs = Date.UTC(2026, 10, 25, 6);
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** The real server, and the telemetry that feeds it. */
export interface Served extends Captured {
  readonly url: string;
}

/** Serves the status of a program that polls three streams every hour and has reported nothing yet. */
export async function serve(
  changes: Parameters<typeof openCaptured>[0] = {},
  controls?: Parameters<typeof openCaptured>[1],
): Promise<Served> {
  const streams = {
    stories: { intervalMs: hourMs / 4 },
    media: { intervalMs: hourMs },
    user_insights: { intervalMs: 3 * hourMs },
  };
  const open = openCaptured({ streams, secrets: ['hush-hush'], ...changes }, controls);
  open.setNowMs(startMs);
  const listening = await open.listen();
  return { ...open, url: listening?.url ?? '' };
}

/** Reports a healthy program, except for one account with an expired token and one limit. */
export function reportDay(open: Captured): void {
  const report = (event: TelemetryEvent): void => {
    open.telemetry.report(event);
  };
  for (const name of dependencyNames) {
    report({ type: 'dependency', name, ready: true, reason: '' });
  }
  const named = { ...account('17841400000000001'), username: 'museum_of_letters' };
  report({
    type: 'accounts',
    added: [named, account('17841400000000002'), account('17841400000000003')],
    removed: [],
  });
  open.setNowMs(startMs + 5 * minuteMs);
  for (const accountId of ['17841400000000001', '17841400000000002']) {
    const nextPollMs = startMs + 65 * minuteMs;
    report(finished({ stream: 'media', accountId, records: 1204, requests: 31, nextPollMs }));
    report(finished({ stream: 'stories', accountId, records: 3, deadLetters: 1, nextPollMs }));
  }
  report(
    failed({
      accountId: '17841400000000003',
      stream: 'media',
      code: 'graph.token',
      disposition: 'stop-account',
      message: 'account 17841400000000003: the token has expired (hush-hush)',
      retryInMs: null,
    }),
  );
  report(failed({ accountId: '17841400000000002', stream: 'user_insights', retryInMs: minuteMs }));
  report({
    type: 'token',
    name: 'default',
    expiresAtMs: startMs + 9.5 * 24 * hourMs,
    action: 'It ends in 9 days; no (hush-hush). Get a new one.',
  });
  report({
    type: 'api-version',
    version: 'v21.0',
    endsAtMs: startMs + 57 * 24 * hourMs,
    warning: 'v21.0 ends on 2027-01-21. Set a later one.',
  });
  report({
    type: 'scope',
    scope: { kind: 'app', id: '' },
    percent: 34,
    state: 'free',
    untilMs: null,
  });
  report({
    type: 'scope',
    scope: { kind: 'account', id: '17841400000000001' },
    percent: 81,
    state: 'slowed',
    untilMs: null,
  });
  report({
    type: 'scope',
    scope: { kind: 'page', id: '1002' },
    percent: 100,
    state: 'stopped',
    untilMs: startMs + 40 * minuteMs,
  });
}

/** Reports that the account whose token has expired is no longer listed. */
export function removeStoppedAccount(open: Captured): void {
  open.telemetry.report({ type: 'accounts', added: [], removed: [account('17841400000000003')] });
}

/** Reports records, calls, usage and polls of the hour before, and of the current one. */
export function reportTwoHours(open: Captured): void {
  const report = (event: TelemetryEvent): void => {
    open.telemetry.report(event);
  };
  const scope = { type: 'scope', state: 'free', untilMs: null } as const;
  open.setNowMs(startMs - hourMs);
  report({ type: 'committed', stream: 'media', records: 1200, deadLetters: 0 });
  report({ type: 'request', endpoint: '/{account}', calls: 40, outcome: 'ok', durationMs: 5 });
  report({ ...scope, scope: { kind: 'app', id: '' }, percent: 60 });
  report(finished({ stream: 'media', durationMs: 2000 }));
  open.setNowMs(startMs);
  report({ type: 'committed', stream: 'media', records: 34, deadLetters: 0 });
  report({ type: 'committed', stream: 'stories', records: 5, deadLetters: 0 });
  report({ type: 'request', endpoint: '/{account}', calls: 7, outcome: 'ok', durationMs: 5 });
  report({ ...scope, scope: { kind: 'app', id: '' }, percent: 34 });
  report({ ...scope, scope: { kind: 'account', id: '17841400000000001' }, percent: 81 });
  report(finished({ stream: 'stories', durationMs: 500 }));
  report(finished({ stream: 'stories', durationMs: 90_000 }));
}

/** Reports calls of media an hour before, of which most found nothing. */
export function reportCalls(open: Captured): void {
  open.setNowMs(startMs - hourMs);
  open.telemetry.report({
    type: 'calls',
    stream: 'media',
    accountId: '17841400000000001',
    calls: 50,
    results: { new: { found: 10, nothing: 10 }, old: { found: 0, nothing: 30 } },
    impressions: null,
  });
  open.setNowMs(startMs);
}
