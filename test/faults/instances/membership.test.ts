import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  allMedia,
  createFleet,
  exactlyOnce,
  findings,
  type Fleet,
  type Instance,
  until,
} from './fleet.ts';

/** Three media of each of the twelve accounts. */

let fleet: Fleet;

beforeEach(async () => {
  fleet = await createFleet();
});

afterEach(async () => {
  await fleet[Symbol.asyncDispose]();
});

describe('accounts of a running group', () => {
  test('are added when the token reaches them, and removed when it does not', async () => {
    const [late = '', ...others] = fleet.accounts;
    fleet.hidden.add(late);
    const a = await fleet.start('a');
    const b = await fleet.start('b');
    await fleet.shared([a, b]);
    await fleet.polled(others);
    expect(fleet.visits.flatMap((visit) => visit.accounts)).not.toContain(late);
    fleet.hidden.delete(late);
    await fleet.polled([late]);
    fleet.hidden.add(late);
    await until(
      () => [a, b].some((one) => one.log.some(({ removed }) => isListOf(removed, late))),
      () => 'the account is left',
    );
    // Requests for the removed account that were in flight end during this poll of the others.
    await fleet.polled(others);
    const from = fleet.visits.length;
    await fleet.polled(others);
    expect(fleet.visits.slice(from).flatMap((visit) => visit.accounts)).not.toContain(late);
    expect(await a.stop()).toBe(0);
    expect(await b.stop()).toBe(0);
    expect(await findings(fleet)).toEqual(exactlyOnce);
  }, 180_000);
});

describe('pause of an account', () => {
  test('survives a kill right after the answer, moves with the account, and ends by itself', async () => {
    const [paused = '', ...others] = fleet.accounts;
    const visitsSince = (from: number) =>
      fleet.visits.slice(from).filter(({ accounts }) => accounts.includes(paused)).length;
    const a = await fleet.start('a');
    await fleet.shared([a]);
    await fleet.polled();

    expect(await a.control(`/accounts/${paused}/pause`)).toEqual({
      status: 202,
      body: { accepted: true, streams: 2, saved: true },
    });
    a.program.process.kill('SIGKILL');
    await a.program.ended;
    const killed = fleet.visits.length;
    const b = await fleet.start('b');
    await fleet.shared([b]);
    await fleet.polled(others);
    const c = await fleet.start('c');
    await fleet.shared([b, c]);
    await fleet.polled(others);
    expect(await b.stop()).toBe(0);
    await fleet.shared([c]);
    await fleet.polled(others);
    await fleet.polled(others);
    expect(visitsSince(killed)).toBe(0);
    expect((await c.readyz()).status).toBe(200);

    const end = new Date(Date.now() + 3000).toISOString();
    expect(await c.control(`/accounts/${paused}/pause`, { until: end })).toMatchObject({
      status: 202,
    });
    await fleet.polled([paused]);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(end));
    expect(await c.stop()).toBe(0);

    const { twice, media, profilesUnlikeState } = await findings(fleet);
    expect({ twice, media }).toEqual({ twice: [], media: allMedia });
    // Each pause is a transaction of the state alone, without a profile.
    expect(profilesUnlikeState.map((text) => text.split(':')[0])).toEqual([paused]);
  }, 180_000);
});

describe('SIGTERM during a rebalance', () => {
  test('exits with 0 and leaves nothing behind that other instances wait for', async () => {
    const a = await fleet.start('a');
    await fleet.shared([a]);
    const b = await fleet.start('b');
    await until(
      () => b.said('dependency up') > 0,
      () => 'b is starting',
    );
    expect(await Promise.all([b.stop(), a.stop()])).toEqual([0, 0]);
    const c = await fleet.start('c');
    await fleet.shared([c]);
    await fleet.polled();
    expect(await c.stop()).toBe(0);
    expect(await findings(fleet)).toEqual(exactlyOnce);
  }, 180_000);
});

describe('command once', () => {
  test('exits with 3 and names the running instances', async () => {
    const a = await fleet.start('a');
    await fleet.shared([a]);
    const { code, stderr } = await fleet.once();
    expect(code).toBe(3);
    expect(stderr).toMatch(/^kafka\.group-shared: in the group are already: a \(/);
    expect(await a.stop()).toBe(0);
  }, 180_000);

  test('waits for the session of a killed instance, then polls everything', async () => {
    const a = await fleet.start('a');
    await fleet.shared([a]);
    await fleet.polled();
    a.program.process.kill('SIGKILL');
    await a.program.ended;
    expect((await fleet.once()).code).toBe(0);
    expect(await findings(fleet)).toEqual(exactlyOnce);
  }, 180_000);
});

describe('instances with different transactional id prefixes', () => {
  test('do not affect each other', async () => {
    const other = {
      KAFKA_TRANSACTIONAL_ID_PREFIX: 'other-prefix',
      KAFKA_TOPIC_TEMPLATE: `other-${fleet.deployment.topicOf('x')}.{stream}`,
    };
    const a = await fleet.start('a');
    const b = await fleet.start('b', other);
    await fleet.shared([a]);
    await fleet.shared([b]);
    await until(
      () => [a, b].every((one) => mediaPolledBy(one) === fleet.accounts.length),
      () => 'each has polled the media of every account',
    );
    expect(a.said('partition fenced') + b.said('partition fenced')).toBe(0);
    expect(a.owned()).toEqual(b.owned());
    expect(await a.stop()).toBe(0);
    expect(await b.stop()).toBe(0);
    expect(await findings(fleet)).toEqual(exactlyOnce);
  }, 180_000);
});

function isListOf(value: unknown, id: string): boolean {
  return Array.isArray(value) && value.includes(id);
}

function mediaPolledBy({ log }: Instance): number {
  const polls = log.filter(({ msg, stream }) => msg === 'poll finished' && stream === 'media');
  return new Set(polls.map(({ accountId }) => accountId)).size;
}
