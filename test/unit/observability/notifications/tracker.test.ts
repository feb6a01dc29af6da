import { describe, expect, test } from '@jest/globals';
import type { TelemetryEvent } from '../../../../src/engine/ports.ts';
import { partitionOf } from '../../../../src/engine/partition.ts';
import { initialHealth, reduceHealth } from '../../../../src/observability/health.ts';
import { withNotifications } from '../../../../src/observability/notifications/notifier.ts';
import {
  type Notification,
  type OpenConditions,
  createTracker,
} from '../../../../src/observability/notifications/tracker.ts';
import { failed, finished } from '../telemetry-events.ts';

const dayMs = 86_400_000;
const streams = { users: { intervalMs: 1000 }, media: { intervalMs: 1000 } };
const account = { id: '1', pageId: null, username: 'first' } as const;
const startMs = 1_000_000;
const graph = { type: 'dependency', name: 'graph', ready: true, reason: '' } as const;
const denied = failed({ disposition: 'stop-stream', code: 'graph.permission', message: 'denied' });
const revoked = {
  type: 'token-rejected',
  name: 'default',
  rejection: { code: 'graph.token', message: 'revoked' },
} as const;
const accepted = { ...revoked, rejection: null };
const stopped = failed({ disposition: 'stop-account', code: 'graph.token', message: 'revoked' });
const badMedia = finished({ stream: 'media', deadLetters: 1 });
const form = {
  stream: 'users',
  endpoint: '/{account}',
  code: 'graph.retired',
  message: 'no',
} as const;
const probed = (outcome: 'ok' | 'rejected' | 'partial' | 'unknown') =>
  ({
    type: 'contract-probed',
    accountId: '1',
    version: 'v26.0',
    answeredBy: 'v26.0',
    forms: [{ ...form, outcome }],
  }) as const;
const expiry = { type: 'token', name: 'default', expiresAtMs: 9 * dayMs } as const;

/** An instance that polls account 1 and owns all partitions, unless `owned` says otherwise. */
function createInstance(owned: readonly number[] = [0, 1]) {
  let health = initialHealth(streams);
  let nowMs = startMs;
  const tracker = createTracker({ instance: 'a', quietMs: 8 * dayMs, othersAfterMs: 60_000 });
  const report = (...events: readonly TelemetryEvent[]): void => {
    for (const event of events) health = reduceHealth(health, event, nowMs);
  };
  const assignment = { owned, gained: owned, lost: [], partitions: 2, cause: 'rebalance' } as const;
  report(
    { type: 'assignment', ...assignment },
    { type: 'dependency', name: 'state', ready: true, reason: '' },
    graph,
    { type: 'accounts', added: owned.includes(ownPartition) ? [account] : [], removed: [] },
  );
  return {
    /** Reports events after some time; returns the records that the topic lacks. */
    step(topic: Topic, afterMs: number, ...events: readonly TelemetryEvent[]): readonly string[] {
      nowMs += afterMs;
      report(...events);
      const missing = tracker(health, topic.open, nowMs);
      topic.open = withNotifications(topic.open, missing);
      topic.records.push(...missing);
      return missing.map(({ key, status }) => `${key} ${status}`);
    },
  };
}

const ownPartition = partitionOf('1', 2);

interface Topic {
  open: OpenConditions;
  readonly records: Notification[];
}

const emptyTopic = (): Topic => ({ open: new Map(), records: [] });

