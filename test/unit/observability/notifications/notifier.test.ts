import { describe, expect, test } from '@jest/globals';
import type { TelemetryEvent } from '../../../../src/engine/ports.ts';
import { initialHealth, reduceHealth } from '../../../../src/observability/health.ts';
import {
  type NotificationTopic,
  keepNotified,
  withNotifications,
} from '../../../../src/observability/notifications/notifier.ts';
import {
  type Notification,
  type OpenConditions,
  createTracker,
} from '../../../../src/observability/notifications/tracker.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { createRecordingTelemetry } from '../../../support/recording-telemetry.ts';

const revoked = {
  type: 'token-rejected',
  name: 'default',
  rejection: { code: 'graph.token', message: 'the token hush is revoked' },
} as const;
const ready = (name: 'kafka' | 'registry' | 'graph' | 'state') =>
  ({ type: 'dependency', name, ready: true, reason: '' }) as const;
const owned = (...partitions: readonly number[]) =>
  ({
    type: 'assignment',
    owned: partitions,
    gained: [],
    lost: [],
    partitions: 2,
    cause: 'rebalance',
  }) as const;

/** A notifier on a topic of its own that counts its reads. */
function startNotifier() {
  const clock = createManualClock(1_000_000);
  const telemetry = createRecordingTelemetry();
  const stop = new AbortController();
  let health = initialHealth({ users: { intervalMs: 1000 } });
  const state = {
    open: new Map<string, Notification>() as OpenConditions,
    reads: 0,
    failure: null as Error | null,
    written: [] as string[],
    appended: [] as number[],
  };
  const topic: NotificationTopic = {
    read() {
      state.reads += 1;
      return state.failure === null ? Promise.resolve(state.open) : Promise.reject(state.failure);
    },
    append(notifications) {
      state.open = withNotifications(state.open, notifications);
      state.appended.push(notifications.length);
      for (const { status, message } of notifications) state.written.push(`${status}: ${message}`);
      return Promise.resolve();
    },
  };
  const tracker = createTracker({ instance: 'a', quietMs: 1, othersAfterMs: 60_000 });
  const redact = (text: string): string => text.replaceAll('hush', '[secret]');
  const running = keepNotified(
    { health: () => health, tracker, topic, redact },
    { clock, random: () => 1, telemetry },
    stop.signal,
  );
  return {
    topic: state,
    clock,
    report(...events: readonly TelemetryEvent[]): void {
      for (const event of events) health = reduceHealth(health, event, clock.nowMs());
    },
    outcomes: () =>
      telemetry
        .ofType('notifications')
        .map(({ outcome, notifications, reason }) => `${outcome} ${notifications.join()}${reason}`),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

const everything = [ready('kafka'), ready('registry'), ready('graph'), ready('state'), owned(0, 1)];

describe('notifier', () => {
  test('reads the topic once Kafka and the registry are ready, and again before it writes', async () => {
    await using notifier = startNotifier();
    await notifier.clock.advance(60_000);
    expect(notifier.topic.reads).toBe(0);

    notifier.report(...everything);
    await notifier.clock.advance(60_000);
    expect(notifier.topic.reads).toBe(1);

    notifier.report(revoked);
    await notifier.clock.advance(60_000);
    expect(notifier.topic.reads).toBe(2);
    expect(notifier.topic.written).toEqual([
      'open: The API rejects the token default: the token [secret] is revoked',
    ]);
    expect(notifier.outcomes()).toEqual(['delivered token-rejected/default open']);
  });

  test('writes many notifications in parts, so that each produce request stays small', async () => {
    await using notifier = startNotifier();
    const names = Array.from({ length: 250 }, (_, index) => String(index + 1));
    notifier.report(...everything, ...names.map((name) => ({ ...revoked, name })));
    await notifier.clock.advance(5000);

    expect(notifier.topic.appended).toEqual([100, 100, 50]);
    expect(notifier.topic.open.size).toBe(250);
    await notifier.clock.advance(5000);
    expect(notifier.topic.appended).toHaveLength(3);
  });

  test('writes nothing that another instance has written since', async () => {
    await using notifier = startNotifier();
    await using other = startNotifier();
    for (const one of [notifier, other]) one.report(...everything);
    await notifier.clock.advance(5000);
    await other.clock.advance(5000);
    other.report(revoked);
    await other.clock.advance(5000);
    notifier.topic.open = other.topic.open;

    notifier.report(revoked);
    await notifier.clock.advance(5000);
    expect(other.topic.written).toHaveLength(1);
    expect(notifier.topic.written).toEqual([]);
  });

  test('reads the topic again when it gains a partition, and not when it loses one', async () => {
    await using notifier = startNotifier();
    notifier.report(...everything, owned(0));
    await notifier.clock.advance(5000);
    notifier.report(owned(0, 1));
    await notifier.clock.advance(5000);
    notifier.report(owned(1));
    await notifier.clock.advance(5000);

    expect(notifier.topic.reads).toBe(2);
  });

  test('reports a failure of the topic, tries again after longer pauses, and reports the end of it', async () => {
    await using notifier = startNotifier();
    notifier.report(...everything, revoked);
    notifier.topic.failure = new Error('no permission');
    await notifier.clock.advance(5000 + 5000 + 10_000 + 20_000);
    expect(notifier.outcomes()).toEqual(Array(4).fill('failed no permission'));

    notifier.topic.failure = null;
    await notifier.clock.advance(40_000);
    expect(notifier.outcomes().slice(4)).toEqual([
      'delivered token-rejected/default open',
      'delivered ',
    ]);
  });
});
