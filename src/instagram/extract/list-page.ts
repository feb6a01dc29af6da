import type { DeadLetterError } from '../../engine/errors.ts';
import { keyNumber } from '../../engine/fingerprint.ts';
import { fieldsParameter, pathsOf } from '../model/fields.ts';
import type { Node } from '../../engine/json.ts';
import type { Checkpoint } from '../../engine/state.ts';
import type { InstagramStream } from '../streams/stream.ts';
import { hasBrokenAlbum, withChildren, type ChildrenPoll, type Nested } from './children.ts';
import { nodesOf } from './entries.ts';
import { adaptedPage, type AdaptedPage, type PageForm } from './page-size.ts';
import { withoutRejectedFields } from './rejected-fields.ts';

export type ListSource = Extract<InstagramStream['request'], { kind: 'list' }>;

/** The context of a list scan, and the findings from its answers. */
export interface ListScanContext extends ChildrenPoll {
  readonly source: Pick<ListSource, 'edge' | 'fields' | 'facebookOnly'>;
  /** Dead letters of entries that are not objects. */
  readonly rejected: DeadLetterError[];
}

/** The position at which a page starts. */
export interface PageStart {
  /** The cursor; undefined for the first page. */
  readonly after: string | undefined;
  /** The id of the node before the page; undefined for the first page. */
  readonly lastId: string | undefined;
}

/** A page of a list. */
export interface ReadPage {
  readonly body: Node;
  readonly nodes: readonly Node[];
  /** Ids of published nodes that now lack their children; a scan does not yield them. */
  readonly withheld: ReadonlySet<string>;
}

/**
 * Reads one page of a list, without the fields that the API rejects and the children that cannot be
 * read.
 *
 * @throws as `Graph.get` and `adaptedPage`
 */
export async function readPage(scanning: ListScanContext, start: PageStart): Promise<ReadPage> {
  const { source, context, cache, skipped } = scanning;
  const nested = nestedOf(source);
  const pageContext = {
    context,
    edge: source.edge,
    hasChildren: nested !== undefined,
    form: nested && hasBrokenAlbum(cache, start.lastId) ? 'ids' : 'whole',
  } as const;
  const page = await adaptedPage(pageContext, (limit, form) =>
    withoutRejectedFields(
      skipped,
      (excluded) => requestPage(scanning, { ...start, limit, form, excluded }),
      form === 'whole' ? source.fields : {},
    ),
  );
  const withheld = new Set<string>();
  const nodes = nodesOf(page.body, scanning.rejected);
  if (nested === undefined || page.form === 'whole') return { body: page.body, nodes, withheld };
  if (page.form === 'bare')
    return { body: page.body, nodes, withheld: noteBareNodes(nodes, page, scanning) };
  const whole = await withChildren(nodes, nested, scanning);
  return { body: page.body, nodes: whole, withheld };
}

/**
 * Counts nodes that were listed without their children.
 *
 * @returns the ids of those that may have been published with children
 */
function noteBareNodes(
  nodes: readonly Node[],
  { fault }: AdaptedPage,
  { skipped, context: { checkpoint } }: ListScanContext,
): ReadonlySet<string> {
  const ids = nodes.map(({ id }) => id).filter((id) => typeof id === 'string');
  for (const id of ids) skipped.push({ reason: fault?.code ?? 'graph.gone', subject: id });
  return new Set(ids.filter((id) => isPublished(id, checkpoint)));
}

function isPublished(id: string, { published }: Checkpoint): boolean {
  return published.has(keyNumber(id));
}

/** Returns the one list of objects among the fields. */
function nestedOf({ fields }: ListScanContext['source']): Nested | undefined {
  for (const [name, { field }] of Object.entries(fields)) {
    if (field.kind === 'list') return { name, fields: field.fields };
  }
  return undefined;
}

interface PageRequest extends PageStart {
  readonly limit: number;
  readonly form: PageForm;
  readonly excluded: ReadonlySet<string>;
}

function requestPage({ source, context }: ListScanContext, request: PageRequest): Promise<Node> {
  const { graph, account, signal } = context;
  const { after, limit } = request;
  return graph.get(
    {
      endpoint: `/{account}/${source.edge}`,
      path: `/${account.id}/${source.edge}`,
      query: {
        fields: fieldsOf(source, request, context.login),
        limit: String(limit),
        ...(after === undefined ? {} : { after }),
      },
      accountId: account.id,
    },
    signal,
  );
}

function fieldsOf(
  source: ListScanContext['source'],
  { form, excluded }: PageRequest,
  login: ListScanContext['context']['login'],
): string {
  const names = login === 'instagram' ? (source.facebookOnly ?? []) : [];
  const unknown = names.flatMap((name) => [name, ...pathsOf(name, source.fields)]);
  const nested = nestedOf(source);
  const omitted = nested !== undefined && form !== 'whole' ? [nested.name] : [];
  const fields = fieldsParameter(source.fields, new Set([...unknown, ...excluded, ...omitted]));
  const areIdsRequested = nested !== undefined && form === 'ids' && !excluded.has(nested.name);
  return areIdsRequested ? `${fields},${nested.name}{id}` : fields;
}
