import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createOwnership } from '../../../../src/kafka/group/ownership.ts';
import { createRecordingTelemetry } from '../../../support/recording-telemetry.ts';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** An ownership with a session of ten seconds, of four partitions. */
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

describe('partition ownership', () => {
  test('is the assignment of the group, and an empty assignment is reported as well', () => {
    const { ownership, shares } = setUp();
    ownership.onJoin(given(), 0);
    ownership.onJoin(given(1, 2), 0);
    expect(shares).toEqual([[], [1, 2]]);
    expect(ownership.owned()).toEqual([1, 2]);
  });

  test('ends with the session, counted from the time when the last heartbeat was sent', () => {
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

  test('ends when it is read after the session, and returns with a late heartbeat response', () => {
    const { ownership, shares } = setUp();
    ownership.onJoin(given(1), 0);
    // The process was suspended, so that its timers are late.
    const now = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 10_500);
    expect(ownership.owned()).toEqual([]);
    expect(shares).toEqual([[1], []]);
    ownership.onHeartbeat(5000);
    expect(shares).toEqual([[1], [], [1]]);
    now.mockRestore();
  });

  test('returns with a heartbeat when the group assigned the partitions to no other member', () => {
    const { ownership, telemetry, shares } = setUp();
    ownership.onJoin(given(1), 0);
    jest.advanceTimersByTime(11_000);
    ownership.onHeartbeat(0);
    expect(shares).toEqual([[1], [], [1]]);
    expect(telemetry.ofType('assignment').map(({ cause }) => cause)).toEqual([
      'rebalance',
      'missed-heartbeats',
      'confirmed',
    ]);
  });

  test('is lost and gained when the group assigns another member id', () => {
    const { ownership, shares } = setUp();
    ownership.onJoin(given(1, 2), 0);
    ownership.onJoin({ memberId: 'anew', partitions: [1, 2] }, 0);
    expect(shares).toEqual([[1, 2], [], [1, 2]]);
  });

  test('is kept and reported as unchanged by a rebalance that changes nothing', () => {
    const { ownership, telemetry } = setUp();
    ownership.onJoin(given(1), 0);
    ownership.onJoin(given(1), 0);
    expect(telemetry.ofType('assignment').at(-1)).toMatchObject({ gained: [], lost: [] });
  });

  test('is empty after leaving the group', () => {
    const { ownership, shares } = setUp();
    ownership.onJoin(given(1), 0);
    ownership.leave();
    expect(shares.at(-1)).toEqual([]);
    expect(ownership.owned()).toEqual([]);
  });
});

describe('a fenced partition', () => {
  test('pauses for a session, is owned again at the next heartbeat, and then pauses twice as long', () => {
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

  test('is owned at once when the group assigns it again', () => {
    const { ownership } = setUp();
    ownership.onJoin(given(1), 0);
    ownership.onFenced(1, 'another producer');
    ownership.onJoin(given(), 0);
    ownership.onJoin(given(1), 0);
    expect(ownership.owned()).toEqual([1]);
  });

  test('is not reported when the group has not assigned it', () => {
    const { ownership, telemetry } = setUp();
    ownership.onJoin(given(1), 0);
    ownership.onFenced(3, 'another producer');
    expect(telemetry.ofType('fenced')).toEqual([]);
  });
});
