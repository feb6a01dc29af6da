import type { DeadLetterError } from '../../engine/errors.ts';
import { keyNumber } from '../../engine/fingerprint.ts';
import { fieldsParameter, pathsOf } from '../model/fields.ts';
import type { Node } from '../../engine/json.ts';
import type { Checkpoint } from '../../engine/state.ts';
import type { InstagramStream } from '../streams/stream.ts';
import { hasBrokenAlbum, withChildren, type ChildrenWork, type Nested } from './children.ts';
import { nodesOf } from './entries.ts';
import { adaptedPage, type AdaptedPage, type PageForm } from './page-size.ts';
import { withoutRefusedFields } from './rejected-fields.ts';

type ListSource = Extract<InstagramStream['request'], { kind: 'list' }>;

/** What a scan along a list works with. */
export interface Scanning extends ChildrenWork {
  readonly source: Pick<ListSource, 'edge' | 'fields' | 'facebookOnly'>;
  /** Entries that are no objects. */
  readonly rejected: DeadLetterError[];
}

/** The beginning of a page. */
export interface PageStart {
  /** The cursor; undefined for the first page. */
  readonly after: string | undefined;
  /** The node before it; undefined for the first page. */
  readonly lastId: string | undefined;
}

/** A page as it was read. */
export interface ReadPage {
  readonly body: Node;
  readonly nodes: readonly Node[];
  /** Ids of those that came without what was published of them before, and so are better left as they are. */
  readonly withheld: ReadonlySet<string>;
}

/**
 * One page of a list, less the fields that the API refuses and the children that cannot be read.
 *
 * @throws as `Graph.get` and `adaptedPage`
 */
export async function readPage(scanning: Scanning, start: PageStart): Promise<ReadPage> {
  const { source, context, cache, left } = scanning;
  const nested = nestedOf(source);
  const paged = {
    context,
    edge: source.edge,
    hasChildren: nested !== undefined,
    form: nested && hasBrokenAlbum(cache, start.lastId) ? 'ids' : 'whole',
  } as const;
  const page = await adaptedPage(paged, (limit, form) =>
    withoutRefusedFields(
      left,
      (refused) => ask(scanning, { ...start, limit, form, refused }),
      form === 'whole' ? source.fields : {},
    ),
  );
  const withheld = new Set<string>();
  const nodes = nodesOf(page.body, scanning.rejected);
  if (nested === undefined || page.form === 'whole') return { body: page.body, nodes, withheld };
  if (page.form === 'bare')
    return { body: page.body, nodes, withheld: bare(nodes, page, scanning) };
  const whole = await withChildren(nodes, nested, scanning);
  return { body: page.body, nodes: whole, withheld };
}

/** Counts nodes that came without their children. @returns those that may have been published with them */
function bare(
  nodes: readonly Node[],
  { fault }: AdaptedPage,
  { left, context: { checkpoint } }: Scanning,
): ReadonlySet<string> {
  const ids = nodes.map(({ id }) => id).filter((id) => typeof id === 'string');
  for (const id of ids) left.push({ reason: fault?.code ?? 'graph.gone', subject: id });
  return new Set(ids.filter((id) => isPublished(id, checkpoint)));
}

function isPublished(id: string, { published }: Checkpoint): boolean {
  return published.has(keyNumber(id));
}

/** The one list of objects among the fields. */
function nestedOf({ fields }: Scanning['source']): Nested | undefined {
  for (const [name, { field }] of Object.entries(fields)) {
    if (field.kind === 'list') return { name, fields: field.fields };
  }
  return undefined;
}

interface PageRequest extends PageStart {
  readonly limit: number;
  readonly form: PageForm;
  readonly refused: ReadonlySet<string>;
}

function ask({ source, context }: Scanning, request: PageRequest): Promise<Node> {
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
  source: Scanning['source'],
  { form, refused }: PageRequest,
  login: Scanning['context']['login'],
): string {
  const names = login === 'instagram' ? (source.facebookOnly ?? []) : [];
  const unknown = names.flatMap((name) => [name, ...pathsOf(name, source.fields)]);
  const nested = nestedOf(source);
  const apart = nested !== undefined && form !== 'whole' ? [nested.name] : [];
  const fields = fieldsParameter(source.fields, new Set([...unknown, ...refused, ...apart]));
  const isAsked = nested !== undefined && form === 'ids' && !refused.has(nested.name);
  return isAsked ? `${fields},${nested.name}{id}` : fields;
}
