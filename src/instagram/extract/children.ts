import type { DeadLetterError, ErrorCode } from '../../engine/errors.ts';
import { type Fields, fieldsParameter } from '../model/fields.ts';
import { type Node, isNode } from '../../engine/json.ts';
import { type Rejections, childOf } from './rejections.ts';
import type { ListCache } from './list-cache.ts';
import type { ExtractContext } from './extraction.ts';
import type { Skipped } from '../../engine/source.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import { attribute, type Failed } from './attribution.ts';
import { nodesOf } from './entries.ts';

/** Children that were requested by themselves are reused for this long: they do not change, but their URLs expire. */
const goodForMs = 24 * 3_600_000;

/** The dependencies and results of requesting children. */
export interface ChildrenWork {
  readonly context: ExtractContext;
  readonly cache: ListCache;
  readonly rejections: Rejections;
  readonly left: Skipped[];
  readonly rejected: DeadLetterError[];
}

/** The field that holds them, and theirs. */
export interface Nested {
  readonly name: string;
  readonly fields: Fields;
}

interface Family {
  readonly id: string;
  readonly ids: readonly string[];
}

/** Whether a page of so many nodes behind `lastId` has an album of which a child could not be read. */
export function hasBrokenAlbum(cache: ListCache, lastId: string | undefined): boolean {
  const { nodes, albums, pageSize } = cache;
  const start = lastId === undefined ? 0 : nodes.findIndex(({ id }) => id === lastId) + 1;
  if (albums.size === 0 || (lastId !== undefined && start === 0)) return false;
  return nodes.slice(start, start + pageSize).some(({ id }) => {
    const album = typeof id === 'string' ? albums.get(id) : undefined;
    return album !== undefined && album.children.length < album.ids.length;
  });
}

/**
 * Gives albums whose children came by their ids alone the fields of those that can be read: album by
 * album, and child by child where one fails its album. A child that cannot be read is excluded.
 *
 * @throws as `Graph.getEach`; the first error, when no child of several albums is answered
 */
export async function withChildren(
  nodes: readonly Node[],
  nested: Nested,
  work: ChildrenWork,
): Promise<readonly Node[]> {
  const families = nodes.flatMap((node) => familyOf(node, nested, work));
  const unknown = families.filter((family) => !isKnown(family, work));
  const albums = await getAlbums(unknown, nested, work);
  await getChildren(albums, nested, work);
  const ids = new Set(families.map(({ id }) => id));
  return nodes.map((node) => {
    const { id } = node;
    const album = typeof id === 'string' && ids.has(id) ? work.cache.albums.get(id) : undefined;
    return album === undefined ? node : { ...node, [nested.name]: { data: album.children } };
  });
}

function familyOf(node: Node, { name }: Nested, { rejected }: ChildrenWork): readonly Family[] {
  const { id, [name]: children } = node;
  if (typeof id !== 'string' || !isNode(children)) return [];
  const ids = nodesOf(children, rejected).map((child) => child['id']);
  return [{ id, ids: ids.filter((one) => typeof one === 'string') }];
}

function isKnown({ id, ids }: Family, { cache, context: { nowMs } }: ChildrenWork): boolean {
  const album = cache.albums.get(id);
  if (album?.ids.join() !== ids.join()) return false;
  return album.askedMs <= nowMs && nowMs < album.untilMs;
}

interface Albums {
  /** Those that have to be read child by child. */
  readonly apart: readonly Family[];
  /** True when any album was answered. */
  readonly isAnswered: boolean;
}

/** Albums by a request each. */
async function getAlbums(
  families: readonly Family[],
  { name, fields }: Nested,
  work: ChildrenWork,
): Promise<Albums> {
  const isExcluded = (id: string, child: string) => work.rejections.excludes(childOf(id, child));
  const apart = families.filter(({ id, ids }) => ids.some((child) => isExcluded(id, child)));
  const whole = families.filter((family) => !apart.includes(family));
  const expanded = `${name}{${fieldsParameter(fields)}}`;
  const requests = new Map(whole.map((family) => [requestOf(family.id, expanded, work), family]));
  const { graph, signal } = work.context;
  let isAnswered = false;
  for await (const outcome of graph.getEach([...requests.keys()], signal)) {
    const family = requests.get(outcome.request);
    if (family === undefined) continue;
    if ('error' in outcome) {
      apart.push(family);
      continue;
    }
    isAnswered = true;
    for (const child of family.ids) work.rejections.forget(childOf(family.id, child), null);
    const children = outcome.node[name];
    note(family, isNode(children) ? nodesOf(children, work.rejected) : [], work);
  }
  return { apart, isAnswered };
}

/** The children of some albums, each by itself, less those that cannot be read. */
async function getChildren(
  { apart: families, isAnswered }: Albums,
  { fields }: Nested,
  work: ChildrenWork,
): Promise<void> {
  const { context, rejections } = work;
  const asked = fieldsParameter(fields);
  const requests = new Map(
    families.flatMap((family) =>
      family.ids
        .filter((child) => !rejections.excludes(childOf(family.id, child)))
        .map((child) => [requestOf(child, asked, work), { family, child }] as const),
    ),
  );
  const found = new Map<string, Node>();
  const failed: Failed[] = [];
  for await (const outcome of context.graph.getEach([...requests.keys()], context.signal)) {
    const one = requests.get(outcome.request);
    if (one === undefined) continue;
    const subject = childOf(one.family.id, one.child);
    if ('node' in outcome) {
      found.set(subject, outcome.node);
      rejections.forget(subject, null);
    } else {
      failed.push({ listed: { id: subject, createdMs: null, kind: '' }, error: outcome.error });
    }
  }
  const culprits = await attribute(failed, {
    // A page that lists a single broken album is an answer too.
    isAnswered: isAnswered || found.size > 0 || families.length === 1,
    controls: [],
    areAnswered: () => Promise.resolve(false),
  });
  for (const { listed, error } of culprits) leaveOut(listed.id, error.code, work);
  for (const family of families) {
    const children = family.ids
      .map((child) => found.get(childOf(family.id, child)))
      .filter((child) => child !== undefined);
    note(family, children, work);
  }
}

function leaveOut(subject: string, reason: ErrorCode, { rejections, left }: ChildrenWork): void {
  rejections.exclude({ listed: { id: subject, createdMs: null, kind: '' }, reason });
  left.push({ reason, subject });
}

function requestOf(id: string, fields: string, { context }: ChildrenWork): GraphRequest {
  return {
    endpoint: '/{media}',
    path: `/${id}`,
    query: { fields },
    accountId: context.account.id,
  };
}

/** Remembered while the program runs, for a day. */
function note(family: Family, children: readonly Node[], work: ChildrenWork): void {
  const { nowMs } = work.context;
  const untilMs = nowMs + goodForMs;
  work.cache.albums.set(family.id, { askedMs: nowMs, untilMs, ids: family.ids, children });
}
