import { type Json, type Node, isNode } from './json.ts';
import type { Published } from './state.ts';

/**
 * The stream name in the key of an account's suppression list, `suppressed/<account id>`. The list
 * is a state, so it moves with the states of its account; its `published` maps each entry
 * (`SuppressionEntryOf`) to the entry of the person with whom it was added.
 */
export const suppressionName = 'suppressed';

/** The most entries of a list, 16 bytes each (Invariant 10). */
export const maxSuppressionEntries = 10_000;

/** A person, by the current user name or by the id that the API gives to the app. */
export interface PersonName {
  readonly kind: 'username' | 'id';
  readonly value: string;
}

/** The paths of the fields that name a record's author, where that is another person. */
export interface AuthorFields {
  readonly username: readonly string[];
  readonly id: readonly string[];
}

/** Returns a person's entry in an account's list, a decimal text of 64 bits that hides the name. */
export type SuppressionEntryOf = (accountId: string, name: PersonName) => string;

/** Returns the names of a record's author, or of a node's, whose fields have the same names. */
export function authorNames(record: Node, author: AuthorFields): readonly PersonName[] {
  const kinds = ['username', 'id'] as const;
  return kinds.flatMap((kind) =>
    author[kind].flatMap((path) => {
      const value = valueAt(record, path);
      return typeof value === 'string' ? [{ kind, value }] : [];
    }),
  );
}

function valueAt(record: Node, path: string): Json | undefined {
  let value: Json | undefined = record;
  for (const name of path.split('.')) value = isNode(value) ? value[name] : undefined;
  return value;
}

/** Returns a test for nodes whose author is on a list. */
export function suppressedBy(
  list: Published,
  author: AuthorFields,
  entryOf: (name: PersonName) => string,
): (node: Node) => boolean {
  return (node) => authorNames(node, author).some((name) => list.has(entryOf(name)));
}
