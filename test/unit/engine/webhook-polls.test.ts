import { describe, expect, test } from '@jest/globals';
import { FailError, StopStreamError } from '../../../src/engine/errors.ts';
import { PendingChanges, type WebhookChange } from '../../../src/engine/webhooks.ts';
import type { PollOutcome } from '../../../src/engine/poller.ts';
import { pollChanges } from '../../../src/engine/webhook-polls.ts';
import { streams } from '../../../src/instagram/streams/index.ts';
import { account } from '../../support/accounts.ts';
import { type Answer, createFakeGraph } from '../../support/fake-graph.ts';
import { createFakePublisher } from '../../support/fake-publisher.ts';
import { settle } from '../../support/manual-clock.ts';
import { type World, createWorld, jobOf, minuteMs } from './world.ts';

const change = (id: string): WebhookChange => ({
  key: `${account.id}/comments/${id}`,
  accountId: account.id,
  stream: 'comments',
  field: 'comments',
  sentMs: 0,
  value: { id, media_id: '18' },
});

/** Publishes pending comments until the test stops it; each comment is answered by `answer`. */
function running(answer: (id: string, index: number) => Answer, changes: Partial<World> = {}) {
  const graph = createFakeGraph(({ path }, index) => answer(path.slice(1), index));
  const world = createWorld({ graph, pending: new PendingChanges(), ...changes });
  const stop = new AbortController();
  let isStopped = false;
  const outcomes: PollOutcome['kind'][] = [];
  const job = jobOf(streams.comments, account);
  const ended = pollChanges(
    job,
    {
      nextPollMs: () => null,
      onOutcome: ({ kind }) => {
        outcomes.push(kind);
      },
      isStopped: () => isStopped || outcomes.includes('stop-stream'),
      signal: stop.signal,
    },
    world,
  );
  const published = () =>
    world.publisher.batches.flatMap(({ records }) =>
      records.map(({ role, key, value }) => `${role} ${key}${value === null ? ' removed' : ''}`),
    );
  const stopStream = (): void => {
    isStopped = true;
  };
  return { world, job, outcomes, ended, stop, stopStream, published, graph };
}

const comment = (id: string): Answer => ({ id, timestamp: '2026-05-12T10:00:00+0000' });

describe('pollChanges', () => {
  test('publishes a change as it arrives, and removes it from the inbox in the same batch', async () => {
    const run = running(comment);
    await settle();
    expect(run.graph.requests).toEqual([]);

    run.world.pending.add(change('1'));
    await run.world.clock.advance(0);

    expect(run.world.publisher.batches).toHaveLength(1);
    expect(run.published()).toEqual(['comments 1', `webhooks ${account.id}/comments/1 removed`]);
    expect(run.world.pending.of('comments', account.id, 50)).toEqual([]);
    expect(run.job.state.sequence).toBe(1);
    // The next poll of the schedule is due as before.
    expect(run.job.state.polledMs).toBeNull();
    run.stop.abort();
    await run.ended;
  });

  test('publishes a repeated delivery once, and removes it again', async () => {
    const run = running(comment);
    run.world.pending.add(change('1'));
    await run.world.clock.advance(0);
    run.world.pending.add(change('1'));
    await run.world.clock.advance(0);

    const removal = `webhooks ${account.id}/comments/1 removed`;
    expect(run.published()).toEqual(['comments 1', removal, removal]);
    expect(run.graph.requests).toHaveLength(1);
    run.stop.abort();
    await run.ended;
  });

  test('keeps a change whose request fails, and tries it again after the others', async () => {
    const failing = new Set(['1']);
    const run = running((id) =>
      failing.has(id) ? new FailError('graph.refused', 'no') : comment(id),
    );
    run.world.pending.add(change('1'));
    run.world.pending.add(change('2'));
    await run.world.clock.advance(0);
    expect(run.published()).toEqual(['comments 2', `webhooks ${account.id}/comments/2 removed`]);

    failing.clear();
    await run.world.clock.advance(5 * minuteMs);
    expect(run.published().slice(2)).toEqual([
      'comments 1',
      `webhooks ${account.id}/comments/1 removed`,
    ]);
    expect(run.outcomes).toEqual(['done', 'failed', 'done']);
    run.stop.abort();
    await run.ended;
  });

  test('waits longer after each failure, up to five minutes', async () => {
    const run = running(() => new FailError('graph.refused', 'no'));
    run.world.pending.add(change('1'));
    await run.world.clock.advance(60 * minuteMs);

    const waits = run.world.clock.slept.filter((ms) => ms >= 1000);
    expect(waits.slice(0, 4)).toEqual([3750, 7500, 15_000, 30_000]);
    expect(Math.max(...waits)).toBe(225_000);
    run.stop.abort();
    await run.ended;
  });

  test('keeps the changes of a paused stream until it is resumed', async () => {
    const run = running(comment);
    run.job.pause = { sinceMs: 0, untilMs: null };
    run.world.pending.add(change('1'));
    await run.world.clock.advance(minuteMs);
    expect(run.published()).toEqual([]);

    run.job.pause = null;
    await run.world.clock.advance(5 * minuteMs);
    expect(run.published()).toHaveLength(2);
    run.stop.abort();
    await run.ended;
  });

  test('holds no permit while a poll of the schedule runs', async () => {
    const run = running(comment);
    const poll = Promise.withResolvers<undefined>();
    void run.job.writer.take(() => poll.promise, run.stop.signal);
    run.world.pending.add(change('1'));
    await run.world.clock.advance(minuteMs);
    await Promise.all(
      Array.from({ length: 8 }, () => run.world.pollPermits.take(() => settle(), run.stop.signal)),
    );
    expect(run.published()).toEqual([]);

    poll.resolve(undefined);
    await run.world.clock.advance(0);
    expect(run.published()).toHaveLength(2);
    run.stop.abort();
    await run.ended;
  });

  test('publishes nothing twice after an unknown error of a commit', async () => {
    const refused: Error[] = [new FailError('kafka.unavailable', 'no broker')];
    const run = running(comment, { publisher: createFakePublisher(() => refused.shift()) });
    run.world.pending.add(change('1'));
    await run.world.clock.advance(minuteMs);

    expect(run.world.publisher.tried).toHaveLength(2);
    expect(run.published()).toEqual(['comments 1', `webhooks ${account.id}/comments/1 removed`]);
    run.stop.abort();
    await run.ended;
  });

  test('ends when its stream is stopped', async () => {
    const run = running(() => new StopStreamError('graph.permission', 'no permission'));
    run.world.pending.add(change('1'));
    await run.world.clock.advance(0);
    await run.ended;

    expect(run.outcomes).toEqual(['stop-stream']);
    expect(run.world.pending.of('comments', account.id, 50)).toHaveLength(1);
  });

  test('requests nothing for a change after a poll of the schedule has stopped the stream', async () => {
    const run = running(comment);
    await settle();
    run.stopStream();
    run.world.pending.add(change('1'));
    await run.world.clock.advance(0);
    await run.ended;

    expect(run.graph.requests).toEqual([]);
    expect(run.world.pending.of('comments', account.id, 50)).toHaveLength(1);
  });
});
