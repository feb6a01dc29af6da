import { isTooMuchData, SkipError } from '../../core/errors.ts';
import type { Json, Node } from '../../core/json.ts';
import { isNode } from '../../core/json.ts';
import type { Edge } from '../catalog.ts';
import type { ExtractContext, Skipped } from '../extraction.ts';

/** What decides how a page is asked. */
export interface Paged {
  readonly context: ExtractContext;
  readonly edge: Edge;
  /** Fields that are lists of objects of their own; one such object that is gone fails the page. */
  readonly nested: readonly string[];
  /** Whether a page that is too much is asked for by halves. */
  readonly halves: boolean;
  /** Gets what was left out. */
  readonly left: Skipped[];
}

/** Asks for a page of so many nodes, without some fields. */
type AskPage = (limit: number, without: readonly string[]) => Promise<Node>;

/**
 * Asks for a page, and for half of it when the API says "Please reduce the amount of data" or that
 * an object in it is gone; each success doubles the size again. A node whose own children are at
 * fault is at last asked alone and without them. Cursors name items, not offsets, so that a smaller
 * page goes on at the same place.
 *
 * @throws RetryError `graph.too-much-data` when even one node is too much
 */
export async function adaptedPage(paged: Paged, ask: AskPage): Promise<Node> {
  const { context, edge } = paged;
  const catalog = context.catalogs.of(context.account.id, edge);
  for (;;) {
    const limit = catalog.pageSize;
    try {
      const body = await ask(limit, []);
      catalog.pageSize = Math.min(limit * 2, context.pageSize);
      return body;
    } catch (error) {
      if (isTooMuchData(error) && limit > 1 && paged.halves) {
        catalog.pageSize = Math.ceil(limit / 2);
      } else if (isBroken(error, paged)) {
        if (limit === 1) return await askBare(paged, error, ask);
        catalog.pageSize = Math.ceil(limit / 2);
      } else {
        throw error;
      }
    }
  }
}

/** An object that is gone, and that is not the account itself. */
function isBroken(error: unknown, { context, nested }: Paged): error is SkipError {
  return (
    error instanceof SkipError &&
    (error.code === 'graph.ambiguous' || error.code === 'graph.gone') &&
    nested.length > 0 &&
    !error.subjects.includes(context.account.id)
  );
}

async function askBare(paged: Paged, error: SkipError, ask: AskPage): Promise<Node> {
  const { context, edge, nested, left } = paged;
  const body = await ask(1, nested);
  const data = body['data'];
  const [node] = Array.isArray(data) ? (data as readonly Json[]) : [];
  const id = isNode(node) && typeof node['id'] === 'string' ? node['id'] : '';
  left.push({ reason: error.code, subject: `${id} ${nested.join(',')}` });
  context.catalogs.of(context.account.id, edge).pageSize = Math.min(2, context.pageSize);
  return body;
}
