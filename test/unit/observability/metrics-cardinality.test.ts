import { describe, expect, test } from '@jest/globals';
import { callAges } from '../../../src/engine/call-results.ts';
import { errorCodes } from '../../../src/engine/errors.ts';
import { streamNames } from '../../../src/instagram/streams/index.ts';
import type { TelemetryEvent } from '../../../src/engine/ports.ts';
import { openCaptured, type Captured } from './captured-observability.ts';
import { account, failed, finished } from './telemetry-events.ts';

/** The `n`th event of every type, with as many new values as possible. */
const events: {
  readonly [Type in TelemetryEvent['type']]: (n: number) => Extract<TelemetryEvent, { type: Type }>;
} = {
  'poll-finished': (n) =>
    finished({
      stream: pick(streamNames, n),
      accountId: id(n),
      skipped: { [pick(errorCodes, n)]: 1 },
      leftOut: [{ reason: pick(errorCodes, n), subject: id(n) }],
      unknownFields: [`field_${id(n)}`],
    }),
  committed: (n) => ({
    type: 'committed',
    stream: pick(streamNames, n),
    records: n,
    deadLetters: n,
  }),
  'poll-failed': (n) =>
    failed({
      stream: pick(streamNames, n),
      accountId: id(n),
      code: pick(errorCodes, n),
      disposition: pick(['retry', 'wait', 'skip', 'stop-stream', 'unexpected'] as const, n),
      message: `message ${id(n)}`,
    }),
  calls: (n) => ({
    type: 'calls',
    stream: pick(streamNames, n),
    accountId: id(n),
    calls: n,
    results: { [pick(callAges, n)]: { found: n, nothing: n } },
    impressions: n,
  }),
  request: (n) => ({
    type: 'request',
    endpoint: `/${id(n)}/media`,
    calls: 1,
    outcome: pick(errorCodes, n),
    durationMs: n,
  }),
  notifications: (n) => ({
    type: 'notifications',
    target: 'webhook',
    outcome: 'failed',
    notifications: [`token-rejected/${n} open`],
    reason: `no answer ${n}`,
  }),
  'webhook-listening': (n) => ({ type: 'webhook-listening', url: `http://127.0.0.1:${n}` }),
  'webhook-request': (n) => ({
    type: 'webhook-request',
    outcome: 'accepted',
    reason: `reason ${n}`,
    accepted: { comments: n },
    ignored: [{ field: `field_${id(n)}`, reason: 'unknown-field', count: n }],
    durationMs: n,
  }),
  throttled: (n) => ({ type: 'throttled', durationMs: n * 1000 }),
  'batch-rejected': (n) => ({
    type: 'batch-rejected',
    isAbsent: true,
    message: `message ${id(n)}`,
  }),
  'contract-probed': (n) => ({
    type: 'contract-probed',
    accountId: id(n),
    forms: [
      {
        stream: pick(streamNames, n),
        endpoint: '/{media}/insights',
        outcome: 'rejected',
        code: pick(errorCodes, n),
        message: `message ${id(n)}`,
      },
    ],
    version: 'v26.0',
    answeredBy: 'v26.0',
  }),
  'truncation-suspected': (n) => ({
    type: 'truncation-suspected',
    stream: pick(streamNames, n),
    accountId: id(n),
    known: n + 4,
    missing: n,
  }),
  'poll-awaited': (n) => ({
    type: 'poll-awaited',
    stream: pick(streamNames, n),
    accountId: id(n),
    polledMs: n,
    nextPollMs: n + 1,
  }),
  progress: (n) => ({
    type: 'progress',
    stream: pick(streamNames, n),
    accountId: id(n),
    step: n,
    of: null,
    coveredUntilMs: null,
    records: n,
  }),
  encoded: (n) => ({
    type: 'encoded',
    stream: pick(streamNames, n),
    records: n,
    durationMs: n,
  }),
  state: (n) => ({
    type: 'state',
    stream: pick(streamNames, n),
    accountId: id(n),
    writtenAtMs: n,
    rejections: [{ subject: id(n), metric: null, reason: pick(errorCodes, n), untilMs: null }],
  }),
  'state-size': (n) => ({
    type: 'state-size',
    stream: pick(streamNames, n),
    accountId: id(n),
    bytes: n,
    limitBytes: 1_000_000,
  }),
  transaction: (n) => ({
    type: 'transaction',
    partition: n,
    records: n,
    outcome: pick(['committed', 'redone', 'failed', 'fenced'], n),
    durationMs: n,
  }),
  accounts: (n) => ({ type: 'accounts', added: [account(id(n))], removed: [] }),
  scope: (n) => ({
    type: 'scope',
    scope: { kind: pick(['app', 'account', 'user', 'page'], n), id: id(n) },
    percent: n % 100,
    state: pick(['free', 'slowed', 'stopped'], n),
    untilMs: null,
  }),
  paused: (n) => ({
    type: 'paused',
    stream: pick(streamNames, n),
    accountId: id(n),
    pause: n % 2 === 0 ? { sinceMs: n, untilMs: null } : null,
    saved: true,
  }),
  'pause-unsaved': (n) => ({
    type: 'pause-unsaved',
    stream: pick(streamNames, n),
    accountId: id(n),
    message: `broker ${n}`,
    retryInMs: n,
  }),
  'pause-saved': (n) => ({ type: 'pause-saved', stream: pick(streamNames, n), accountId: id(n) }),
  interval: (n) => ({ type: 'interval', stream: pick(streamNames, n), intervalMs: n + 1 }),
  'quota-wait': (n) => ({ type: 'quota-wait', priority: 'urgent', durationMs: n }),
  'quota-awaited': (n) => ({
    type: 'quota-awaited',
    stream: pick(streamNames, n),
    accountId: id(n),
    scopes: [{ kind: 'account', id: id(n) }],
  }),
  token: (n) => ({ type: 'token', name: String(n % 3), expiresAtMs: n }),
  'api-version': () => ({
    type: 'api-version',
    version: 'v25.0',
    endsAtMs: 1,
    warning: 'v25.0 ends soon.',
  }),
  'token-rejected': (n) => ({
    type: 'token-rejected',
    name: String(n % 3),
    rejection: n % 2 === 0 ? null : { code: 'graph.token', message: String(n) },
  }),
  'token-renewal': (n) => ({
    type: 'token-renewal',
    name: String(n),
    outcome: 'failed',
    message: String(n),
  }),
  assignment: (n) => ({
    type: 'assignment',
    owned: [n],
    gained: [n],
    lost: [],
    partitions: n,
    cause: 'rebalance',
  }),
  fenced: (n) => ({ type: 'fenced', partition: n, reason: `reason ${id(n)}`, pauseMs: n }),
  dependency: (n) => ({
    type: 'dependency',
    name: 'kafka',
    ready: false,
    reason: `reason ${id(n)}`,
  }),
};

