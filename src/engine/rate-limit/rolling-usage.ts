/**
 * The usage of a rolling window, in percent of its quota. Usage leaves the window as it entered: a
 * burst stays for the whole window and then leaves at once.
 */
export interface RollingUsage {
  readonly windowMs: number;
  /** The usage by the time when it leaves the window, earliest first. */
  readonly parts: readonly { readonly leavesMs: number; readonly percent: number }[];
}

/** Parts of the window: usage within one of them leaves together, at its end. */
const bucketsPerWindow = 96;
/** Parts of the usage before the first report, which is assumed to be even over the window. */
const evenParts = 24;

/** Returns a window without usage. */
export function noUsage(windowMs: number): RollingUsage {
  return { windowMs, parts: [] };
}

export function usedPercent({ parts }: RollingUsage, nowMs: number): number {
  let sum = 0;
  for (const { leavesMs, percent } of parts) if (leavesMs > nowMs) sum += percent;
  // Rounding errors of the sum must not miss a threshold.
  return Math.round(sum * 1e6) / 1e6;
}

/**
 * Corrects the usage to a reported percentage. A surplus counts as used now; a deficit is taken
 * from the oldest usage, which has left the window earlier than expected.
 */
export function correctUsage(usage: RollingUsage, percent: number, nowMs: number): RollingUsage {
  const parts = usage.parts.filter(({ leavesMs }) => leavesMs > nowMs);
  const known = { ...usage, parts };
  const surplus = percent - usedPercent(known, nowMs);
  return surplus >= 0 ? add(known, surplus, nowMs) : takeOldest(known, -surplus);
}

/** Returns the usage at a first report: spread evenly over the window, it decays linearly. */
export function evenUsage(windowMs: number, percent: number, nowMs: number): RollingUsage {
  const parts = Array.from({ length: evenParts }, (_, index) => ({
    leavesMs: nowMs + (windowMs * (index + 1)) / evenParts,
    percent: percent / evenParts,
  }));
  return { windowMs, parts: percent > 0 ? parts : [] };
}

/** Milliseconds until at most `percent` is used, without further usage; 0 when that is so now. */
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

/** The time when the first part leaves after `afterMs`; Infinity without usage after it. */
export function nextLeaveMs({ parts }: RollingUsage, afterMs: number): number {
  return parts.find(({ leavesMs }) => leavesMs > afterMs)?.leavesMs ?? Infinity;
}

function add(usage: RollingUsage, percent: number, nowMs: number): RollingUsage {
  if (percent === 0) return usage;
  const bucketMs = usage.windowMs / bucketsPerWindow;
  const leavesMs = Math.ceil(nowMs / bucketMs) * bucketMs + usage.windowMs;
  const last = usage.parts.at(-1);
  const parts =
    last === undefined || last.leavesMs < leavesMs
      ? [...usage.parts, { leavesMs, percent }]
      : [...usage.parts.slice(0, -1), { ...last, percent: last.percent + percent }];
  return { ...usage, parts };
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
