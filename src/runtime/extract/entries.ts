import { invalidPart } from '../../core/dead-letters.ts';
import { DeadLetterError } from '../../core/errors.ts';
import type { Json, Node } from '../../core/json.ts';
import { isNode, listOf } from '../../core/json.ts';

/**
 * The entries of a page.
 *
 * @param rejected - gets each entry that is no object, by its path
 * @throws DeadLetterError `graph.bad-body` when the page holds no list
 */
export function nodesOf(body: Node, rejected: DeadLetterError[]): readonly Node[] {
  const data = body['data'];
  const entries = listOf(data);
  if (entries === undefined) {
    // Without the paging, whose URLs carry the token.
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

/** What `?ids=` answered of one. @throws DeadLetterError `graph.bad-body` where it is lacking */
export function answerOf(id: string, body: Node): Node {
  const answer: Json | undefined = body[id];
  if (isNode(answer)) return answer;
  throw new DeadLetterError(
    'graph.bad-body',
    `field "${id}": the answer to ?ids= lacks a media that was asked`,
    { path: id, raw: JSON.stringify(body) },
  );
}
