import type { FieldRequest } from './fields-parser.ts';
import type { Json } from './json.ts';
import type { Account, Page, World } from './world/model.ts';

/** The caller: a Facebook user, a page by its own token, or an account by Instagram Login. */
export type Caller =
  | { readonly kind: 'user' }
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'account'; readonly account: Account };

/** The input of an answer besides the path. */
export interface Context {
  readonly world: World;
  /** The world's time, one for the whole request. */
  readonly nowMs: number;
  readonly caller: Caller;
  readonly dialect: 'facebook' | 'instagram';
  /** Version in the path, such as `v25.0`. */
  readonly version: string;
  /** The simulator's own address, for paging links. */
  readonly origin: string;
  readonly token: string;
  /** Returns a text that no other call returns. */
  nonce(): string;
  /** Finds a node; throws 100/33 for a node that the caller cannot see. */
  lookup(id: string): GraphNode;
}

/** Parameters of an edge or a list, from the URL or from a field's modifiers. */
export interface EdgeRequest {
  /** Parameters in the order of the request, without the token. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly fields: readonly FieldRequest[] | undefined;
  /** True for field expansion, false for its own URL. */
  readonly nested: boolean;
}

/** An object of the graph. */
export interface GraphNode {
  readonly id: string;
  /** Fields of a request that names none. */
  readonly defaultFields: readonly string[];
  /** Returns the value, undefined where the key is left out; throws for unknown names. */
  field(request: FieldRequest, context: Context): Json | undefined;
  /** Returns the answer of `/{id}/{name}`; throws for unknown names. */
  edge(name: string, request: EdgeRequest, context: Context): Json;
}

/** Creates the request of an edge from a field with modifiers. */
export function nestedRequest(field: FieldRequest): EdgeRequest {
  const parameters = new Map(field.parameters);
  if (field.fieldsText !== undefined) {
    parameters.set('fields', field.fieldsText);
  }
  return { parameters, fields: field.fields, nested: true };
}
