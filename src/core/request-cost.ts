import type { Source } from './stream.ts';
import { maxWindowMs } from './windows.ts';

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
export function requestCost(source: Source): RequestCost {
  switch (source.kind) {
    case 'object':
      return { calls: 1, per: 'account', list: false };
    case 'list':
      return { calls: 1, per: 'page', list: false };
    case 'insights':
      return { calls: source.parts === undefined ? 1 : 2, per: 'media that is due', list: true };
    case 'comments':
      return { calls: 1, per: 'media with another comments_count', list: true };
    case 'series':
      return {
        calls: source.requests.length,
        per: `window of ${maxWindowMs / dayMs} days`,
        list: false,
      };
    case 'totals':
      return { calls: source.requests.length, per: 'day', list: false };
    case 'breakdowns':
      return { calls: source.breakdowns.length, per: 'poll', list: false };
  }
}

/** For a person, as `4 a window of 30 days`. */
export function describeCost({ calls, per, list }: RequestCost): string {
  const article = /^[aeiou]/.test(per) ? 'an' : 'a';
  return `${calls} ${article} ${per}${list ? ', and the list' : ''}`;
}
