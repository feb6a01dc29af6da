import type { BusinessPages } from '../conditions-spec.ts';
import type { Context, EdgeRequest, GraphNode } from '../context.ts';
import { graphError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { renderList } from '../paging.ts';
import { mayRead } from '../tokens/app.ts';
import { pageNode } from './page-node.ts';

/** Answers `/me/businesses`. */
export function listBusinesses(request: EdgeRequest, context: Context): JsonObject {
  const all = Object.entries(context.world.conditions.spec.businesses ?? {});
  const items = all.map(([id, pages], place) => ({ place, node: businessNode(id, pages) }));
  return render('me/businesses', items, request, context);
}

/** Returns the node of a business, with the lists of its pages and of its clients' pages. */
export function businessNode(id: string, pages: BusinessPages): GraphNode {
  return {
    id,
    defaultFields: ['id', 'name'],
    field: ({ name }) => {
      if (name === 'id') return id;
      if (name === 'name') return `Business ${id}`;
      throw graphError('unknown-field', name);
    },
    edge: (name, request, context) => {
      const lists: Readonly<Record<string, readonly string[]>> = {
        owned_pages: pages.owned ?? [],
        client_pages: pages.client ?? [],
      };
      const ids = lists[name];
      if (ids === undefined) throw graphError('unknown-path', `/${name}`);
      const listed = context.world.pages.filter((page) => ids.includes(page.id));
      const items = listed.map((page, place) => ({ place, node: pageNode(page) }));
      return render(`${id}/${name}`, items, request, context);
    },
  };
}

type Items = readonly { readonly place: number; readonly node: GraphNode }[];

function render(path: string, items: Items, request: EdgeRequest, context: Context): JsonObject {
  if (mayRead('businesses', context)) return renderList({ path, items }, request, context);
  const { businessRefusal } = context.world.conditions.spec;
  if (businessRefusal === 'empty') return renderList({ path, items: [] }, request, context);
  throw graphError(businessRefusal === 'missing' ? 'missing-permission' : 'no-business-permission');
}
