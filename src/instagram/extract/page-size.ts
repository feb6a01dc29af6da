import { isTooMuchData, SkipError } from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import type { ListCache, Edge } from './list-cache.ts';
import type { ExtractContext } from './extraction.ts';

/**
 * The form in which a page requests the children of its nodes: with all their fields (`whole`), by
 * their ids alone (`ids`), or not at all (`bare`). One child that cannot be read fails a page that
 * requests more than ids.
 */
export type PageForm = 'whole' | 'ids' | 'bare';

/** The context of a page request. */
export interface PageContext {
  readonly context: ExtractContext;
  readonly edge: Edge;
  /** True when the nodes have children, which are requested with them. */
  readonly hasChildren: boolean;
  /** The form of the first attempt. */
  readonly form: PageForm;
}

/** A page, the form in which the API answered it, and the error of a child that failed it. */
export interface AdaptedPage {
  readonly body: Node;
  readonly form: PageForm;
  readonly fault: SkipError | undefined;
}

/** Requests a page of `limit` nodes. */
type RequestPage = (limit: number, form: PageForm) => Promise<Node>;

/** The first pause after a page that was too large, and the longest, milliseconds. */
const firstPauseMs = 500;
const longestPauseMs = 8000;

/**
 * Requests a page, and half of it when the API answers "Please reduce the amount of data". That
 * error also depends on the API's load (observed 2026-07), so pages are spaced by pauses as well.
 * Each success doubles the size and halves the pause. When a child cannot be read, children are
 * requested by their ids. If that fails too, their node is requested alone and without them.
 * Cursors name items, not offsets, so a smaller page continues at the same place.
 *
 * @throws RetryError `graph.too-much-data` when even one node is too large
 */
export async function adaptedPage(
  pageContext: PageContext,
  requestPage: RequestPage,
): Promise<AdaptedPage> {
  const { context, edge } = pageContext;
  const cache = context.caches.of(context.account.id, edge);
  let { form } = pageContext;
  let fault: SkipError | undefined;
  for (;;) {
    const limit = cache.pageSize;
    if (cache.pauseMs > 0) await context.sleep(cache.pauseMs);
    try {
      const body = await requestPage(form === 'bare' ? 1 : limit, form);
      grow(cache, context.pageSize);
      return { body, form, fault };
    } catch (error) {
      if (mayBeOfChild(error, form, pageContext)) {
        fault = error;
        const next = formAfter(form, limit);
        if (next === form) cache.pageSize = Math.ceil(limit / 2);
        form = next;
      } else if (!isTooMuchData(error) || !shrink(cache)) throw error;
    }
  }
}

/** Grows the next page, and shortens the pause, after a page that was answered. */
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
  { hasChildren, context: { account } }: PageContext,
): error is SkipError {
  return (
    hasChildren &&
    form !== 'bare' &&
    error instanceof SkipError &&
    (error.code === 'graph.ambiguous' || error.code === 'graph.gone') &&
    !error.subjects.includes(account.id)
  );
}
