import { isTooMuchData, SkipError } from '../../engine/errors.ts';
import { keyNumber } from '../../engine/fingerprint.ts';
import type { Node } from '../../engine/json.ts';
import { fieldsParameter, pathsOf } from '../model/fields.ts';
import type { RequestOf } from '../streams/stream.ts';
import { hasBrokenAlbum, withChildren, type ChildrenPoll, type Nested } from './children.ts';
import type { ListCache } from './list-cache.ts';
import { nodesOf, requestOf } from './paging.ts';
import { withoutRejectedFields } from './rejected-fields.ts';

export type ListSource = RequestOf<'list'>;

/** The context of a list scan, and the findings from its answers. */
export interface ListScanContext extends ChildrenPoll {
  readonly source: Pick<ListSource, 'edge' | 'fields' | 'facebookOnly'>;
}

interface PageStart {
  readonly after: string | undefined;
  /** The id of the node before the page; undefined for the first page. */
  readonly lastId: string | undefined;
}

interface ReadPage {
  readonly body: Node;
  readonly nodes: readonly Node[];
  /** Ids of published nodes that now lack their children; a scan does not yield them. */
  readonly withheld: ReadonlySet<string>;
}

/** Reads a page without rejected fields and unreadable children. @throws as `adaptedPage` */
export async function readPage(scanning: ListScanContext, start: PageStart): Promise<ReadPage> {
  const nested = nestedOf(scanning.source);
  const { body, form, fault } = await adaptedPage(scanning, start);
  const nodes = nodesOf(body, scanning.rejected);
  const withheld = new Set<string>();
  if (nested === undefined || form === 'whole') return { body, nodes, withheld };
  if (form === 'bare') return { body, nodes, withheld: noteBareNodes(nodes, fault, scanning) };
  return { body, nodes: await withChildren(nodes, nested, scanning), withheld };
}

/** Counts nodes listed without children. @returns the ids that may be published with children */
function noteBareNodes(
  nodes: readonly Node[],
  fault: SkipError | undefined,
  { skipped, context: { checkpoint } }: ListScanContext,
): ReadonlySet<string> {
  const ids = nodes.map(({ id }) => id).filter((id) => typeof id === 'string');
  for (const id of ids) skipped.push({ reason: fault?.code ?? 'graph.gone', subject: id });
  return new Set(ids.filter((id) => checkpoint.published.has(keyNumber(id))));
}

/** Returns the one list of objects among the fields. */
function nestedOf({ fields }: ListScanContext['source']): Nested | undefined {
  for (const [name, { field }] of Object.entries(fields)) {
    if (field.kind === 'list') return { name, fields: field.fields };
  }
  return undefined;
}

/**
 * The form in which a page requests the children of its nodes: with all their fields (`whole`), by
 * their ids alone (`ids`), or not at all (`bare`). One child that cannot be read fails a page that
 * requests more than ids.
 */
type PageForm = 'whole' | 'ids' | 'bare';

/** The first pause after a page that was too large, and the longest, milliseconds. */
const firstPauseMs = 500;
const longestPauseMs = 8000;

/**
 * Requests a page, and half of it when the API answers "Please reduce the amount of data". That
 * error also depends on the API's load (observed 2026-07), so pages are spaced by pauses as well.
 * When a child cannot be read, children are requested by id, then their node alone and without
 * them. Cursors name items, not offsets, so a smaller page continues at the same place.
 * @throws RetryError `graph.too-much-data` when even one node is too large
 */
async function adaptedPage(scanning: ListScanContext, start: PageStart) {
  const { context, cache } = scanning;
  const isBroken = nestedOf(scanning.source) !== undefined && hasBrokenAlbum(cache, start.lastId);
  let form: PageForm = isBroken ? 'ids' : 'whole';
  let fault: SkipError | undefined;
  for (;;) {
    const limit = cache.pageSize;
    if (cache.pauseMs > 0) await context.sleep(cache.pauseMs);
    try {
      const body = await requestPage(scanning, { after: start.after, limit, form });
      grow(cache, context.pageSize);
      return { body, form, fault };
    } catch (error) {
      if (mayBeOfChild(error, form, scanning)) {
        fault = error;
        const next = formAfter(form, limit);
        if (next === form) cache.pageSize = Math.ceil(limit / 2);
        form = next;
      } else if (!isTooMuchData(error) || !shrink(cache)) throw error;
    }
  }
}

function grow(cache: ListCache, largest: number): void {
  cache.pageSize = Math.min(cache.pageSize * 2, largest);
  cache.pauseMs = cache.pauseMs > firstPauseMs ? cache.pauseMs / 2 : 0;
}

/** Shrinks the next page after one that was too large. @returns false when it was one node */
function shrink(cache: ListCache): boolean {
  const isLeft = cache.pageSize > 1;
  cache.pageSize = Math.ceil(cache.pageSize / 2);
  cache.pauseMs = Math.min(Math.max(cache.pauseMs * 2, firstPauseMs), longestPauseMs);
  return isLeft;
}

/** Returns the next form; `bare` once even the children of one node fail by their ids. */
function formAfter(form: PageForm, limit: number): PageForm {
  if (form === 'whole') return 'ids';
  return limit === 1 ? 'bare' : form;
}

/** True when an object is gone that is not the account itself. */
function mayBeOfChild(
  error: unknown,
  form: PageForm,
  { source, context: { account } }: ListScanContext,
): error is SkipError {
  return (
    nestedOf(source) !== undefined &&
    form !== 'bare' &&
    error instanceof SkipError &&
    (error.code === 'graph.ambiguous' || error.code === 'graph.gone') &&
    !error.subjects.includes(account.id)
  );
}

interface PageRequest {
  readonly after: string | undefined;
  readonly limit: number;
  readonly form: PageForm;
}

function requestPage(
  { source, context, skipped }: ListScanContext,
  { after, limit, form }: PageRequest,
): Promise<Node> {
  const { graph, login, signal } = context;
  const get = (excluded: ReadonlySet<string>): Promise<Node> => {
    const names = login === 'instagram' ? (source.facebookOnly ?? []) : [];
    const unknown = names.flatMap((name) => [name, ...pathsOf(name, source.fields)]);
    const query = {
      fields: fieldsOf(source, form, new Set([...unknown, ...excluded])),
      limit: String(form === 'bare' ? 1 : limit),
      ...(after === undefined ? {} : { after }),
    };
    return graph.get(requestOf(`/{account}/${source.edge}`, query, context), signal);
  };
  return withoutRejectedFields(skipped, get, form === 'whole' ? source.fields : {});
}

function fieldsOf(
  source: ListScanContext['source'],
  form: PageForm,
  excluded: ReadonlySet<string>,
): string {
  const nested = nestedOf(source);
  if (nested === undefined || form === 'whole') return fieldsParameter(source.fields, excluded);
  const fields = fieldsParameter(source.fields, new Set([...excluded, nested.name]));
  const areIdsRequested = form === 'ids' && !excluded.has(nested.name);
  return areIdsRequested ? `${fields},${nested.name}{id}` : fields;
}
