import type { Day, Total, TotalRequest } from './model.ts';

/** Account metrics for a window, as a share of the reach of its days. */
const SHARE_OF_REACH: Readonly<Record<string, number>> = {
  reach: 0.7,
  views: 1.8,
  accounts_engaged: 0.09,
  total_interactions: 0.12,
  likes: 0.08,
  comments: 0.01,
  shares: 0.012,
  saves: 0.015,
  replies: 0.003,
  reposts: 0.002,
  profile_links_taps: 0.006,
  profile_views: 0.05,
  website_clicks: 0.01,
};

const PARTS: Readonly<Record<string, readonly (readonly [string, number])[]>> = {
  media_product_type: [
    ['POST', 0.3],
    ['CAROUSEL_CONTAINER', 0.2],
    ['REEL', 0.4],
    ['STORY', 0.1],
  ],
  follow_type: [
    ['FOLLOWER', 0.55],
    ['NON_FOLLOWER', 0.4],
    ['UNKNOWN', 0.05],
  ],
  contact_button_type: [
    ['BOOK_NOW', 0.2],
    ['EMAIL', 0.5],
    ['CALL', 0.3],
  ],
};

/** Returns the total of a metric over days; `parts` only for a requested breakdown. */
export function totalOfDays(days: readonly Day[], request: TotalRequest): Total {
  if (request.metric === 'follows_and_unfollows') {
    return followsOf(days, request);
  }
  const reach = days.reduce((sum, day) => sum + (day.reach ?? 0), 0);
  const value = Math.round(reach * (SHARE_OF_REACH[request.metric] ?? 0));
  if (request.breakdown === '') {
    return { value };
  }
  return { value, parts: split(value, request.breakdown.split(',')) };
}

function split(value: number, dimensions: readonly string[]): Record<string, number> {
  let cells: (readonly [string, number])[] = [['', 1]];
  for (const dimension of dimensions) {
    cells = cells.flatMap(([key, share]) =>
      (PARTS[dimension] ?? []).map(
        ([name, part]) => [key === '' ? name : `${key},${name}`, share * part] as const,
      ),
    );
  }
  const parts: Record<string, number> = {};
  for (const [key, share] of cells) {
    const part = Math.floor(value * share);
    if (part > 0) {
      parts[key] = part;
    }
  }
  return parts;
}

/** Returns gained and lost follows; without a breakdown Meta returns no number. */
function followsOf(days: readonly Day[], request: TotalRequest): Total {
  const gained = days.reduce((sum, day) => sum + (day.gained ?? 0), 0);
  if (request.breakdown === '') {
    return {};
  }
  return { parts: { FOLLOWER: gained, NON_FOLLOWER: Math.floor(gained * 0.4) } };
}
