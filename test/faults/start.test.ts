import { describe, expect, test } from '@jest/globals';
import {
  type ProcessWorld,
  type RunningProgram,
  createProcessWorld,
  expectTruth,
} from './process-world.ts';

async function readiness(program: RunningProgram): Promise<{ status: number; body: string }> {
  const started = (await program.line(({ msg }) => msg === 'started')) as { url: string };
  const response = await fetch(`${started.url}/readyz`);
  return { status: response.status, body: await response.text() };
}

const away = {
  kafka: ({ kafka }: ProcessWorld, gone: boolean) => {
    kafka.setAway(gone);
  },
  registry: ({ registry }: ProcessWorld, gone: boolean) => {
    registry.setAway(gone);
  },
  graph: ({ api }: ProcessWorld, gone: boolean) => {
    api.setAway(gone);
  },
};

describe('start-up', () => {
  test.concurrent.each(['kafka', 'registry', 'graph'] as const)(
    'waits and reports it while %s is unreachable, and continues when it is back',
    async (name) => {
      await using world = await createProcessWorld();
      away[name](world, true);
      const program = world.run({ POLLING_RETRY_MAX: '1s', KAFKA_CONNECTION_TIMEOUT: '1s' });
      await program.line(({ msg, dependency }) => msg === 'dependency down' && dependency === name);
      const before = await readiness(program);
      expect(before.status).toBe(503);
      expect(before.body).toContain(`${name}: `);

      away[name](world, false);
      await program.line(({ msg }) => msg === 'poll finished');
      expect((await readiness(program)).status).toBe(200);
      await expectTruth(world);

      program.process.kill('SIGTERM');
      expect(await program.ended).toBe(0);
    },
    120_000,
  );
});

describe('running program', () => {
  test.concurrent(
    'recovers without help after its brokers were unreachable',
    async () => {
      await using world = await createProcessWorld();
      const program = world.run({
        STREAM_MEDIA_INTERVAL: '1s',
        STREAM_MEDIA_PUBLISH: 'always',
        POLLING_RETRY_MAX: '1s',
        KAFKA_CONNECTION_TIMEOUT: '1s',
        KAFKA_SEND_DEADLINE: '3s',
        // The poll fails before the lease of the instance ends.
        KAFKA_GROUP_SESSION_TIMEOUT: '60s',
      });
      await program.line(({ msg }) => msg === 'poll finished');
      away.kafka(world, true);
      await program.line(({ msg }) => msg === 'poll failed');
      away.kafka(world, false);
      const failedAt = program.lines.length;
      await program.line(
        (line) => line['msg'] === 'poll finished' && program.lines.indexOf(line) >= failedAt,
      );
      program.process.kill('SIGTERM');
      expect(await program.ended).toBe(0);

      const states = (await world.deployment.read('state')).map(({ value }) => value?.['sequence']);
      expect(states).toEqual(states.map((_, index) => index + 1));
      const media = await world.deployment.read('media');
      const ofPolls = media.map(({ key, headers }) => `${headers['poll'] ?? ''} ${key}`);
      expect(new Set(ofPolls).size).toBe(ofPolls.length);
      const polls = program.lines.filter(({ msg }) => msg === 'poll finished').length;
      // The first poll scans the whole list, later polls only its newest page.
      expect(media.length).toBeGreaterThanOrEqual(12 + 5 * (polls - 1));
    },
    120_000,
  );
});
