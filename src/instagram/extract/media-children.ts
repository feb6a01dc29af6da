import { invalidPart, readOrReject } from '../../engine/dead-letters.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import { type Json, type Node, isNode } from '../../engine/json.ts';
import { list } from '../model/fields.ts';
import type { RequestOf } from '../streams/stream.ts';
import type { ExtractContext, Extraction, ListCache, ListCaches } from './extraction.ts';
import { cutOf, isOfCycle, scanList } from './list.ts';
import { nodesOf } from './requests.ts';

/**
 * The cache of an account's scans for children. Other streams of the list scan it without children,
 * so they share no scan.
 */
export function childrenCache(caches: ListCaches, accountId: string): ListCache {
  return caches.of(accountId, 'media/children');
}

/**
 * Yields the children of each listed album, with the id of their album and their place in it, and
 * the ids of all children after a scan of the whole list.
 */
export async function* extractMediaChildren(
  { listFields, fields }: RequestOf<'children'>,
  context: ExtractContext,
): Extraction {
  const cache = childrenCache(context.caches, context.account.id);
  const present = new Set<string>();
  let areAllKnown = true;
  const scan = {
    edge: 'media',
    fields: { ...listFields, children: list(fields) },
    cache,
    lastWholeMs: cache.committedWholeMs,
  };
  for await (const page of scanList(scan, context)) {
    const albums = page.nodes.map((media) => albumOf(media, cache));
    for (const { ids } of albums) for (const id of ids) present.add(id);
    areAllKnown &&= albums.every(({ isKnown }) => isKnown);
    const rejected = [...(page.rejected ?? []), ...albums.flatMap((album) => album.rejected)];
    yield { ...page, rejected, nodes: albums.flatMap(({ children }) => children) };
  }
  // The children of an album that is listed without them count as neither present nor deleted.
  if (!areAllKnown || !isOfCycle(cache.scannedWholeMs, context)) return;
  const isCut = cutOf(cache, cache.reportedCount(context.nowMs)).beforeCut !== undefined;
  const scanned = {
    present,
    expired: new Set<string>(),
    claimed: null,
    // Behind the cut of a list, no child is known to be deleted.
    ...(isCut ? { beforeCut: new Set<string>() } : {}),
  };
  yield { nodes: [], skipped: [], coveredUntilMs: null, scanned };
}

interface ReadAlbum {
  /** Ids of its children, in their order; also of those that cannot be read. */
  readonly ids: readonly string[];
  readonly children: readonly Node[];
  readonly rejected: readonly DeadLetterError[];
  /** False where a child may be missing among the ids. */
  readonly isKnown: boolean;
}

/** Reads the children of a listed media; a media that is no album has none. */
function albumOf(media: Node, cache: ListCache): ReadAlbum {
  const { id: mediaId = null, children: listed } = media;
  if (listed === undefined || listed === null) return withoutChildren(media);
  const rejected: DeadLetterError[] = [];
  const nodes = readOrReject(rejected, () => childrenOf(media, listed, rejected)) ?? [];
  const ids = idsOf(mediaId, listed, nodes, cache);
  return {
    ids,
    children: nodes.map((child, index) => {
      const { id } = child;
      const place = typeof id === 'string' ? ids.indexOf(id) : index;
      // The mapping rejects a child whose album has no valid id.
      return { ...child, media_id: mediaId, position: place + 1 };
    }),
    rejected,
    isKnown: rejected.length === 0 && nodes.every(({ id }) => typeof id === 'string'),
  };
}

function withoutChildren(media: Node): ReadAlbum {
  const { id, media_type: type } = media;
  const isKnown = typeof type === 'string' && type !== 'CAROUSEL_ALBUM';
  return {
    ids: [],
    children: [],
    rejected: (id ?? null) === null ? [withoutId(media)] : [],
    isKnown,
  };
}

/** Returns the ids of an album's children, also of those that cannot be read. */
function idsOf(
  mediaId: Json,
  listed: Json,
  nodes: readonly Node[],
  { albums }: ListCache,
): readonly string[] {
  // An album with an unreadable child was requested apart, after its children's ids.
  const apart = typeof mediaId === 'string' ? albums.get(mediaId) : undefined;
  const isApart = apart !== undefined && isNode(listed) && apart.children === listed['data'];
  return isApart ? apart.ids : nodes.map(({ id }) => id).filter((id) => typeof id === 'string');
}

function withoutId(media: Node): DeadLetterError {
  const expected = 'an id (a text of digits)';
  return invalidPart({ path: 'id', expected, received: media['id'], raw: media });
}

function childrenOf(media: Node, listed: Json, rejected: DeadLetterError[]): readonly Node[] {
  if (isNode(listed)) return nodesOf(listed, rejected);
  const expected = 'an object with a list under "data"';
  throw invalidPart({ path: 'children', expected, received: listed, raw: media });
}
