import type { Format } from './formats.ts';

/** One field: how it is written, which environment variable sets it, and what it means. */
export interface Leaf<T> {
  readonly format: Format<T>;
  readonly env: string;
  readonly doc: string;
}

/** A level of the configuration file. */
export interface Group {
  readonly [key: string]: Leaf<unknown> | Group;
}

/** The typed values of a group of leaves. */
export type Values<G> = {
  readonly [K in keyof G]: G[K] extends Leaf<infer T> ? T : Values<G[K]>;
};

/** A leaf with the place where it stands in the file. */
export interface PlacedLeaf extends Leaf<unknown> {
  /** As `kafka.topics.create`. */
  readonly path: string;
  /** The argument without its dashes, as `kafka-topics-create`. */
  readonly arg: string;
}

/** Whether an entry of a group is a field. */
export function isLeaf(entry: Leaf<unknown> | Group): entry is Leaf<unknown> {
  return typeof entry['env'] === 'string';
}

/** Every field of a group in the order of declaration. */
export function listLeaves(group: Group, prefix = ''): readonly PlacedLeaf[] {
  return Object.entries(group).flatMap(([key, entry]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (!isLeaf(entry)) return listLeaves(entry, path);
    return [{ ...entry, path, arg: entry.env.toLowerCase().replaceAll('_', '-') }];
  });
}

/** A field, by its variable, its format and what it is for. */
export function leaf<T>(env: string, format: Format<T>, doc: string): Leaf<T> {
  return { env, format, doc };
}
