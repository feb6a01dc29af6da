import type { JsonObject } from '../json.ts';
import type { Clock } from '../world/clock.ts';
import type { Account, Media, ProductType } from '../world/model.ts';
import { showPresent } from '../world/present.ts';
import type { CollectedAccount } from './collect.ts';

/** Makes an account out of what a recording says of it. */
export function recordedAccount(
  collected: CollectedAccount,
  { pageId, clock }: { pageId: string; clock: Clock },
): Account {
  const media = newestFirst(collected.id, collected.media, 'FEED');
  const stories = newestFirst(collected.id, collected.stories, 'STORY');
  const days = [...collected.days.values()].sort((a, b) => a.endTimeMs - b.endTimeMs);
  return showPresent(
    {
      id: collected.id,
      pageId,
      appScopedId: `2${collected.id.slice(1)}`,
      instagramToken: `IGAArecorded${collected.id}`,
      seriesFromMs: days[0]?.endTimeMs ?? clock.now(),
      userAt: () => collected.user,
      mediaAt: () => media,
      storiesAt: () => stories,
      daysAt: ({ sinceMs, untilMs }) =>
        days.filter(({ endTimeMs }) => endTimeMs >= sinceMs && endTimeMs <= untilMs),
      demographicsAt: () => ({}),
      total: ({ metric, breakdown, sinceText, untilText }) =>
        collected.totals.get([metric, breakdown, sinceText, untilText].join('|')),
    },
    clock,
  );
}

/** In the order of the API: strictly by time; media whose time no body shows keep their place. */
function newestFirst(
  accountId: string,
  nodes: ReadonlyMap<string, JsonObject>,
  otherwise: ProductType,
): Media[] {
  return [...nodes]
    .map(([id, fields]) => recordedMedia({ id, accountId, fields, otherwise }))
    .sort((a, b) => b.createdAtMs - a.createdAtMs);
}

interface RecordedMedia {
  readonly id: string;
  readonly accountId: string;
  readonly fields: JsonObject;
  /** The product type of a body that does not say it. */
  readonly otherwise: ProductType;
}

function recordedMedia({ id, accountId, fields, otherwise }: RecordedMedia): Media {
  const said = fields['media_product_type'];
  const timestamp = fields['timestamp'];
  return {
    id,
    accountId,
    createdAtMs: typeof timestamp === 'string' ? Date.parse(timestamp) : 0,
    productType: said === 'FEED' || said === 'REELS' || said === 'STORY' ? said : otherwise,
    isChild: false,
    traits: { hiddenLikes: false, beforeConversion: false, onFacebook: false },
    children: [],
    fields: () => fields,
    insights: () => null,
    breakdown: () => ({}),
  };
}
