import type { Context, GraphNode } from '../context.ts';
import { graphError } from '../errors.ts';
import { renderList } from '../paging.ts';
import { scopesOf } from '../tokens/app.ts';
import type { Account } from '../world/model.ts';
import { accountNode } from './account-node.ts';
import { pageNode } from './page-node.ts';

/** The Facebook user of every world. */
export const USER_ID = '122093456780123456';

/** What `me` is: the Facebook user, the page of a page's token, or the Instagram account itself. */
export function meNode({ caller }: Context): GraphNode {
  switch (caller.kind) {
    case 'user':
      return userNode();
    case 'page':
      return { ...pageNode(caller.page), template: 'me' };
    case 'account':
      return ownAccountNode(caller.account);
  }
}

function userNode(): GraphNode {
  return {
    id: USER_ID,
    template: 'me',
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
      if (name !== 'accounts') {
        throw graphError('unknown-path', `/${name}`);
      }
      const items = context.world.pages.map((page, place) => ({ place, node: pageNode(page) }));
      return renderList({ path: 'me/accounts', items }, request, context);
    },
  };
}

/** With Instagram Login `id` is the app's own id of the account; `user_id` is the account's. */
function ownAccountNode(account: Account): GraphNode {
  const node = accountNode(account);
  return {
    ...node,
    id: account.appScopedId,
    template: 'me',
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
