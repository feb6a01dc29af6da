import { describe, expect, test } from '@jest/globals';
import { describeSchedule, FAULT_KINDS, planFaults } from '../../chaos/schedule.ts';

describe('a schedule of faults', () => {
  test('is equal for the same seed and length, and differs for another seed', () => {
    expect(planFaults(7, 5)).toEqual(planFaults(7, 5));
    expect(planFaults(7, 5)).not.toEqual(planFaults(8, 5));
  });

  test('has every kind of fault before one is repeated', () => {
    const [round = []] = planFaults(1, 0.6);
    expect(round.map(({ kind }) => kind).sort()).toEqual([...FAULT_KINDS].sort());
  });

  test('splits a long run into rounds of about forty seconds', () => {
    const rounds = planFaults(3, 5);
    expect(rounds.map((round) => round.length)).toEqual(rounds.map(() => 15));
    expect(rounds).toHaveLength(8);
    const latestMs = Math.max(...rounds.flat().map(({ atMs }) => atMs));
    expect(latestMs).toBeLessThanOrEqual(40_000);
  });

  test('has a round and a fault for any length', () => {
    expect(planFaults(3, 0.01).map((round) => round.length)).toEqual([1]);
  });

  test('pauses instances for longer than the session timeout of their group', () => {
    const pauses = planFaults(5, 60)
      .flat()
      .filter(({ kind }) => kind === 'pause');
    expect(Math.min(...pauses.map(({ durationMs }) => durationMs))).toBeGreaterThanOrEqual(9_000);
  });

  test('is described in one line per fault', () => {
    expect(describeSchedule([[{ atMs: 1234, kind: 'kill', target: 5, durationMs: 2000 }]])).toEqual(
      ['round 1, 1.2 s: kill 5 for 2.0 s'],
    );
  });
});
