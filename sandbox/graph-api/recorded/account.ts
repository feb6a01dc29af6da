import type { Conditions } from '../conditions.ts';
import type { JsonObject } from '../json.ts';
import type { Clock } from '../world/clock.ts';
import { accountUnderConditions } from '../world/conditioned.ts';
import type { Account, Media, ProductType } from '../world/model.ts';
import { type TimelessAccount, showPresent } from '../world/present.ts';
import type { CollectedAccount } from './collection.ts';
import { recordedMedia } from './media.ts';

/** Creates an account from a recording. */
export function recordedAccount(
  collected: CollectedAccount,
  { pageId, clock, conditions }: { pageId: string; clock: Clock; conditions: Conditions },
): Account {
  const media = newestFirst(collected.id, collected.media, 'FEED');
  const stories = newestFirst(collected.id, collected.stories, 'STORY');
  const foreign = new Map(
    [...collected.foreign].map(([edge, nodes]) => [edge, newestFirst('', nodes, 'FEED')]),
  );
  const days = [...collected.days.values()].sort((a, b) => a.endTimeMs - b.endTimeMs);
  const account: TimelessAccount = {
    id: collected.id,
    pageId,
    appScopedId: collected.appScopedId ?? `2${collected.id.slice(1)}`,
    instagramToken: `IGAArecorded${collected.id}`,
    seriesFromMs: days[0]?.endTimeMs ?? clock.now(),
    userAt: () => collected.user,
    mediaAt: () => media,
    storiesAt: () => stories,
    storiesEnded: () => [],
    foreignMediaAt: (edge) => foreign.get(edge),
    daysAt: ({ sinceMs, untilMs }) =>
      days.filter(({ endTimeMs }) => endTimeMs >= sinceMs && endTimeMs <= untilMs),
    demographicsAt: () => ({}),
    audienceAt: (metric, breakdown) => collected.audiences.get(`${metric}|${breakdown}`) ?? 'none',
    total: ({ metric, breakdown, sinceText, untilText }) =>
      collected.totals.get([metric, breakdown, sinceText, untilText].join('|')),
  };
  return showPresent(accountUnderConditions(account, conditions), clock);
}

/** Sorts as the API does: strictly by time; media without a known time keep their place. */
function newestFirst(
  accountId: string,
  nodes: ReadonlyMap<string, JsonObject>,
  otherwise: ProductType,
): Media[] {
  return [...nodes]
    .map(([id, fields]) => recordedMedia({ id, accountId, fields, otherwise }))
    .sort((a, b) => b.createdAtMs - a.createdAtMs);
}
