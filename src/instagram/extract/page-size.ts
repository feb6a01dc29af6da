import { isTooMuchData, SkipError } from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import type { ListCache, Edge } from './list-cache.ts';
import type { ExtractContext } from './extraction.ts';

/**
 * How the children of a page's nodes are asked for: with all their fields, by their ids alone, or not
 * at all. One child that cannot be read fails a page that asks for more than ids.
 */
export type PageForm = 'whole' | 'ids' | 'bare';

/** What decides how a page is asked. */
export interface Paged {
  readonly context: ExtractContext;
  readonly edge: Edge;
  /** Whether nodes have children that are asked for along with them. */
  readonly hasChildren: boolean;
  /** How it is asked at first. */
  readonly form: PageForm;
}

/** A page, in which form it came, and the child that failed the others. */
export interface AdaptedPage {
  readonly body: Node;
  readonly form: PageForm;
  readonly fault: SkipError | undefined;
}

/** Asks for a page of so many nodes. */
type AskPage = (limit: number, form: PageForm) => Promise<Node>;

/** The first pause after a page that was too much, and the longest, milliseconds. */
const firstPauseMs = 500;
const longestPauseMs = 8000;

/**
 * Asks for a page, and for half of it when the API says "Please reduce the amount of data": that
 * depends on the load as well (observed 2026-07), so that pauses come between pages, too. Each
 * success doubles the size and halves the pause. Where a child cannot be read, children are asked by their ids; if
 * that fails as well, the node whose they are is at last asked alone and without them. Cursors name
 * items, not offsets, so that a smaller page goes on at the same place.
 *
 * @throws RetryError `graph.too-much-data` when even one node is too much
 */
export async function adaptedPage(paged: Paged, ask: AskPage): Promise<AdaptedPage> {
  const { context, edge } = paged;
  const cache = context.caches.of(context.account.id, edge);
  let { form } = paged;
  let fault: SkipError | undefined;
  for (;;) {
    const limit = cache.pageSize;
    if (cache.pauseMs > 0) await context.sleep(cache.pauseMs);
    try {
      const body = await ask(form === 'bare' ? 1 : limit, form);
      grow(cache, context.pageSize);
      return { body, form, fault };
    } catch (error) {
      if (mayBeOfChild(error, form, paged)) {
        fault = error;
        const next = formAfter(form, limit);
        if (next === form) cache.pageSize = Math.ceil(limit / 2);
        form = next;
      } else if (!isTooMuchData(error) || !shrink(cache)) throw error;
    }
  }
}

/** After a page that was answered. */
function grow(cache: ListCache, largest: number): void {
  cache.pageSize = Math.min(cache.pageSize * 2, largest);
  cache.pauseMs = cache.pauseMs > firstPauseMs ? cache.pauseMs / 2 : 0;
}

/** After a page that was too much. @returns whether there is a smaller one */
function shrink(cache: ListCache): boolean {
  const isLeft = cache.pageSize > 1;
  cache.pageSize = Math.ceil(cache.pageSize / 2);
  cache.pauseMs = Math.min(Math.max(cache.pauseMs * 2, firstPauseMs), longestPauseMs);
  return isLeft;
}

/** Without children at last, where even one node's fail by their ids. */
function formAfter(form: PageForm, limit: number): PageForm {
  if (form === 'whole') return 'ids';
  return limit === 1 ? 'bare' : form;
}

/** An object that is gone, and that is not the account itself. */
function mayBeOfChild(
  error: unknown,
  form: PageForm,
  { hasChildren, context: { account } }: Paged,
): error is SkipError {
  return (
    hasChildren &&
    form !== 'bare' &&
    error instanceof SkipError &&
    (error.code === 'graph.ambiguous' || error.code === 'graph.gone') &&
    !error.subjects.includes(account.id)
  );
}
