import { invalidPart } from '../../engine/dead-letters.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import { type Node, isNode, listOf } from '../../engine/json.ts';

/**
 * Returns the entries of a page.
 *
 * @param rejected - receives a dead letter for each entry that is not an object, with its path
 * @throws DeadLetterError `graph.bad-body` when the page holds no list
 */
export function nodesOf(body: Node, rejected: DeadLetterError[]): readonly Node[] {
  const data = body['data'];
  const entries = listOf(data);
  if (entries === undefined) {
    // The paging is removed: its URLs carry the token (Invariant 9).
    const raw = { ...body, paging: null };
    throw invalidPart({ path: 'data', expected: 'a list', came: data, raw }, 'graph.bad-body');
  }
  return entries.flatMap((entry, index) => {
    if (isNode(entry)) return [entry];
    const part = { path: `data[${index}]`, expected: 'an object', came: entry, raw: entry };
    rejected.push(invalidPart(part, 'graph.bad-body'));
    return [];
  });
}
