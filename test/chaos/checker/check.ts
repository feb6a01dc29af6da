import type { Findings, Log } from './logged.ts';
import { findDuplicated, findDuplicatedComments, findReordered } from './records.ts';
import { compareStates } from './states.ts';
import { type ExpectedNow, findAllLost } from './truth.ts';

/**
 * Holds what is in Kafka against the world as it is in the end, and against itself.
 *
 * @param lostBefore - what the world held at an earlier time of rest and Kafka did not
 */
export function check(log: Log, expected: ExpectedNow, lostBefore: readonly string[]): Findings {
  const { ahead, behind } = compareStates(log);
  return {
    lost: [...lostBefore, ...findAllLost(expected, log)],
    duplicated: [...findDuplicated(log), ...findDuplicatedComments(log)],
    reordered: findReordered(log),
    state_ahead: ahead,
    state_behind: behind,
  };
}
