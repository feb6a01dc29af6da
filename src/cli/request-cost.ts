import { planDays } from '../instagram/model/daily-totals.ts';
import { askableFrom } from '../instagram/model/missing.ts';
import type { Checkpoint } from '../engine/state.ts';
import type { StreamRequest } from '../instagram/streams/stream.ts';
import { maxWindowMs, planWindows } from '../instagram/model/windows.ts';

/** A stream's calls as Meta counts them, without those of a rejection. */
export interface RequestCost {
  /** The most calls … */
  readonly calls: number;
  /** … for each of these, such as `window of 30 days`. */
  readonly per: string;
  /** True when the list of media or stories is scanned as well: one call a page. */
  readonly list: boolean;
}

const dayMs = 86_400_000;

/** Returns the calls that a stream's declaration results in. */
export function requestCost(request: StreamRequest): RequestCost {
  const plain = (calls: number, per: string) => ({ calls, per, list: false });
  switch (request.kind) {
    case 'object':
      return plain(1, 'account');
    case 'list':
      return plain(1, 'page');
    case 'insights':
      return { calls: request.parts === undefined ? 1 : 2, per: 'media that is due', list: true };
    case 'comments':
      return { calls: 1, per: 'media with another comments_count', list: true };
    case 'series':
      return plain(request.requests.length, `window of ${maxWindowMs / dayMs} days`);
    case 'totals':
      return plain(request.requests.length, 'day');
    case 'breakdowns':
      return plain(request.breakdowns.length, 'poll');
  }
}

/** The cost of one poll of a stream of days. */
interface DaysCost {
  /** Calls as Meta counts them, without those of a rejection. */
  readonly calls: number;
  /** Epoch milliseconds; null when the poll reads no day. */
  readonly fromMs: number | null;
}

/** Returns the cost of a stream's next poll, by its state; undefined for a stream without days. */
export function nextPollCost(
  request: StreamRequest,
  checkpoint: Checkpoint,
  limits: {
    readonly nowMs: number;
    readonly lookbackMs: number;
    readonly startDateMs: number | null;
  },
): DaysCost | undefined {
  const { cursorMs, coveredUntilMs } = checkpoint;
  if (request.kind === 'series') {
    const names = request.requests.flatMap(({ metrics }) => Object.values(metrics));
    const missingFromMs = askableFrom(checkpoint, names, limits.nowMs);
    const windows = planWindows({ ...limits, cursorMs, coveredUntilMs, missingFromMs });
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
  const missingFromMs = askableFrom(checkpoint, names, limits.nowMs);
  const days = planDays({ ...limits, cursorMs, coveredUntilMs, missingFromMs });
  return { calls: days.length * request.requests.length, fromMs: days[0]?.startMs ?? null };
}

/** Formats a cost for a person, as `4 a window of 30 days`. */
export function describeCost({ calls, per, list }: RequestCost): string {
  const article = /^[aeiou]/.test(per) ? 'an' : 'a';
  return `${calls} ${article} ${per}${list ? ', and the list' : ''}`;
}
