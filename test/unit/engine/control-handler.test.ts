import { describe, expect, test } from '@jest/globals';
import { account, otherAccount } from '../../support/accounts.ts';
import { createFakeGroup } from '../../support/fake-group.ts';
import { type Changes, controlled, countsOf, directoryOf, graphWith } from './supervision.ts';
import { createWorld, hourMs, minuteMs, type World } from './world.ts';

const media = `/${account.id}/media`;
const saved = { kind: 'accepted', count: 1, saved: true, elsewhere: [] };

/** The program after its first polls, ten minutes after the start. */
async function begun(world: World, changes: Changes = {}) {
  const run = controlled(world, changes);
  await world.clock.advance(10 * minuteMs);
  return run;
}

describe('a control request for several streams', () => {
  test('pauses and resumes every stream of an account', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = await begun(world, { directory: directoryOf([account, otherAccount]) });
    const whole = { stream: null };

    expect(await run.execute('pause', whole)).toEqual({ ...saved, count: 2 });
    expect(await run.execute('poll', whole)).toEqual({
      kind: 'conflict',
      reason: 'it is paused; request "resume" first',
    });
    await world.clock.advance(2 * hourMs);
    expect(countsOf(world.graph)).toMatchObject({ [media]: 1, [`/${otherAccount.id}/media`]: 3 });
    expect(await run.execute('resume', whole)).toEqual({ ...saved, count: 2 });
    await world.clock.advance(0);
    expect(countsOf(world.graph)).toMatchObject({ [media]: 2, [`/${account.id}`]: 2 });
    await run.stop();
  });

  test('polls the streams that are neither paused nor stopped', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = await begun(world);
    await run.execute('pause');

    expect(await run.execute('poll', { stream: null })).toEqual({ ...saved, saved: null });
    await world.clock.advance(0);

    expect(countsOf(world.graph)).toEqual({ [media]: 1, [`/${account.id}`]: 2 });
    await run.stop();
  });

  test('concerns the accounts of this instance, and counts the others by their owners', async () => {
    const group = Object.assign(createFakeGroup(12, { first: [11] }), { owner: 'other-host' });
    const world = createWorld({ graph: graphWith() });
    const run = await begun(world, { group, directory: directoryOf([account, otherAccount]) });

    expect(await run.execute('pause', { accountId: null })).toEqual({
      ...saved,
      elsewhere: [{ owner: 'other-host', accounts: 1 }],
    });
    group.give([]);
    expect(await run.execute('pause', { accountId: null })).toEqual({
      ...saved,
      count: 0,
      elsewhere: [{ owner: 'other-host', accounts: 2 }],
    });
    await run.stop();
  });
});
