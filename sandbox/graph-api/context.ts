import type { FieldRequest } from './fields-parser.ts';
import type { Json } from './json.ts';
import type { Account, Page, World } from './world/model.ts';

/** Who asks: a Facebook user, a page by its own token, or an account by Instagram Login. */
export type Caller =
  | { readonly kind: 'user' }
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'account'; readonly account: Account };

/** Everything an answer depends on besides the path. */
export interface Context {
  readonly world: World;
  /** The world's time, one for the whole request. */
  readonly nowMs: number;
  readonly caller: Caller;
  readonly dialect: 'facebook' | 'instagram';
  /** As in the path: `v25.0`. */
  readonly version: string;
  /** The simulator's own address, for the links of paging. */
  readonly origin: string;
  readonly token: string;
  /** A text that no other call gets. */
  nonce(): string;
  /** Finds a node; throws 100/33 for what the caller cannot see. */
  lookup(id: string): GraphNode;
}

/** What an edge or a list is asked with, whether by the URL or by a field's modifiers. */
export interface EdgeRequest {
  /** In the order of the request, without the token. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly fields: readonly FieldRequest[] | undefined;
  /** Asked by field expansion, not by its own URL. */
  readonly nested: boolean;
}

/** An object of the graph. */
export interface GraphNode {
  readonly id: string;
  /** Asked when the request names no fields. */
  readonly defaultFields: readonly string[];
  /** The value, undefined where the key is left out; throws for names that do not exist. */
  field(request: FieldRequest, context: Context): Json | undefined;
  /** The answer of `/{id}/{name}`; throws for names that do not exist. */
  edge(name: string, request: EdgeRequest, context: Context): Json;
}

/** Makes the request of an edge out of a field with modifiers. */
export function nestedRequest(field: FieldRequest): EdgeRequest {
  const parameters = new Map(field.parameters);
  if (field.fieldsText !== undefined) {
    parameters.set('fields', field.fieldsText);
  }
  return { parameters, fields: field.fields, nested: true };
}
