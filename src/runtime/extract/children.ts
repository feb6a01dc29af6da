import type { DeadLetterError } from '../../core/errors.ts';
import { SkipError } from '../../core/errors.ts';
import type { Fields } from '../../core/fields.ts';
import { fieldsParameter } from '../../core/fields.ts';
import type { Node } from '../../core/json.ts';
import { isNode } from '../../core/json.ts';
import { maxIds } from '../../core/metric-groups.ts';
import { childOf, holds, leaveOut } from '../../core/refusals.ts';
import type { Memory } from '../../core/state.ts';
import type { Catalog } from '../catalog.ts';
import type { ExtractContext, Skipped } from '../extraction.ts';
import { answerOf, nodesOf } from './entries.ts';
import { withoutRefusedFields } from './refusals.ts';

/** Children that were asked by themselves will do for so long: they do not change, but their URLs end. */
const goodForMs = 24 * 3_600_000;

/** What asking for children works with. */
export interface ChildrenWork {
  readonly context: ExtractContext;
  readonly catalog: Catalog;
  readonly left: Skipped[];
  readonly rejected: DeadLetterError[];
  /** With what was learned of refusals so far. */
  memory: Memory;
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
export function hasBrokenAlbum(catalog: Catalog, lastId: string | undefined): boolean {
  const { nodes, albums, pageSize } = catalog;
  const start = lastId === undefined ? 0 : nodes.findIndex(({ id }) => id === lastId) + 1;
  if (albums.size === 0 || (lastId !== undefined && start === 0)) return false;
  return nodes.slice(start, start + pageSize).some(({ id }) => {
    const album = typeof id === 'string' ? albums.get(id) : undefined;
    return album !== undefined && album.children.length < album.ids.length;
  });
}

/**
 * Gives albums whose children came by their ids alone the fields of those that can be read: albums
 * together, and child by child where one cannot. What is found to be broken is remembered.
 *
 * @param fault - what failed the page, which may name the child
 * @throws as `Graph.get`, less what is about single children
 */
export async function withChildren(
  nodes: readonly Node[],
  nested: Nested,
  { work, fault }: { work: ChildrenWork; fault: SkipError | undefined },
): Promise<readonly Node[]> {
  const families = nodes.flatMap((node) => familyOf(node, nested, work));
  if (fault !== undefined) leaveOutNamed(fault, families, work);
  const unknown = families.filter((family) => !isKnown(family, work));
  const broken = unknown.filter((family) => refusalsOf(family, work.memory).length > 0);
  const whole = unknown.filter((family) => !broken.includes(family));
  await askApart([...broken, ...(await askAlbums(whole, nested, work))], nested, work);
  const ids = new Set(families.map(({ id }) => id));
  return nodes.map((node) => {
    const { id } = node;
    const album = typeof id === 'string' && ids.has(id) ? work.catalog.albums.get(id) : undefined;
    return album === undefined ? node : { ...node, [nested.name]: { data: album.children } };
  });
}

function familyOf(node: Node, { name }: Nested, { rejected }: ChildrenWork): readonly Family[] {
  const { id, [name]: children } = node;
  if (typeof id !== 'string' || !isNode(children)) return [];
  const ids = nodesOf(children, rejected).map((child) => child['id']);
  return [{ id, ids: ids.filter((one) => typeof one === 'string') }];
}

function isKnown({ id, ids }: Family, { catalog, context: { nowMs } }: ChildrenWork): boolean {
  const album = catalog.albums.get(id);
  if (album?.ids.join() !== ids.join()) return false;
  return album.askedMs <= nowMs && nowMs < album.untilMs;
}

/** All albums together. @returns those of which a child cannot be read */
async function askAlbums(
  families: readonly Family[],
  { name, fields }: Nested,
  work: ChildrenWork,
): Promise<readonly Family[]> {
  const broken: Family[] = [];
  const byId = new Map(families.map((family) => [family.id, family]));
  const answers = await askTogether([...byId.keys()], work, {
    fields: (refused) => `${name}{${fieldsParameter(fields, refused)}}`,
    isAbout: ({ subjects }, id) =>
      [id, ...(byId.get(id)?.ids ?? [])].some((one) => subjects.includes(one)),
    refuse: (error, id) => {
      const family = byId.get(id);
      if (family !== undefined) broken.push(family);
      leaveOutNamed(error, family === undefined ? [] : [family], work);
    },
  });
  for (const family of families) {
    const children = answers.get(family.id)?.[name];
    if (answers.has(family.id))
      note(family, isNode(children) ? nodesOf(children, work.rejected) : [], work);
  }
  return broken;
}

/** The children one beside the other, less those that cannot be read. */
async function askApart(
  families: readonly Family[],
  { fields }: Nested,
  work: ChildrenWork,
): Promise<void> {
  const parents = new Map(families.flatMap(({ id, ids }) => ids.map((child) => [child, id])));
  const isOpen = (child: string, parent: string) =>
    !work.memory.refusals.some(
      (one) => one.subject === childOf(parent, child) && holds(one, work.context.nowMs),
    );
  const open = [...parents].flatMap(([child, parent]) => (isOpen(child, parent) ? [child] : []));
  const answers = await askTogether(open, work, {
    fields: (refused) => fieldsParameter(fields, refused),
    isAbout: ({ subjects }, id) => subjects.includes(id),
    refuse: (error, id) => {
      leaveOutChild(error, { parent: parents.get(id) ?? '', child: id }, work);
    },
  });
  for (const family of families) {
    const read = new Set(family.ids.filter((child) => answers.has(child)));
    forget(family, read, work);
    const children = family.ids.map((child) => answers.get(child));
    note(
      family,
      children.filter((child) => child !== undefined),
      work,
    );
  }
}

interface Asking {
  readonly fields: (refused: ReadonlySet<string>) => string;
  readonly isAbout: (error: SkipError, id: string) => boolean;
  readonly refuse: (error: SkipError, id: string) => void;
}

/** Some objects by `?ids=`; one that is refused is found by its name or by halving, and left out. */
async function askTogether(
  ids: readonly string[],
  work: ChildrenWork,
  asking: Asking,
): Promise<ReadonlyMap<string, Node>> {
  if (ids.length === 0) return new Map();
  const parts = (size: number) => [ids.slice(0, size), ids.slice(size)] as const;
  const inTurn = async ([first, second]: readonly (readonly string[])[]) => {
    const found = await askTogether(first ?? [], work, asking);
    return new Map([...found, ...(await askTogether(second ?? [], work, asking))]);
  };
  if (ids.length > maxIds) return inTurn(parts(maxIds));
  try {
    const body = await askIds(ids, work, asking);
    return new Map(ids.map((id) => [id, answerOf(id, body)]));
  } catch (error) {
    if (!isOfSome(error, work)) throw error;
    const named = ids.filter((id) => asking.isAbout(error, id));
    if (named.length === 0 && ids.length > 1) return inTurn(parts(Math.ceil(ids.length / 2)));
    const culprits = named.length > 0 ? named : ids;
    for (const id of culprits) asking.refuse(error, id);
    return askTogether(
      ids.filter((id) => !culprits.includes(id)),
      work,
      asking,
    );
  }
}

function isOfSome(error: unknown, { context }: ChildrenWork): error is SkipError {
  return error instanceof SkipError && !error.subjects.includes(context.account.id);
}

function askIds(ids: readonly string[], { context, left }: ChildrenWork, { fields }: Asking) {
  const { graph, account, signal } = context;
  return withoutRefusedFields(left, (refused) =>
    graph.get(
      {
        endpoint: '/?ids',
        path: '/',
        query: { ids: ids.join(','), fields: fields(refused) },
        accountId: account.id,
      },
      signal,
    ),
  );
}

function leaveOutNamed(error: SkipError, families: readonly Family[], work: ChildrenWork): void {
  for (const { id: parent, ids } of families) {
    for (const child of ids.filter((one) => error.subjects.includes(one))) {
      leaveOutChild(error, { parent, child }, work);
    }
  }
}

/** What is left out already is found anew by a walk of a program that was started since. */
function leaveOutChild(
  { code: reason }: SkipError,
  { parent, child }: { parent: string; child: string },
  work: ChildrenWork,
): void {
  const { nowMs } = work.context;
  const id = childOf(parent, child);
  const known = work.memory.refusals.find(({ subject }) => subject === id);
  if (known !== undefined && holds(known, nowMs)) return;
  const listed = { id, createdMs: null, kind: '' };
  work.memory = leaveOut(work.memory, { listed, reason }, nowMs);
  work.left.push({ reason, subject: id });
}

function refusalsOf({ id }: Family, { refusals }: Memory) {
  return refusals.filter(({ subject }) => subject.startsWith(`${id}/`));
}

function forget({ id }: Family, read: ReadonlySet<string>, work: ChildrenWork): void {
  const names = new Set([...read].map((child) => childOf(id, child)));
  const refusals = work.memory.refusals.filter(({ subject }) => !names.has(subject));
  if (refusals.length < work.memory.refusals.length) work.memory = { ...work.memory, refusals };
}

/** Remembered while the program runs, until one that was refused is to be tried again. */
function note(family: Family, children: readonly Node[], work: ChildrenWork): void {
  const { nowMs } = work.context;
  const ends = refusalsOf(family, work.memory).map(({ untilMs }) => untilMs ?? Infinity);
  const untilMs = Math.min(nowMs + goodForMs, ...ends);
  work.catalog.albums.set(family.id, { askedMs: nowMs, untilMs, ids: family.ids, children });
}
