import type { Context, GraphNode } from '../context.ts';
import { graphError } from '../errors.ts';
import { renderList } from '../paging.ts';
import { mayRead, scopesOf } from '../tokens/app.ts';
import type { Account, Page } from '../world/model.ts';
import { listBusinesses } from './business-node.ts';
import { accountNode } from './account-node.ts';
import { pageNode } from './page-node.ts';

/** The Facebook user of every world. */
export const USER_ID = '122093456780123456';

/**
 * Returns the node of `me`: the Facebook user, the page of a page's token, or the Instagram account
 * itself.
 */
export function meNode({ caller }: Context): GraphNode {
  switch (caller.kind) {
    case 'user':
      return userNode();
    case 'page':
      return pageNode(caller.page);
    case 'account':
      return instagramLoginNode(caller.account);
  }
}

function userNode(): GraphNode {
  return {
    id: USER_ID,
    defaultFields: ['name', 'id'],
    field: ({ name }) => {
      switch (name) {
        case 'id':
          return USER_ID;
        case 'name':
          return 'Pat Example';
        default:
          throw graphError('unknown-field', name);
      }
    },
    edge: (name, request, context) => {
      if (name === 'permissions') {
        const grant = context.world.tokens.find(context.token);
        const granted = grant === undefined ? [] : scopesOf(grant);
        return { data: granted.map((permission) => ({ permission, status: 'granted' })) };
      }
      if (name === 'businesses') return listBusinesses(request, context);
      if (name !== 'accounts') {
        throw graphError('unknown-path', `/${name}`);
      }
      // A token without the permission gets an empty list, and no error.
      const pages = mayRead('pages', context)
        ? [...listedPages(context), ...emptyPages(context)]
        : [];
      const items = pages.map((page, place) => ({ place, node: pageNode(page) }));
      return renderList({ path: 'me/accounts', items }, request, context);
    },
  };
}

function listedPages({ world }: Context): readonly Page[] {
  const unlisted = world.conditions.spec.unlistedPages ?? [];
  return world.pages.filter(({ id }) => !unlisted.includes(id));
}

function emptyPages({ world }: Context): Page[] {
  return Array.from({ length: world.conditions.spec.emptyPages ?? 0 }, (_, index) => {
    const id = String(500_000_000_000_000 + index);
    const fields = { category: 'Local business', name: `Empty page ${index + 1}`, id, tasks: [] };
    return { id, token: `EAAGempty${id}`, fields, isEmpty: true };
  });
}

/**
 * Returns an account's node for Instagram Login, where `id` is scoped to the app and `user_id` is
 * the account's id.
 */
export function instagramLoginNode(account: Account): GraphNode {
  const node = accountNode(account);
  return {
    ...node,
    id: account.appScopedId,
    field: (request, context) => {
      switch (request.name) {
        case 'id':
          return account.appScopedId;
        case 'user_id':
          return account.id;
        default:
          return node.field(request, context);
      }
    },
  };
}
