import { describe, expect, test } from '@jest/globals';
import type { Account, AccountPolling } from '../../../src/engine/account.ts';
import { planPolling } from '../../../src/engine/assignment-changes.ts';
import { StopAccountError } from '../../../src/engine/errors.ts';
import { dryRun, superviseOnce } from '../../../src/engine/once.ts';
import { createOverrides } from '../../../src/engine/overrides.ts';
import { partitionOf } from '../../../src/engine/partition.ts';
import { Schedule } from '../../../src/engine/schedule.ts';
import { account, otherAccount } from '../../support/accounts.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import {
  type Changes,
  controlled,
  countsOf,
  directoryOf,
  graphWith,
  profile,
  supervisionOf,
} from './supervision.ts';
import { calm, createWorld, hourMs, jobOf, minuteMs, posts, startMs } from './world.ts';

const onlyPosts: AccountPolling = { streams: ['media'], intervalsMs: {} };
const everyTenMinutes: AccountPolling = {
  streams: ['media', 'users'],
  intervalsMs: { media: 10 * minuteMs },
};
const withPolling = (polling: AccountPolling): Account => ({ ...account, polling });

const [media, users] = [`/${account.id}/media`, `/${account.id}`];

/** Supervises the accounts of a directory, which are listed again every half hour. */
function running(changes: Changes) {
  const world = createWorld({ graph: graphWith() });
  return { world, ...controlled(world, { accountsRefreshMs: 30 * minuteMs, ...changes }) };
}

describe('an account with its own streams and intervals', () => {
  test('is polled for these streams, and the other accounts for all', async () => {
    const directory = directoryOf([withPolling(onlyPosts), otherAccount]);
    const run = running({ directory });
    await run.world.clock.advance(1);

    expect(countsOf(run.world.graph)).toEqual({
      [media]: 1,
      [`/${otherAccount.id}/media`]: 1,
      [`/${otherAccount.id}`]: 1,
    });
    await run.stop();
  });

  test('keeps its interval when the interval of the stream changes', async () => {
    const run = running({ directory: directoryOf([withPolling(everyTenMinutes), otherAccount]) });
    await run.world.clock.advance(1);
    run.overrides.setInterval('media', 20 * minuteMs);
    await run.world.clock.advance(20 * minuteMs);

    expect(countsOf(run.world.graph)).toMatchObject({
      [media]: 3,
      [`/${otherAccount.id}/media`]: 2,
      [users]: 1,
    });
    await run.stop();
  });

  test('is polled by changed ones from the next listing on, and continues from its last polls', async () => {
    const directory = directoryOf(
      [account],
      [withPolling(everyTenMinutes)],
      [withPolling(onlyPosts)],
    );
    const run = running({ directory });
    await run.world.clock.advance(30 * minuteMs);
    // The last poll was half an hour ago: it is due by the new interval.
    expect(countsOf(run.world.graph)).toEqual({ [media]: 2, [users]: 1 });

    await run.world.clock.advance(29 * minuteMs);
    expect(countsOf(run.world.graph)).toEqual({ [media]: 4, [users]: 1 });
    await run.world.clock.advance(2 * hourMs);
    expect(countsOf(run.world.graph)[users]).toBe(1);
    expect(run.world.telemetry.ofType('accounts')).toEqual([
      { type: 'accounts', added: [account], removed: [] },
      { type: 'accounts', added: [withPolling(everyTenMinutes)], removed: [] },
      { type: 'accounts', added: [withPolling(onlyPosts)], removed: [] },
    ]);
    await run.stop();
  });

  test('rejects a control request for a stream that it does not have', async () => {
    const run = running({ directory: directoryOf([withPolling(onlyPosts)]) });
    await run.world.clock.advance(1);
    expect(await run.execute('poll')).toMatchObject({ kind: 'accepted', count: 1 });
    expect(await run.execute('poll', { stream: 'users' })).toEqual({
      kind: 'unknown',
      reason: 'the account does not have the stream; it has: media',
    });
    await run.stop();
  });

  test('has only these streams to resume after an error has stopped it', async () => {
    const world = createWorld({
      graph: graphWith({
        [media]: () => new StopAccountError('graph.token', 'the token was revoked'),
      }),
    });
    const directory = directoryOf([withPolling(onlyPosts)]);
    const run = controlled(world, { directory });
    await world.clock.advance(1);

    expect(await run.execute('poll', { stream: null })).toEqual({
      kind: 'conflict',
      reason: 'an error has stopped it; fix that, then request "resume"',
    });
    expect(await run.execute('resume', { stream: null })).toMatchObject({ count: 1 });
    await run.stop();
  });

  test('is polled by "once" and "dry-run" for these streams', async () => {
    const directory = directoryOf([withPolling(onlyPosts)]);
    const world = createWorld({ graph: graphWith() });
    const deadlineMs = startMs + minuteMs;

    const { polled } = await superviseOnce(
      supervisionOf({ directory }),
      { ...world, deadlineMs, othersLeaveMs: 0 },
      calm,
    );
    const dry = await dryRun(
      { directory, streams: [profile, posts], deadlineMs, limit: 1, show: () => undefined },
      world,
      calm,
    );

    expect([...polled, ...dry.polled].map(({ job }) => job.stream.name)).toEqual([
      'media',
      'media',
    ]);
  });
});

test('planPolling: restarts an account whose streams or intervals changed', () => {
  const partitions = 4;
  const active = new Set([partitionOf(account.id, partitions)]);
  const plan = (before: Account, now: Account) =>
    planPolling(new Map([[before.id, before]]), [now], active, partitions);
  const changed = withPolling(onlyPosts);

  expect(plan(account, changed)).toEqual({ start: [changed], stop: [account] });
  expect(plan(changed, { ...changed, username: 'renamed' })).toEqual({ start: [], stop: [] });
});

test('schedule: aligns the streams of an account by its own intervals', () => {
  const reels = { ...posts, name: 'media_insights' };
  const polling = { streams: ['media', 'media_insights'], intervalsMs: { media: 2 * hourMs } };
  const jobs = [posts, reels].map((stream, place) => {
    const job = jobOf(stream, withPolling(polling));
    return { ...job, state: { ...job.state, polledMs: startMs - (1 + place) * 10 * minuteMs } };
  });
  const schedule = new Schedule(
    jobs,
    {
      streams: [
        { stream: posts, intervalMs: hourMs },
        { stream: reels, intervalMs: 2 * hourMs },
      ],
      jitter: 0,
      overrides: createOverrides({ report: () => undefined }),
    },
    { clock: createManualClock(startMs), random: () => 0.5 },
  );

  expect(jobs.map((job) => schedule.nextMs(job))).toEqual([
    startMs + 100 * minuteMs,
    startMs + 100 * minuteMs,
  ]);
});
