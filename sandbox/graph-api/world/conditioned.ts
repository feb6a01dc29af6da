import type { Conditions } from '../conditions.ts';
import { alteredMedia } from './altered.ts';
import type { JsonObject } from '../json.ts';
import type { Media } from './model.ts';
import type { TimelessAccount } from './present.ts';

/** Applies the conditions to a media: none if it is deleted, without its deleted children. */
export function underConditions(media: Media, conditions: Conditions): Media | undefined {
  const { deletedMedia } = conditions;
  const isGone = ({ id, albumId }: Media): boolean =>
    deletedMedia.has(id) || (albumId !== undefined && deletedMedia.has(albumId));
  if (isGone(media)) {
    return undefined;
  }
  const altered = conditions.altersMedia ? alteredMedia(media, conditions) : media;
  return media.children.some(isGone)
    ? { ...altered, children: media.children.filter((child) => !isGone(child)) }
    : altered;
}

type MediaItems = readonly Media[];

/** Returns an account whose lists and counts follow the conditions. */
export function accountUnderConditions(
  account: TimelessAccount,
  conditions: Conditions,
): TimelessAccount {
  // Every request reads the lists, which rarely change.
  const cached = new Map<string, { of: MediaItems; version: number; list: MediaItems }>();
  const show = (name: string, of: MediaItems): MediaItems => {
    if (!conditions.altersMedia) return of;
    const known = cached.get(name);
    if (known?.of === of && known.version === conditions.version) return known.list;
    const list = of.flatMap((media) => underConditions(media, conditions) ?? []);
    cached.set(name, { of, version: conditions.version, list });
    return list;
  };
  return {
    ...account,
    userAt: (nowMs) => {
      const user = account.userAt(nowMs);
      const posts = account.mediaAt(nowMs);
      return withoutDeleted(user, posts.length - show('media', posts).length);
    },
    mediaAt: (nowMs) => show('media', account.mediaAt(nowMs)),
    storiesAt: (nowMs) => show('stories', account.storiesAt(nowMs)),
  };
}

function withoutDeleted(user: JsonObject, deleted: number): JsonObject {
  const count = user['media_count'];
  return deleted > 0 && typeof count === 'number'
    ? { ...user, media_count: count - deleted }
    : user;
}
