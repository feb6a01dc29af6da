import type { TelemetryEvent } from '../../src/engine/ports.ts';
import { account, failed, finished } from '../unit/observability/telemetry-events.ts';

type Type = TelemetryEvent['type'];
type Event<T extends Type> = Extract<TelemetryEvent, { type: T }>;

const scope = { kind: 'account', id: '1' } as const;
const token = { type: 'token', name: 'default', expiresAtMs: 864_000_000 } as const;
const down = { type: 'dependency', name: 'kafka', ready: false, reason: 'no broker' } as const;
const assignment = { type: 'assignment', gained: [], lost: [], partitions: 12 } as const;
const notified = {
  type: 'notifications',
  target: 'topic',
  outcome: 'delivered',
  notifications: [],
  reason: '',
} as const;
const form = { stream: 'users', endpoint: '/{account}', code: null, message: '' } as const;
const probed = {
  type: 'contract-probed',
  accountId: '1',
  version: 'v25.0',
  answeredBy: 'v25.0',
} as const;

const webhook = {
  type: 'webhook-request',
  reason: '',
  accepted: {},
  ignored: [],
  durationMs: 9,
} as const;

/** Examples of every event, in the order in which they are reported; together they cause every log line. */
export const examplesOfEvents: { readonly [T in Type]: readonly [Event<T>, ...Event<T>[]] } = {
  calls: [
    {
      type: 'calls',
      stream: 'users',
      accountId: '1',
      calls: 3,
      results: { new: { found: 1, nothing: 0 }, none: { found: 0, nothing: 2 } },
      impressions: 1,
    },
  ],
  throttled: [{ type: 'throttled', durationMs: 1500 }],
  'token-rejected': [
    {
      type: 'token-rejected',
      name: 'default',
      rejection: { code: 'graph.token', message: 'the access token has expired' },
    },
    { type: 'token-rejected', name: 'default', rejection: null },
  ],
  accounts: [
    {
      type: 'accounts',
      added: [{ id: '1', pageId: '10', username: 'first' }, account('2')],
      removed: [],
    },
  ],
  interval: [{ type: 'interval', stream: 'users', intervalMs: 60_000 }],
  paused: [
    {
      type: 'paused',
      stream: 'users',
      accountId: '1',
      pause: { sinceMs: 0, untilMs: 1000 },
      saved: false,
    },
    { type: 'paused', stream: 'users', accountId: '1', pause: null, saved: false },
    {
      type: 'paused',
      stream: 'media',
      accountId: '2',
      pause: { sinceMs: 0, untilMs: null },
      saved: true,
    },
  ],
  'pause-saved': [{ type: 'pause-saved', stream: 'users', accountId: '1' }],
  'pause-unsaved': [
    {
      type: 'pause-unsaved',
      stream: 'users',
      accountId: '1',
      message: 'no broker answers',
      retryInMs: 1000,
    },
  ],
  state: [
    {
      type: 'state',
      stream: 'users',
      accountId: '1',
      writtenAtMs: 0,
      rejections: [
        { subject: '*', metric: 'reach', reason: 'graph.metric-refused', untilMs: null },
      ],
    },
    { type: 'state', stream: 'users', accountId: '2', writtenAtMs: 0, rejections: [] },
  ],
  'state-size': [
    { type: 'state-size', stream: 'users', accountId: '1', bytes: 500, limitBytes: 1_048_388 },
  ],
  'poll-awaited': [
    { type: 'poll-awaited', stream: 'users', accountId: '1', polledMs: 0, nextPollMs: 1000 },
  ],
  'poll-finished': [
    finished({ nextPollMs: 1000, unknownFields: ['brand_new'] }),
    finished({ accountId: '2', records: 1, skipped: { 'graph.not-enough-viewers': 1 } }),
  ],
  committed: [{ type: 'committed', stream: 'users', records: 1, deadLetters: 1 }],
  'poll-failed': [
    failed(),
    failed({ disposition: 'unexpected', code: 'internal.unexpected' }),
    failed({ retryInMs: null }),
    failed({ disposition: 'stop-stream', code: 'graph.permission' }),
    failed({ disposition: 'stop-stream', code: 'graph.permission', stream: 'media' }),
    failed({ disposition: 'stop-account', code: 'graph.token', accountId: '2' }),
  ],
  'truncation-suspected': [
    { type: 'truncation-suspected', stream: 'media', accountId: '1', known: 9, missing: 8 },
  ],
  progress: [
    {
      type: 'progress',
      stream: 'users',
      accountId: '1',
      step: 1,
      of: null,
      coveredUntilMs: null,
      records: 1,
    },
  ],
  request: [
    { type: 'request', endpoint: '/{account}/media', calls: 1, outcome: 'ok', durationMs: 9 },
  ],
  'contract-probed': [
    { ...probed, forms: [{ ...form, outcome: 'rejected' }] },
    { ...probed, forms: [{ ...form, outcome: 'ok' }] },
  ],
  'batch-rejected': [
    { type: 'batch-rejected', isAbsent: true, message: 'no batches here' },
    { type: 'batch-rejected', isAbsent: false, message: 'an odd batch' },
  ],
  encoded: [{ type: 'encoded', stream: 'users', records: 1, durationMs: 9 }],
  transaction: (['committed', 'redone', 'failed', 'fenced'] as const).map(
    (outcome) =>
      ({ type: 'transaction', partition: 0, records: 1, outcome, durationMs: 9 }) as const,
  ) as [Event<'transaction'>, ...Event<'transaction'>[]],
  scope: [
    { type: 'scope', scope, percent: 10, state: 'free', untilMs: null },
    { type: 'scope', scope, percent: 80, state: 'slowed', untilMs: null },
    { type: 'scope', scope, percent: 30, state: 'free', untilMs: null },
    { type: 'scope', scope, percent: 100, state: 'stopped', untilMs: 3_600_000 },
  ],
  'quota-wait': [{ type: 'quota-wait', priority: 'urgent', durationMs: 9 }],
  'quota-awaited': [
    { type: 'quota-awaited', stream: 'users', accountId: '1', scopes: [scope] },
    { type: 'quota-awaited', stream: 'users', accountId: '1', scopes: [] },
  ],
  token: [{ ...token, warnAtDays: 14, action: 'Renew it.' }],
  'token-renewal': [
    { type: 'token-renewal', name: 'default', outcome: 'renewed', message: '' },
    { type: 'token-renewal', name: 'default', outcome: 'failed', message: 'no' },
    { type: 'token-renewal', name: 'default', outcome: 'failed', message: 'no' },
  ],
  'api-version': [
    { type: 'api-version', version: 'v25.0', endsAtMs: 864_000_000, warning: 'It ends.' },
  ],
  assignment: [
    { ...assignment, owned: [], cause: 'left' },
    { ...assignment, owned: [0, 1], gained: [0, 1], cause: 'rebalance' },
    { ...assignment, owned: [0, 1], cause: 'rebalance' },
    { ...assignment, owned: [0], lost: [1], cause: 'missed-heartbeats' },
  ],
  fenced: [{ type: 'fenced', partition: 0, reason: 'another producer', pauseMs: 9 }],
  notifications: [
    { ...notified, notifications: ['token-rejected/default open'] },
    { ...notified, outcome: 'failed', reason: 'no broker' },
    { ...notified, outcome: 'failed', reason: 'no broker' },
    notified,
    { ...notified, target: 'webhook', outcome: 'dropped', notifications: ['a open'] },
  ],
  'webhook-listening': [
    { type: 'webhook-listening', url: 'http://127.0.0.1:8081/webhooks/instagram' },
  ],
  'webhook-request': [
    { ...webhook, outcome: 'verified' },
    { ...webhook, outcome: 'bad-signature', reason: 'no signature' },
    { ...webhook, outcome: 'bad-signature', reason: 'no signature' },
    {
      ...webhook,
      outcome: 'accepted',
      accepted: { comments: 2 },
      ignored: [
        { field: 'messages', reason: 'unknown-field', count: 3 },
        { field: 'mentions', reason: 'no-values', count: 1 },
      ],
    },
  ],
  dependency: [
    { ...down, isStarting: true },
    { ...down, isStarting: true },
    down,
    ...(['state', 'kafka', 'registry', 'graph', 'group'] as const).map(
      (name) => ({ type: 'dependency', name, ready: true, reason: '' }) as const,
    ),
  ],
};

/** All examples, in that order. */
export const everyEvent: readonly TelemetryEvent[] = Object.values(examplesOfEvents).flat();
