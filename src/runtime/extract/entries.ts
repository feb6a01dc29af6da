import { DeadLetterError } from '../../core/errors.ts';
import type { Json, Node } from '../../core/json.ts';
import { describeJson, isNode } from '../../core/json.ts';

/**
 * The entries of a page.
 *
 * @throws DeadLetterError `graph.bad-body` when it is not a list of objects
 */
export function nodesOf(body: Node): readonly Node[] {
  const data = body['data'];
  if (!Array.isArray(data)) return refuse('data', data, body);
  return (data as readonly Json[]).map((item, index) =>
    isNode(item) ? item : refuse(`data[${index}]`, item, body),
  );
}

function refuse(path: string, came: Json | undefined, body: Node): never {
  throw new DeadLetterError(
    'graph.bad-body',
    `field "${path}": not a list of objects, got ${describeJson(came)}`,
    {
      path,
      raw: JSON.stringify({ ...body, paging: null }),
    },
  );
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
