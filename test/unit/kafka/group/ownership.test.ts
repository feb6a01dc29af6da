import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createOwnership } from '../../../../src/kafka/group/ownership.ts';
import { createRecordingTelemetry } from '../../../support/recording-telemetry.ts';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** A ownership with a session of ten seconds, of four partitions. */
function setUp() {
  const telemetry = createRecordingTelemetry();
  const shares: (readonly number[])[] = [];
  const ownership = createOwnership({
    sessionTimeoutMs: 10_000,
    partitions: () => 4,
    telemetry,
    onAssignment: (owned) => shares.push(owned),
  });
  return { ownership, telemetry, shares };
}

const given = (...partitions: number[]) => ({ memberId: 'm', partitions });

describe('what is owned', () => {
  test('is what the group has given, and says so also when that is nothing', () => {
    const { ownership, shares } = setUp();
    ownership.onJoin(given(), 0);
    ownership.onJoin(given(1, 2), 0);
    expect(shares).toEqual([[], [1, 2]]);
    expect(ownership.owned()).toEqual([1, 2]);
  });

  test('is given up at the end of the session, counted from when the heartbeat was sent', () => {
    const { ownership, shares } = setUp();
    ownership.onJoin(given(1), 0);
    jest.advanceTimersByTime(5000);
    ownership.onHeartbeat(2000);
    jest.advanceTimersByTime(7900);
    expect(ownership.owned()).toEqual([1]);
    jest.advanceTimersByTime(200);
    expect(ownership.owned()).toEqual([]);
    expect(shares).toEqual([[1], []]);
  });

  test('is given up by who asks after its end, when a late answer is heard before the timer', () => {
    const { ownership, shares } = setUp();
    ownership.onJoin(given(1), 0);
    // Nothing ran for a while, and so no timer has.
    const now = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 10_500);
    expect(ownership.owned()).toEqual([]);
    expect(shares).toEqual([[1], []]);
    ownership.onHeartbeat(5000);
    expect(shares).toEqual([[1], [], [1]]);
    now.mockRestore();
  });

  test('is taken back when the group has never given it to another', () => {
    const { ownership, telemetry, shares } = setUp();
    ownership.onJoin(given(1), 0);
    jest.advanceTimersByTime(11_000);
    ownership.onHeartbeat(0);
    expect(shares).toEqual([[1], [], [1]]);
    expect(telemetry.ofType('share').map(({ cause }) => cause)).toEqual([
      'rebalance',
      'not-heard',
      'confirmed',
    ]);
  });

  test('is lost in between when the group has given another member id', () => {
    const { ownership, shares } = setUp();
    ownership.onJoin(given(1, 2), 0);
    ownership.onJoin({ memberId: 'anew', partitions: [1, 2] }, 0);
    expect(shares).toEqual([[1, 2], [], [1, 2]]);
  });

  test('is kept without a word by a rebalance that changes nothing', () => {
    const { ownership, telemetry } = setUp();
    ownership.onJoin(given(1), 0);
    ownership.onJoin(given(1), 0);
    expect(telemetry.ofType('share').at(-1)).toMatchObject({ gained: [], lost: [] });
  });

  test('is nothing after leaving', () => {
    const { ownership, shares } = setUp();
    ownership.onJoin(given(1), 0);
    ownership.leave();
    expect(shares.at(-1)).toEqual([]);
    expect(ownership.owned()).toEqual([]);
  });
});

describe('a fenced partition', () => {
  test('is left alone for a session, then taken again at a heartbeat, then for twice as long', () => {
    const { ownership, telemetry, shares } = setUp();
    ownership.onJoin(given(1, 2), 0);
    ownership.onFenced(1, 'another producer');
    expect(shares.at(-1)).toEqual([2]);
    jest.advanceTimersByTime(9000);
    ownership.onHeartbeat(0);
    expect(ownership.owned()).toEqual([2]);
    jest.advanceTimersByTime(1100);
    ownership.onHeartbeat(0);
    expect(shares.at(-1)).toEqual([1, 2]);
    ownership.onFenced(1, 'another producer');
    expect(telemetry.ofType('fenced').map(({ pauseMs }) => pauseMs)).toEqual([10_000, 20_000]);
  });

  test('is taken at once when the group gives it anew', () => {
    const { ownership } = setUp();
    ownership.onJoin(given(1), 0);
    ownership.onFenced(1, 'another producer');
    ownership.onJoin(given(), 0);
    ownership.onJoin(given(1), 0);
    expect(ownership.owned()).toEqual([1]);
  });

  test('is no news when the group has not given it', () => {
    const { ownership, telemetry } = setUp();
    ownership.onJoin(given(1), 0);
    ownership.onFenced(3, 'another producer');
    expect(telemetry.ofType('fenced')).toEqual([]);
  });
});
