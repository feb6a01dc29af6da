import { isTooMuchData, SkipError } from '../../core/errors.ts';
import type { Node } from '../../core/json.ts';
import type { Edge } from '../catalog.ts';
import type { ExtractContext } from '../extraction.ts';

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
  /** Whether a page that is too much is asked for by halves. */
  readonly halves: boolean;
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

/**
 * Asks for a page, and for half of it when the API says "Please reduce the amount of data"; each
 * success doubles the size again. Where a child cannot be read, children are asked by their ids; if
 * that fails as well, the node whose they are is at last asked alone and without them. Cursors name
 * items, not offsets, so that a smaller page goes on at the same place.
 *
 * @throws RetryError `graph.too-much-data` when even one node is too much
 */
export async function adaptedPage(paged: Paged, ask: AskPage): Promise<AdaptedPage> {
  const { context, edge } = paged;
  const catalog = context.catalogs.of(context.account.id, edge);
  let { form } = paged;
  let fault: SkipError | undefined;
  for (;;) {
    const limit = catalog.pageSize;
    try {
      const body = await ask(form === 'bare' ? 1 : limit, form);
      catalog.pageSize = Math.min(limit * 2, context.pageSize);
      return { body, form, fault };
    } catch (error) {
      const isOfChild = mayBeOfChild(error, form, paged);
      if (!isOfChild && !isTooMuch(error, limit, paged)) throw error;
      if (isOfChild) fault = error;
      const next = isOfChild ? formAfter(form, limit) : form;
      if (next === form) catalog.pageSize = Math.ceil(limit / 2);
      form = next;
    }
  }
}

/** Without children at last, where even one node's fail by their ids. */
function formAfter(form: PageForm, limit: number): PageForm {
  if (form === 'whole') return 'ids';
  return limit === 1 ? 'bare' : form;
}

function isTooMuch(error: unknown, limit: number, { halves }: Paged): boolean {
  return isTooMuchData(error) && limit > 1 && halves;
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
