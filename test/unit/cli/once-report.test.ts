import { describe, expect, test } from '@jest/globals';
import {
  createOnceTally,
  describeProgress,
  describeLeftOut,
  describePaused,
  describeSummary,
  isSpotless,
} from '../../../src/cli/once-report.ts';
import { StopStreamError } from '../../../src/engine/errors.ts';
import type { PolledJob } from '../../../src/engine/once.ts';
import type { TelemetryEvent } from '../../../src/engine/ports.ts';
import { streams } from '../../../src/instagram/streams/index.ts';
import { startJob } from '../../../src/engine/poller.ts';
import { account } from '../../support/accounts.ts';

const finished: TelemetryEvent = {
  type: 'poll-finished',
  stream: 'media',
  accountId: account.id,
  records: 12,
  deadLetters: 1,
  requests: 2,
  calls: 2,
  requestedMedia: 0,
  answeredNodes: 0,
  skipped: { 'graph.gone': 3 },
  leftOut: [{ reason: 'graph.gone', subject: '7/8' }],
  unknownFields: [],
  durationMs: 1250,
  nextPollMs: null,
  trigger: 'schedule',
};

const failed: TelemetryEvent = {
  type: 'poll-failed',
  stream: 'tags',
  accountId: account.id,
  code: 'graph.rate-limited',
  disposition: 'wait',
  message: 'a limit',
  retryInMs: 60_000,
  nextPollMs: null,
  trigger: 'schedule',
};

function ending(name: 'media' | 'tags', outcome: PolledJob['outcome']): PolledJob {
  return { job: startJob(streams[name], account, new Map()).job, outcome };
}

function step(changes: Partial<Extract<TelemetryEvent, { type: 'progress' }>>): TelemetryEvent {
  return {
    type: 'progress',
    stream: 'user_insights',
    accountId: '1',
    step: 3,
    of: 24,
    coveredUntilMs: Date.UTC(2025, 2, 2, 8),
    records: 90,
    ...changes,
  };
}

describe('the summary of once', () => {
  test('names paused streams, and is ok without their polls', () => {
    const job = (name: 'media' | 'tags', untilMs: number | null) => ({
      ...startJob(streams[name], account, new Map()).job,
      pause: { sinceMs: Date.UTC(2026, 10, 30, 8), untilMs },
    });
    const paused = [job('media', null), job('tags', Date.UTC(2026, 11, 1, 8))];
    const once = { polled: [], paused, problems: [], warnings: [] };
    const summary = createOnceTally().summary(once, 0);

    const since = '2026-11-30T08:00:00Z';
    expect(summary).toMatchObject({
      ok: true,
      paused: [
        { stream: 'media', account: account.id, since, until: null },
        { stream: 'tags', account: account.id, since, until: '2026-12-01T08:00:00Z' },
      ],
    });
    expect(describePaused(summary)).toEqual([
      `media of account ${account.id}: not polled, paused since ${since}; resume it by the control API`,
      `tags of account ${account.id}: not polled, paused since ${since} until 2026-12-01T08:00:00Z`,
    ]);
    expect(describeSummary(summary)).toMatch(/^0 polls, all succeeded; 2 paused; /);
  });

  test('sums records, skipped nodes and requests, and has the outcome of each poll', () => {
    const tally = createOnceTally();
    tally.report({ type: 'committed', stream: 'media', records: 12, deadLetters: 1 });
    tally.report({ type: 'committed', stream: 'tags', records: 5, deadLetters: 0 });
    tally.report({ type: 'request', endpoint: '/', calls: 1, outcome: 'ok', durationMs: 3 });
    tally.report(finished);
    const error = new StopStreamError('graph.permission', 'not allowed');
    tally.report({
      type: 'poll-failed',
      stream: 'tags',
      accountId: account.id,
      code: 'graph.permission',
      disposition: 'stop-stream',
      message: 'not allowed',
      requests: 8,
      retryInMs: null,
      nextPollMs: null,
      trigger: 'schedule',
    });
    const polled = [
      ending('media', { kind: 'done' }),
      ending('tags', { kind: 'stop-stream', error }),
    ];

    const summary = tally.summary({ polled, paused: [], problems: [], warnings: [] }, 2000);

    expect(summary).toEqual({
      ok: false,
      records: 17,
      dead_letters: 1,
      skipped: { 'graph.gone': 3 },
      requests: 1,
      duration_ms: 2000,
      polls: [
        {
          stream: 'media',
          account: account.id,
          result: 'done',
          records: 12,
          dead_letters: 1,
          requests: 2,
          duration_ms: 1250,
          left_out: [{ reason: 'graph.gone', subject: '7/8' }],
          error: null,
        },
        {
          stream: 'tags',
          account: account.id,
          result: 'failed',
          records: 0,
          dead_letters: 0,
          requests: 8,
          duration_ms: 0,
          left_out: [],
          error: 'graph.permission: not allowed',
        },
      ],
      paused: [],
      problems: [],
      warnings: [],
    });
    expect(describeLeftOut(summary)).toEqual([
      `media of account ${account.id}: left out 7/8 (graph.gone)`,
    ]);
    expect(describeSummary(summary)).toBe(
      '2 polls, 1 failed; 17 records; 1 dead letter; skipped 3 graph.gone; 1 request in 2.0 s',
    );
  });

  test('is complete only without dead letters and without skipped nodes', () => {
    const sum = (event: TelemetryEvent) => {
      const tally = createOnceTally();
      tally.report(event);
      return tally.summary({ polled: [], paused: [], problems: [], warnings: [] }, 0);
    };

    expect(isSpotless(sum({ ...finished, skipped: {} }))).toBe(true);
    expect(isSpotless(sum(finished))).toBe(false);
    expect(isSpotless(sum({ ...finished, skipped: { 'person.suppressed': 2 } }))).toBe(true);
    expect(
      isSpotless(sum({ type: 'committed', stream: 'media', records: 0, deadLetters: 1 })),
    ).toBe(false);
  });

  test('is not ok when accounts may be missing', () => {
    const summary = createOnceTally().summary(
      { polled: [], paused: [], problems: ['a token'], warnings: [] },
      0,
    );

    expect(summary).toMatchObject({ ok: false, problems: ['a token'] });
  });

  test('is ok when the list of accounts skipped invalid entries', () => {
    const warnings = ['/me/accounts: left out "data[1]"'];
    const summary = createOnceTally().summary(
      { polled: [], paused: [], problems: [], warnings },
      0,
    );

    expect(summary).toMatchObject({ ok: true, warnings });
  });
});

describe('the progress of once', () => {
  test.each([
    [step({}), 'user_insights of 1: window 3 of 24 up to 2025-03-02, 90 records so far'],
    [step({ step: 1, of: 1 }), undefined],
    [step({ of: null, coveredUntilMs: null }), undefined],
    [
      step({ step: 20, of: null, coveredUntilMs: null }),
      'user_insights of 1: page 20, 90 records so far',
    ],
    [finished, `media of ${account.id}: 12 records, 2 requests in 1.3 s`],
    [failed, `tags of ${account.id}: graph.rate-limited; tried again in 60.0 s`],
    [{ ...failed, retryInMs: null }, `tags of ${account.id}: graph.rate-limited`],
    [
      { type: 'dependency', name: 'kafka', ready: false, reason: 'away' } as const,
      'waiting for kafka: away',
    ],
    [{ type: 'dependency', name: 'kafka', ready: true, reason: '' } as const, undefined],
  ])('has a line for a long step and for the outcome of each poll: case %#', (event, line) => {
    expect(describeProgress(event)).toBe(line);
  });
});
