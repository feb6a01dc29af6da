import { expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { openNotifications } from '../../src/notifications.ts';
import { initialHealth } from '../../src/observability/health.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createRecordingTelemetry } from '../support/recording-telemetry.ts';
import { startRegistryServer } from '../support/registry-server.ts';
import { usualShutdown } from '../support/shutdown.ts';

const quiet = () => undefined;
const levels = { debug: quiet, info: quiet, warn: quiet, error: quiet, fatal: quiet };
const log = { ...levels, level: () => 'error', setLevel: quiet };

test('notifications: register no schema before the registry is known to have those of the states', async () => {
  await using server = await startRegistryServer();
  const config = loadConfig({
    env: {
      INSTAGRAM_ACCESS_TOKEN: 'token',
      KAFKA_BROKERS: 'localhost:9092',
      SCHEMA_REGISTRY_URL: server.url,
      NOTIFICATIONS_WEBHOOK_URL: 'http://127.0.0.1:9/nobody',
    },
    args: {},
  });
  const verified = Promise.withResolvers<unknown>();
  const consumed = Promise.withResolvers<unknown>();
  const clock = createManualClock(1_000_000);
  const kafka = {
    notifications: {
      prepare: () => Promise.resolve(),
      read: () => Promise.resolve([]),
      append: () => Promise.resolve(),
      consume: (_take: unknown, signal: AbortSignal): Promise<void> => {
        consumed.resolve(undefined);
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            resolve();
          });
        });
      },
    },
  };
  const health = initialHealth({ users: { intervalMs: 1000 } });
  const parts = {
    kafka,
    observability: { log, hide: quiet, health: () => health, redact: (text: string) => text },
    instance: 'a',
    verified: verified.promise,
    clock,
    random: () => 1,
    telemetry: createRecordingTelemetry(),
    shutdown: usualShutdown,
  };
  const notifications = openNotifications(config, parts, new AbortController().signal);

  await clock.advance(60_000);
  expect(server.asked).toEqual([]);

  verified.resolve(undefined);
  await consumed.promise;
  expect(server.asked).toContain('POST /subjects/instagram.notifications-value/versions');
  await notifications[Symbol.asyncDispose]();
});