function id(n: number): string {
  return String(17_841_400_000_000_000n + BigInt(n));
}

function pick<T>(values: readonly T[], n: number): T {
  return values[n % values.length] as T;
}

function reportMany({ telemetry }: Captured, first: number, times: number): void {
  for (let n = first; n < first + times; n += 1) {
    for (const event of Object.values(events)) telemetry.report(event(n));
  }
}

async function series(open: Captured): Promise<readonly string[]> {
  const lines = (await open.metrics()).split('\n');
  return lines
    .filter((line) => line.startsWith('instagram_kafka_'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')))
    .sort();
}

const everyStream = Object.fromEntries(streamNames.map((name) => [name, { intervalMs: 1000 }]));

describe('the metric series', () => {
  test('stay constant in number when accounts, errors, messages and fields increase', async () => {
    await using open = openCaptured({ streams: everyStream, level: 'silent' });
    // Enough for every stream with every code, and for more endpoints than the limit.
    const many = streamNames.length * errorCodes.length;
    reportMany(open, 0, many);
    const few = await series(open);

    reportMany(open, many, many);

    expect(await series(open)).toEqual(few);
  });

  test('include at most 40 endpoints, and count the others as "other"', async () => {
    await using open = openCaptured({ level: 'silent' });
    reportMany(open, 0, 100);

    const endpoints = (await series(open)).flatMap((line) =>
      [...line.matchAll(/endpoint="([^"]*)"/g)].map(([, endpoint]) => endpoint),
    );

    expect(new Set(endpoints).size).toBe(41);
    expect(endpoints).toContain('other');
  });

  test('have no label for accounts or for texts of an API', async () => {
    await using open = openCaptured({ streams: everyStream, level: 'silent' });
    const { request, ...others } = events;
    for (let n = 0; n < 50; n += 1) {
      for (const event of Object.values(others)) open.telemetry.report(event(n));
      open.telemetry.report({ ...request(n), endpoint: '/{account}/media' });
    }

    expect((await series(open)).filter((line) => /\d{8}|message|field_/.test(line))).toEqual([]);
  });
});
