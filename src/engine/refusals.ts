import type { Refusal } from './state.ts';

const weekMs = 7 * 24 * 3_600_000;

/**
 * True while a subject or metric is rejected. No rejection lasts longer than a week: one that seems
 * to was recorded before the clock was set back, and has ended.
 */
export function holds({ untilMs }: Refusal, nowMs: number): boolean {
  return untilMs === null || (nowMs < untilMs && untilMs <= nowMs + weekMs);
}

/** Forgets rejections that ended long ago, and those of media that are gone. */
export function tidyRefusals(
  refusals: readonly Refusal[],
  { nowMs, present }: { nowMs: number; present: ReadonlySet<string> | undefined },
): readonly Refusal[] {
  return refusals.filter(({ subject, untilMs, missingFromMs }) => {
    const media = /^(\d+)(?:\/\d+)?$/.exec(subject)?.[1];
    if (media !== undefined && present?.has(media) === false) return false;
    return untilMs === null || missingFromMs !== undefined || nowMs < untilMs + weekMs;
  });
}
