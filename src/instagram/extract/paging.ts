import { DeadLetterError } from '../../engine/errors.ts';
import { type Node, isNode } from '../../engine/json.ts';

/**
 * Returns the cursor after the last item of a page; undefined at the end of the list. The list ends
 * where `paging.next` is absent, null or empty: the last page still has cursors, and an empty page
 * may have a next one. The caller bounds lists that never end.
 *
 * @param seen - the cursors used so far in this scan; the new one is added
 * @throws DeadLetterError `graph.bad-body` when there is a next page but no new cursor to reach it
 */
export function nextCursor(body: Node, seen: Set<string>): string | undefined {
  const paging = body['paging'];
  if (!isNode(paging) || (paging['next'] ?? '') === '') return undefined;
  const cursors = paging['cursors'];
  const after = isNode(cursors) ? cursors['after'] : undefined;
  if (typeof after !== 'string' || after === '' || seen.has(after)) {
    throw new DeadLetterError(
      'graph.bad-body',
      'field "paging.cursors.after": there is a next page, but no new cursor that leads to it',
      // The paging itself is not included: its URLs carry the token (Invariant 9).
      { path: 'paging.cursors.after', raw: JSON.stringify(after ?? null) },
    );
  }
  seen.add(after);
  return after;
}