describe('tracker of notifications', () => {
  test.each([
    ['stream-stopped/users/1', [denied], [finished()]],
    ['account-stopped/1', [{ ...stopped, code: 'graph.app-secret' }], [finished()]],
    ['token-rejected/default', [revoked, stopped], [accepted, graph]],
    ['token-expires/default', [{ ...expiry, action: 'Renew it.' }], [{ ...expiry, action: '' }]],
    ['api-form-rejected/users//{account}', [probed('rejected')], [probed('ok')]],
    [
      'api-version-ends/v21.0',
      [{ type: 'api-version', version: 'v21.0', endsAtMs: 0, warning: 'It ends.' }],
      [{ type: 'api-version', version: 'v27.0', endsAtMs: null, warning: '' }],
    ],
  ] as const)('opens %s once and resolves it once', (key, begin, end) => {
    const topic = emptyTopic();
    const instance = createInstance();
    const added = { type: 'accounts', added: [account], removed: [] } as const;

    expect(instance.step(topic, 10, ...begin)).toEqual([`${key} open`]);
    expect(instance.step(topic, 10, ...begin)).toEqual([]);
    expect(instance.step(topic, 10, added, ...end)).toEqual([`${key} resolved`]);
    expect(instance.step(topic, 10, ...end)).toEqual([]);
  });

  test('gives both records of a condition its beginning, and the message and advice of its error', () => {
    const topic = emptyTopic();
    const instance = createInstance();
    instance.step(topic, 10, denied);
    instance.step(topic, 10, { type: 'accounts', added: [account], removed: [] }, finished());

    expect(topic.records).toMatchObject([
      { status: 'open', severity: 'critical', sinceMs: startMs + 10, atMs: startMs + 10 },
      { status: 'resolved', severity: 'critical', sinceMs: startMs + 10, atMs: startMs + 20 },
    ]);
    expect(topic.records[0]).toMatchObject({
      message: 'The stream users of the account first (1) is not polled: denied',
      advice:
        'Grant the permission and the role named in the message. A failed stream retries at its next poll; resume a stopped stream or restart the program.',
    });
  });

  test('repeats no record after a restart, and resolves what ended meanwhile', () => {
    const topic = emptyTopic();
    createInstance().step(topic, 10, denied, revoked);
    const restarted = createInstance();

    expect(restarted.step(topic, 20, denied)).toEqual([]);
    expect(restarted.step(topic, 20, graph)).toEqual(['token-rejected/default resolved']);
    const added = { type: 'accounts', added: [account], removed: [] } as const;
    expect(restarted.step(topic, 20, added, finished())).toEqual([
      'stream-stopped/users/1 resolved',
    ]);
  });

  test('resolves nothing without evidence from after the beginning', () => {
    const topic = emptyTopic();
    createInstance().step(topic, 100, denied, revoked, stopped, probed('rejected'));

    expect(createInstance().step(topic, 20, finished({ stream: 'media' }), probed('ok'))).toEqual(
      [],
    );
  });

  test('opens no condition for a failed try, for an account of a rejected token or for a fenced stream', () => {
    const instance = createInstance();
    const fenced = failed({ disposition: 'stop-stream', code: 'kafka.fenced', stream: 'media' });
    const topic = emptyTopic();

    expect(instance.step(topic, 10, failed(), fenced, revoked, stopped)).toEqual([
      'token-rejected/default open',
    ]);
    expect(instance.step(topic, 61_000)).toEqual([]);
  });

  test('takes no poll of an earlier process for evidence against dead letters, nor one from before a stop', () => {
    const topic = emptyTopic();
    createInstance().step(topic, 10, badMedia, { ...stopped, code: 'graph.app-secret' });
    const restarted = createInstance();
    const awaited = { type: 'poll-awaited', accountId: '1', nextPollMs: 0 } as const;
    const polledMs = startMs + 9 * dayMs;

    expect(
      restarted.step(
        topic,
        9 * dayMs,
        { ...awaited, stream: 'media', polledMs: startMs },
        { ...awaited, stream: 'users', polledMs: startMs },
      ),
    ).toEqual([]);
    const other = createInstance();
    expect(other.step(topic, 9 * dayMs, { ...awaited, stream: 'media', polledMs })).toEqual([
      'account-stopped/1 resolved',
    ]);
    expect(other.step(topic, 10, finished({ stream: 'media' }))).toEqual([
      'dead-letters/media/1 resolved',
    ]);
  });

  test('opens an account of a token that is accepted again only when it stays stopped for a minute', () => {
    const topic = emptyTopic();
    const instance = createInstance();
    instance.step(topic, 10, revoked, stopped);

    expect(instance.step(topic, 10, accepted, graph)).toEqual(['token-rejected/default resolved']);
    expect(instance.step(topic, 59_000)).toEqual([]);
    expect(instance.step(topic, 1000)).toEqual(['account-stopped/1 open']);
  });

  test('keeps dead letters open until polls brought none for the quiet time', () => {
    const topic = emptyTopic();
    const instance = createInstance();
    const media = { stream: 'media' } as const;
    const known = finished({ ...media, skipped: { 'mapping.invalid': 1 } });

    expect(instance.step(topic, 10, badMedia)).toEqual(['dead-letters/media/1 open']);
    expect(instance.step(topic, 7 * dayMs, finished(media))).toEqual([]);
    expect(instance.step(topic, 10, known)).toEqual([]);
    expect(instance.step(topic, 7 * dayMs, finished(media))).toEqual([]);
    expect(instance.step(topic, dayMs)).toEqual([]);
    expect(instance.step(topic, 10, finished(media))).toEqual(['dead-letters/media/1 resolved']);
  });

  test('opens dead letters of a body that fails its poll', () => {
    const failure = failed({ disposition: 'dead-letter', code: 'graph.bad-body' });

    expect(createInstance().step(emptyTopic(), 10, failure)).toEqual(['dead-letters/users/1 open']);
  });

  test('resolves the conditions of an account that no token reaches, and of a stream that is disabled', () => {
    const topic = emptyTopic();
    const instance = createInstance();
    const ofOther = { ...denied, stream: 'stories' };
    instance.step(topic, 10, denied, ofOther);
    const removed = { type: 'accounts', added: [], removed: [account] } as const;

    expect(topic.records.map(({ key }) => key)).toEqual([
      'stream-stopped/users/1',
      'stream-stopped/stories/1',
    ]);
    expect(instance.step(topic, 10, removed)).toEqual(['stream-stopped/stories/1 resolved']);
    expect(instance.step(topic, 10, graph)).toEqual(['stream-stopped/users/1 resolved']);
  });

  test('resolves the condition of a stream that is not polled for its account any more', () => {
    const topic = emptyTopic();
    const instance = createInstance();
    instance.step(topic, 10, denied);
    const polling = { streams: ['media'], intervalsMs: {} };
    const added = { type: 'accounts', added: [{ ...account, polling }], removed: [] } as const;

    expect(instance.step(topic, 10, added)).toEqual(['stream-stopped/users/1 resolved']);
  });

  test('leaves a condition of all instances to the owner of its partition for a minute', () => {
    const topic = emptyTopic();
    const owner = partitionOf('token-rejected/default', 2);
    const other = createInstance([1 - owner]);

    expect(other.step(topic, 10, revoked)).toEqual([]);
    expect(other.step(topic, 59_999)).toEqual([]);
    expect(other.step(topic, 1)).toEqual(['token-rejected/default open']);
    expect(createInstance([owner]).step(topic, 60_020, revoked)).toEqual([]);
  });

  test('opens a condition once, although another instance that does not find it resolves it', () => {
    const topic = emptyTopic();
    const instance = createInstance();
    instance.step(topic, 10, probed('rejected'));
    instance.step(topic, 10);
    topic.open = new Map();

    expect(instance.step(topic, 10, probed('rejected'))).toEqual([]);
    instance.step(topic, 10, probed('ok'));
    expect(instance.step(topic, 10, probed('rejected'))).toEqual([
      'api-form-rejected/users//{account} open',
    ]);
  });

  test('keeps a form of request open that is answered in part or not at all', () => {
    const topic = emptyTopic();
    const instance = createInstance();
    instance.step(topic, 10, probed('rejected'));

    expect(instance.step(topic, 10, probed('partial'))).toEqual([]);
    expect(instance.step(topic, 10, probed('unknown'))).toEqual([]);
    expect(instance.step(topic, 10, probed('ok'))).toEqual([
      'api-form-rejected/users//{account} resolved',
    ]);
  });

  test('resolves no condition of an account that another instance polls', () => {
    const topic = emptyTopic();
    createInstance().step(topic, 10, denied);

    expect(createInstance([1 - ownPartition]).step(topic, 20, graph)).toEqual([]);
  });
});
