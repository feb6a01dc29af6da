import { expect, test } from '@jest/globals';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { DAY_MS, deploy } from './deployment.ts';
import { startLeapingRun } from './leaping-run.ts';

const hourMs = 3_600_000;

test('run: polls at the times of a cron expression, and no stream in quiet hours', async () => {
  // A whole day of UTC, so that the hours of the day are those of the test.
  const startMs = Math.floor(Date.now() / DAY_MS - 3) * DAY_MS + 30 * 60_000;
  const world = createWorld({
    seed: 5,
    now: startMs,
    accounts: 1,
    mediaPerAccount: 2,
    storiesPerAccount: 1,
    insightsDays: 3,
  });
  await using deployment = await deploy(world);
  const settings = {
    STREAMS: 'users,stories',
    STREAM_USERS_SCHEDULE: '0 */4 * * *',
    STREAM_STORIES_INTERVAL: '1h',
    POLLING_TIME_ZONE: 'UTC',
    POLLING_QUIET_HOURS: '11:00-17:30',
  };
  {
    await using run = await startLeapingRun(deployment, settings);
    await run.pass(DAY_MS);
  }
  const users = await deployment.read('users');
  const hours = users.map(({ value }) => (Number(value?.['polled_at']) - startMs) / hourMs + 0.5);
  // The first poll is at the start; 12:00 and 16:00 are made up for at 17:30.
  expect(hours.map((hour) => Math.round(hour * 10) / 10)).toEqual([0.5, 4, 8, 17.5, 20, 24]);

  const polls = deployment.api.ledger.entries.filter(
    ({ endpoint }) => endpoint === '/{account}/stories',
  );
  const inQuiet = polls.filter(({ at }) => {
    const hour = (Date.parse(at) - startMs) / hourMs + 0.5;
    return hour > 11.1 && hour < 17.4;
  });
  expect(polls.length).toBeGreaterThan(12);
  expect(inQuiet).toEqual([]);
}, 120_000);
