import type { Rejection } from './state.ts';

const weekMs = 7 * 24 * 3_600_000;

/**
 * True while a subject or metric is rejected. A rejection lasts at most a week: a later end was
 * recorded before the clock was set back, and the rejection has ended.
 */
export function holds({ untilMs }: Rejection, nowMs: number): boolean {
  return untilMs === null || (nowMs < untilMs && untilMs <= nowMs + weekMs);
}

/** Removes rejections that ended long ago, and those of deleted media. */
export function tidyRejections(
  rejections: readonly Rejection[],
  { nowMs, present }: { nowMs: number; present: ReadonlySet<string> | undefined },
): readonly Rejection[] {
  return rejections.filter(({ subject, untilMs, missingFromMs }) => {
    const media = /^(\d+)(?:\/\d+)?$/.exec(subject)?.[1];
    if (media !== undefined && present?.has(media) === false) return false;
    return untilMs === null || missingFromMs !== undefined || nowMs < untilMs + weekMs;
  });
}
