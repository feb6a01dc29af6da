import type { Context, GraphNode } from '../context.ts';
import { graphError } from '../errors.ts';
import type { FieldRequest } from '../fields-parser.ts';
import type { Json } from '../json.ts';
import { mayRead } from '../tokens/app.ts';
import type { Page } from '../world/model.ts';
import { accountNode } from './account-node.ts';
import { renderNode } from './render.ts';

/** Fields of a page; a recording may have fewer. */
const KNOWN = new Set(['id', 'name', 'category', 'category_list', 'tasks']);

/** Returns the node of a Facebook page. */
export function pageNode(page: Page): GraphNode {
  return {
    id: page.id,
    defaultFields: ['access_token', 'category', 'category_list', 'name', 'id', 'tasks'],
    field: (request, context) => fieldOf(page, request, context),
    edge: (name) => {
      throw graphError('unknown-path', `/${name}`);
    },
  };
}

function fieldOf(page: Page, request: FieldRequest, context: Context): Json | undefined {
  const { name } = request;
  if (name === 'access_token') {
    return page.token;
  }
  if (name === 'instagram_business_account') {
    if (page.isEmpty === true) return [];
    // A page without an account lacks the key.
    const { vanishedAccounts } = context.world.conditions;
    // A token without the permission to read accounts gets no key either.
    return page.account === undefined ||
      vanishedAccounts.has(page.account.id) ||
      !mayRead('basic', context)
      ? undefined
      : renderNode(accountNode(page.account), request.fields, context);
  }
  if (!KNOWN.has(name)) {
    throw graphError('unknown-field', name);
  }
  return page.fields[name];
}
