import { expect, test } from '@jest/globals';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { DAY_MS, deploy } from './deployment.ts';
import { startLeapingRun } from './leaping-run.ts';

const hourMs = 3_600_000;

test('run: polls at the times of a cron expression, no stream in quiet hours, and an account by its own streams and intervals', async () => {
  // A whole day of UTC, so that the hours of the day are those of the test.
  const startMs = Math.floor(Date.now() / DAY_MS - 3) * DAY_MS + 30 * 60_000;
  const world = createWorld({
    seed: 5,
    now: startMs,
    accounts: 2,
    mediaPerAccount: 2,
    storiesPerAccount: 1,
    insightsDays: 3,
  });
  const [first, second] = world.accounts.map(({ id }) => id);
  await using deployment = await deploy(world);
  const settings = {
    STREAMS: 'users,stories',
    STREAM_USERS_SCHEDULE: '0 */4 * * *',
    STREAM_STORIES_INTERVAL: '1h',
    POLLING_TIME_ZONE: 'UTC',
    POLLING_QUIET_HOURS: '11:00-17:30',
    POLLING_JITTER: '0',
    INSTAGRAM_ACCOUNT_SETTINGS: JSON.stringify({
      [second ?? '']: { streams: ['stories', 'media'], intervals: { stories: '6h' } },
    }),
  };
  {
    await using run = await startLeapingRun(deployment, settings);
    await run.pass(DAY_MS);
  }
  const users = await deployment.read('users');
  expect(new Set(users.map(({ value }) => value?.['id']))).toEqual(new Set([first]));
  const media = await deployment.read('media');
  expect(new Set(media.map(({ value }) => value?.['business_account_id']))).toEqual(
    new Set([second]),
  );
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
  const pollsOf = (id: string | undefined) =>
    polls.filter(({ request }) => request.startsWith(`/${id}/`)).length;
  expect(pollsOf(first)).toBeGreaterThan(12);
  // At 0:30 and 6:30; the poll of 12:30 begins at 17:30, and the next one at 23:30.
  expect(pollsOf(second)).toBe(4);
  expect(inQuiet).toEqual([]);
}, 120_000);
