import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OnceSummary } from '../../../src/cli/once-report.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { runCommand } from '../../support/command.ts';
import { type Deployment, deploy } from '../end-to-end/deployment.ts';

describe('once', () => {
  let deployment: Deployment;

  beforeAll(async () => {
    const world = createWorld({
      seed: 5,
      accounts: 1,
      // Below a hundred followers the API rejects demographics.
      smallAccounts: 1,
      mediaPerAccount: 8,
      storiesPerAccount: 1,
      insightsDays: 70,
    });
    deployment = await deploy(world);
  }, 60_000);

  afterAll(async () => {
    await deployment[Symbol.asyncDispose]();
  });

  test('prints a summary of the published records, and exits with 4 when it is strict', async () => {
    const streams = ['users', 'media', 'user_insights', 'user_lifetime_insights'];
    const startDate = new Date(Date.now() - 65 * 86_400_000).toISOString().slice(0, 10);
    const env = {
      ...deployment.env,
      STREAMS: streams.join(','),
      INSTAGRAM_START_DATE: startDate,
    };

    const { exitCode, stdout, stderr } = await runCommand(['once', '--strict', '--json'], { env });

    const summary = JSON.parse(stdout) as OnceSummary;
    const topics = await Promise.all(streams.map((stream) => deployment.read(stream)));
    expect(exitCode).toBe(4);
    expect(summary).toMatchObject({ ok: true, dead_letters: 0, problems: [] });
    expect(summary.records).toBe(topics.flat().length);
    expect(Object.keys(summary.skipped)).toContain('graph.not-enough-users');
    expect(summary.polls).toHaveLength(streams.length * deployment.truth().accounts.length);
    // stderr holds the log as well, step by step.
    expect(stderr).toMatch(/"step":3,"of":3.*"msg":"step done"/);
    expect(stderr).toMatch(/^\d+ polls, all succeeded; \d+ records; 0 dead letters; skipped /m);
  }, 60_000);
});
