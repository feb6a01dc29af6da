import type { Login } from './account.ts';
import { maxIds } from './metric-groups.ts';
import type { Source } from './stream.ts';
import { maxWindowMs } from './windows.ts';

/** How many requests a stream takes, without those that find what the API refuses. */
export interface RequestCost {
  /** At most so many … */
  readonly requests: number;
  /** … for each of these, as `window of 30 days`. */
  readonly per: string;
  /** Whether the list of media or stories is walked besides: a request a page. */
  readonly list: boolean;
}

const dayMs = 86_400_000;

/** What a stream's declaration comes to in requests. */
export function requestCost(source: Source, login: Login): RequestCost {
  switch (source.kind) {
    case 'object':
      return { requests: 1, per: `${maxIds} accounts that are due together`, list: false };
    case 'list':
      return { requests: 1, per: 'page', list: false };
    case 'insights':
      return { requests: mostGroups(source, login), per: `${maxIds} media of a kind`, list: true };
    case 'comments':
      return { requests: 1, per: `${maxIds} media with another comments_count`, list: true };
    case 'series':
      return {
        requests: source.requests.length,
        per: `window of ${maxWindowMs / dayMs} days`,
        list: false,
      };
    case 'totals':
      return { requests: source.requests.length, per: 'day', list: false };
    case 'breakdowns':
      return { requests: source.breakdowns.length, per: 'poll', list: false };
  }
}

/** Each kind of media has sets of metrics of its own; the dearest counts. */
function mostGroups(source: Extract<Source, { readonly kind: 'insights' }>, login: Login): number {
  const kinds = [{ media_product_type: 'FEED' }, { media_product_type: 'REELS' }, {}];
  return Math.max(...kinds.map((listed) => source.groups(listed, login).length));
}

/** For a person, as `4 a window of 30 days`. */
export function describeCost({ requests, per, list }: RequestCost): string {
  const plural = /^\d/.test(per) ? `per ${per}` : `a ${per}`;
  return `${requests} ${plural}${list ? ', and the list' : ''}`;
}
