import { planDays } from '../instagram/model/daily-totals.ts';
import { askableFrom } from '../instagram/model/missing.ts';
import type { Checkpoint } from '../engine/state.ts';
import type { StreamRequest } from '../instagram/streams/stream.ts';
import { maxWindowMs, planWindows } from '../instagram/model/windows.ts';

/** A stream's calls as Meta counts them, without those that a rejection costs. */
export interface RequestCost {
  /** At most so many … */
  readonly calls: number;
  /** … for each of these, as `window of 30 days`. */
  readonly per: string;
  /** True when the list of media or stories is scanned as well: one call a page. */
  readonly list: boolean;
}

const dayMs = 86_400_000;

/** The calls that a stream's declaration results in. */
export function requestCost(request: StreamRequest): RequestCost {
  switch (request.kind) {
    case 'object':
      return { calls: 1, per: 'account', list: false };
    case 'list':
      return { calls: 1, per: 'page', list: false };
    case 'insights':
      return { calls: request.parts === undefined ? 1 : 2, per: 'media that is due', list: true };
    case 'comments':
      return { calls: 1, per: 'media with another comments_count', list: true };
    case 'series':
      return {
        calls: request.requests.length,
        per: `window of ${maxWindowMs / dayMs} days`,
        list: false,
      };
    case 'totals':
      return { calls: request.requests.length, per: 'day', list: false };
    case 'breakdowns':
      return { calls: request.breakdowns.length, per: 'poll', list: false };
  }
}

/** What one poll of days reads. */
export interface DaysCost {
  /** Calls as Meta counts them, without those that a rejection costs. */
  readonly calls: number;
  /** Epoch milliseconds; null when it reads nothing. */
  readonly fromMs: number | null;
}

/** What the next poll of a stream of days costs, by its state; undefined for a stream without days. */
export function nextPollCost(
  request: StreamRequest,
  checkpoint: Checkpoint,
  at: { readonly nowMs: number; readonly lookbackMs: number; readonly startDateMs: number | null },
): DaysCost | undefined {
  const { cursorMs, coveredUntilMs } = checkpoint;
  if (request.kind === 'series') {
    const names = request.requests.flatMap(({ metrics }) => Object.values(metrics));
    const missingFromMs = askableFrom(checkpoint, names, at.nowMs);
    const windows = planWindows({ ...at, cursorMs, coveredUntilMs, missingFromMs });
    const made = windows.flatMap(({ recent }) =>
      request.requests.filter(
        ({ metrics, recentOnly }) =>
          recent || Object.keys(metrics).some((metric) => !recentOnly.includes(metric)),
      ),
    );
    return { calls: made.length, fromMs: windows[0]?.sinceMs ?? null };
  }
  if (request.kind !== 'totals') return undefined;
  const names = request.requests.flatMap(({ metrics }) => metrics);
  const missingFromMs = askableFrom(checkpoint, names, at.nowMs);
  const days = planDays({ ...at, cursorMs, coveredUntilMs, missingFromMs });
  return { calls: days.length * request.requests.length, fromMs: days[0]?.startMs ?? null };
}

/** For a person, as `4 a window of 30 days`. */
export function describeCost({ calls, per, list }: RequestCost): string {
  const article = /^[aeiou]/.test(per) ? 'an' : 'a';
  return `${calls} ${article} ${per}${list ? ', and the list' : ''}`;
}
