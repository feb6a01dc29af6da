import type { Json, JsonObject } from '../json.ts';
import type { Day } from '../world/model.ts';
import { formatTime } from '../world/pacific.ts';
import type { UserInsightsRequest } from './user-insights.ts';

function valueOf(day: Day, name: string, period: string): Json | undefined {
  switch (`${name}/${period}`) {
    case 'reach/day':
      return day.reach;
    case 'reach/week':
      return day.reachWeek;
    case 'reach/days_28':
      return day.reachDays28;
    case 'follower_count/day':
      return day.followerCount;
    case 'online_followers/lifetime':
      return day.onlineFollowers;
    default:
      return undefined;
  }
}

/**
 * Returns the days of a series whose `end_time` is in the window, ends included; undefined where
 * the world has no value of the metric in it.
 */
export function seriesValues(
  { account, period, window }: UserInsightsRequest,
  name: string,
  nowMs: number,
): JsonObject[] | undefined {
  const values = account.daysAt(window, nowMs).flatMap((day) => {
    const value = valueOf(day, name, period);
    return value === undefined ? [] : [{ value, end_time: formatTime(day.endTimeMs) }];
  });
  return values.length === 0 ? undefined : values;
}
