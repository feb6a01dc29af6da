import { DeadLetterError } from '../../core/errors.ts';
import { fieldsParameter } from '../../core/fields.ts';
import type { Json, Node } from '../../core/json.ts';
import { describeJson, isNode } from '../../core/json.ts';
import { nextCursor } from '../../core/paging.ts';
import type { Stream } from '../../core/stream.ts';
import type { ExtractContext, Extraction, Skipped } from '../extraction.ts';
import { smallerPages } from './page-size.ts';
import { withoutRefusedFields } from './refusals.ts';

type ListSource = Extract<Stream['source'], { kind: 'list' }>;

/** A page of nodes for each page of the edge. */
export async function* extractList(source: ListSource, context: ExtractContext): Extraction {
  for await (const page of listPages(source, context)) {
    yield { ...page, coveredUntilMs: null };
  }
}

/** One page of an edge. */
export interface ListedPage {
  readonly nodes: readonly Node[];
  readonly skipped: readonly Skipped[];
}

/**
 * Walks an edge by its cursors until `paging.next` is absent. The `next` URL itself is never
 * followed: it carries the token. A page may be short or empty and still have a next one.
 *
 * @throws DeadLetterError `graph.bad-body` when a page is not a list, or the cursors go in a circle
 */
export async function* listPages(
  source: Pick<ListSource, 'edge' | 'fields' | 'facebookOnly'>,
  context: ExtractContext,
): AsyncGenerator<ListedPage, void, undefined> {
  const { graph, account, signal } = context;
  const unknown = context.login === 'instagram' ? (source.facebookOnly ?? []) : [];
  const left: Skipped[] = [];
  const seen = new Set<string>();
  let after: string | undefined;
  do {
    const before = left.length;
    const body = await smallerPages(context.pageSize, (limit) =>
      withoutRefusedFields(left, (refused) =>
        graph.get(
          {
            endpoint: `/{account}/${source.edge}`,
            path: `/${account.id}/${source.edge}`,
            query: {
              fields: fieldsParameter(source.fields, new Set([...unknown, ...refused])),
              limit: String(limit),
              ...(after === undefined ? {} : { after }),
            },
            accountId: account.id,
          },
          signal,
        ),
      ),
    );
    yield { nodes: nodesOf(body), skipped: left.slice(before) };
    after = nextCursor(body, seen);
  } while (after !== undefined);
}

function nodesOf(body: Node): readonly Node[] {
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
