import type { DeadLetterError, Skipped } from '../../engine/errors.ts';
import { type Fields, fieldsParameter } from '../model/fields.ts';
import { type Node, isNode } from '../../engine/json.ts';
import { type Rejections, childOf, excludeCulprits, type FailedObject } from './rejections.ts';
import type { ListCache, ExtractContext } from './extraction.ts';
import { nodesOf, requestOf, outcomesOf } from './requests.ts';

/** Lifetime of cached children: they do not change, but their URLs expire. */
const lifetimeMs = 24 * 3_600_000;

/** The context of requests for children, and the findings from their answers. */
export interface ChildrenPoll {
  readonly context: ExtractContext;
  readonly cache: ListCache;
  readonly rejections: Rejections;
  readonly skipped: Skipped[];
  readonly rejected: DeadLetterError[];
}

export interface Nested {
  readonly name: string;
  readonly fields: Fields;
}

interface ListedAlbum {
  readonly id: string;
  readonly ids: readonly string[];
}

/** True when the page after `lastId` holds an album with a child that could not be read. */
export function hasBrokenAlbum(cache: ListCache, lastId: string | undefined): boolean {
  const { nodes, albums, page } = cache;
  const start = lastId === undefined ? 0 : nodes.findIndex(({ id }) => id === lastId) + 1;
  if (albums.size === 0 || (lastId !== undefined && start === 0)) return false;
  return nodes.slice(start, start + page.size).some(({ id }) => {
    const album = typeof id === 'string' ? albums.get(id) : undefined;
    return album !== undefined && album.children.length < album.ids.length;
  });
}

/**
 * Adds the children's fields to albums that were listed with ids alone: album by album, and child
 * by child where one child fails its album. A child that cannot be read is excluded.
 * @throws as `Graph.getEach`; the first error when no child of several albums is answered
 */
export async function withChildren(
  nodes: readonly Node[],
  nested: Nested,
  poll: ChildrenPoll,
): Promise<readonly Node[]> {
  const listedAlbums = nodes.flatMap((node) => listedAlbumOf(node, nested, poll));
  const unknown = listedAlbums.filter((album) => !isKnown(album, poll));
  const albums = await getAlbums(unknown, nested, poll);
  await getChildren(albums, nested, poll);
  const ids = new Set(listedAlbums.map(({ id }) => id));
  return nodes.map((node) => {
    const { id } = node;
    const album = typeof id === 'string' && ids.has(id) ? poll.cache.albums.get(id) : undefined;
    return album === undefined ? node : { ...node, [nested.name]: { data: album.children } };
  });
}

function listedAlbumOf(
  node: Node,
  { name }: Nested,
  { rejected }: ChildrenPoll,
): readonly ListedAlbum[] {
  const { id, [name]: children } = node;
  if (typeof id !== 'string' || !isNode(children)) return [];
  const ids = nodesOf(children, rejected).map((child) => child['id']);
  return [{ id, ids: ids.filter((childId) => typeof childId === 'string') }];
}

function isKnown({ id, ids }: ListedAlbum, { cache, context: { nowMs } }: ChildrenPoll): boolean {
  const album = cache.albums.get(id);
  if (album?.ids.join() !== ids.join()) return false;
  return album.requestedMs <= nowMs && nowMs < album.untilMs;
}

/**
 * Requests each album with its children in one request.
 * @returns the albums to read child by child, and true when any album was answered
 */
async function getAlbums(
  listedAlbums: readonly ListedAlbum[],
  { name, fields }: Nested,
  poll: ChildrenPoll,
) {
  const isExcluded = (id: string, child: string) => poll.rejections.excludes(childOf(id, child));
  const separate = listedAlbums.filter(({ id, ids }) => ids.some((child) => isExcluded(id, child)));
  const whole = listedAlbums.filter((album) => !separate.includes(album));
  const expanded = `${name}{${fieldsParameter(fields)}}`;
  const requests = new Map(
    whole.map((album) => [mediaRequest(album.id, expanded, poll), album] as const),
  );
  let isAnswered = false;
  for await (const [album, outcome] of outcomesOf(requests, poll.context)) {
    if ('error' in outcome) {
      separate.push(album);
      continue;
    }
    isAnswered = true;
    for (const child of album.ids) poll.rejections.forget(childOf(album.id, child), null);
    const children = outcome.node[name];
    noteAlbum(album, isNode(children) ? nodesOf(children, poll.rejected) : [], poll);
  }
  return { separate, isAnswered };
}

/** Requests the children of some albums one by one, and excludes those that cannot be read. */
async function getChildren(
  { separate: listedAlbums, isAnswered }: Awaited<ReturnType<typeof getAlbums>>,
  { fields }: Nested,
  poll: ChildrenPoll,
): Promise<void> {
  const { context, rejections } = poll;
  const fieldNames = fieldsParameter(fields);
  const requests = new Map(
    listedAlbums.flatMap((album) =>
      album.ids
        .filter((child) => !rejections.excludes(childOf(album.id, child)))
        .map((child) => [mediaRequest(child, fieldNames, poll), childOf(album.id, child)] as const),
    ),
  );
  const found = new Map<string, Node>();
  const failed: FailedObject[] = [];
  for await (const [subject, outcome] of outcomesOf(requests, context)) {
    if ('node' in outcome) {
      found.set(subject, outcome.node);
      rejections.forget(subject, null);
    } else {
      failed.push({ listed: { id: subject, createdMs: null, kind: '' }, error: outcome.error });
    }
  }
  await excludeCulprits(failed, poll, {
    // The page that lists a single broken album counts as an answer.
    isAnswered: isAnswered || found.size > 0 || listedAlbums.length === 1,
    controls: [],
    areAnswered: () => Promise.resolve(false),
  });
  for (const album of listedAlbums) {
    const children = album.ids
      .map((child) => found.get(childOf(album.id, child)))
      .filter((child) => child !== undefined);
    noteAlbum(album, children, poll);
  }
}

function mediaRequest(id: string, fields: string, { context }: ChildrenPoll) {
  return requestOf('/{media}', { fields }, context, id);
}

/** Caches an album's children for a day, in memory only. */
function noteAlbum(album: ListedAlbum, children: readonly Node[], poll: ChildrenPoll): void {
  const { nowMs } = poll.context;
  const untilMs = nowMs + lifetimeMs;
  poll.cache.albums.set(album.id, {
    requestedMs: nowMs,
    untilMs,
    ids: album.ids,
    children,
  });
}
