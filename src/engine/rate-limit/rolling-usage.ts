/**
 * What was used of a rolling window, in percent of its budget. Kept as what came in when, because it
 * leaves as it came: a burst stays for the whole window and then goes at once.
 */
export interface RollingUsage {
  readonly windowMs: number;
  /** What leaves when, the first to leave first. */
  readonly parts: readonly Part[];
}

interface Part {
  readonly leavesMs: number;
  readonly percent: number;
}

/** What comes in within this share of the window leaves together, at the end of it. */
const bucketsAWindow = 96;
/** What was used before anybody looked is taken to have come in evenly over the window. */
const evenParts = 24;

/** Nothing used. */
export function noUsage(windowMs: number): RollingUsage {
  return { windowMs, parts: [] };
}

/** What is still used now, in percent. */
export function usedPercent({ parts }: RollingUsage, nowMs: number): number {
  let sum = 0;
  for (const { leavesMs, percent } of parts) if (leavesMs > nowMs) sum += percent;
  // Sums of fractions must not miss a mark by a hair.
  return Math.round(sum * 1e6) / 1e6;
}

/**
 * The usage after somebody said what it is: more than believed came in now, less than believed means
 * that the oldest has left already.
 */
export function correctUsage(usage: RollingUsage, percent: number, nowMs: number): RollingUsage {
  const parts = usage.parts.filter(({ leavesMs }) => leavesMs > nowMs);
  const known = { ...usage, parts };
  const surplus = percent - usedPercent(known, nowMs);
  return surplus >= 0 ? add(known, surplus, nowMs) : takeOldest(known, -surplus);
}

/** The usage of someone of whom nothing was known: it decays in a line. */
export function evenUsage(windowMs: number, percent: number, nowMs: number): RollingUsage {
  const parts = Array.from({ length: evenParts }, (_, index) => ({
    leavesMs: nowMs + (windowMs * (index + 1)) / evenParts,
    percent: percent / evenParts,
  }));
  return { windowMs, parts: percent > 0 ? parts : [] };
}

/** How long until no more than `percent` is used, when nothing comes in meanwhile; 0 when it is so. */
export function msUntilAtMost(usage: RollingUsage, percent: number, nowMs: number): number {
  let left = usedPercent(usage, nowMs);
  let ms = 0;
  for (const part of usage.parts) {
    if (left <= percent) break;
    if (part.leavesMs <= nowMs) continue;
    left -= part.percent;
    ms = part.leavesMs - nowMs;
  }
  return ms;
}

/** When the first of it leaves after a time; Infinity when nothing is used then. */
export function nextLeaveMs({ parts }: RollingUsage, afterMs: number): number {
  return parts.find(({ leavesMs }) => leavesMs > afterMs)?.leavesMs ?? Infinity;
}

function add(usage: RollingUsage, percent: number, nowMs: number): RollingUsage {
  if (percent === 0) return usage;
  const bucketMs = usage.windowMs / bucketsAWindow;
  const leavesMs = Math.ceil(nowMs / bucketMs) * bucketMs + usage.windowMs;
  const last = usage.parts.at(-1);
  if (last === undefined || last.leavesMs < leavesMs) {
    return { ...usage, parts: [...usage.parts, { leavesMs, percent }] };
  }
  return {
    ...usage,
    parts: [...usage.parts.slice(0, -1), { ...last, percent: last.percent + percent }],
  };
}

function takeOldest(usage: RollingUsage, percent: number): RollingUsage {
  let left = percent;
  const parts = usage.parts.flatMap((part) => {
    const taken = Math.min(left, part.percent);
    left -= taken;
    return taken === part.percent ? [] : [{ ...part, percent: part.percent - taken }];
  });
  return { ...usage, parts };
}
