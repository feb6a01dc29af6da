import type { Format } from './formats.ts';

/** One field: its format and its description. */
export interface Leaf<T, Unit extends string = string> {
  readonly format: Format<T, Unit>;
  /** Markdown, one or more sentences. */
  readonly doc: string;
}

/** A level of the configuration file. */
export interface FieldGroup {
  readonly [key: string]: Leaf<unknown> | FieldGroup;
}

/** The typed values of a group of leaves, by names that end with their unit. */
export type Values<G> = {
  readonly [K in keyof G & string as NameOf<K, G[K]>]: G[K] extends Leaf<infer T>
    ? T
    : Values<G[K]>;
};
type NameOf<K extends string, Entry> = Entry extends Leaf<unknown, infer Unit> ? `${K}${Unit}` : K;

/** A leaf with its path and its names. */
export interface PlacedLeaf extends Leaf<unknown> {
  /** The path in the file, such as `kafka.topics.create`. */
  readonly path: string;
  /** The last part of the path. */
  readonly key: string;
  /** The environment variable, such as `KAFKA_TOPICS_CREATE`; of a map `STREAM_TAGS_TOPIC_<SETTING>`. */
  readonly env: string;
  /** The argument without its dashes, such as `kafka-topics-create`. */
  readonly arg: string;
}

/** Creates a field from its format and its description. */
export function leaf<T, Unit extends string>(format: Format<T, Unit>, doc: string): Leaf<T, Unit> {
  return { format, doc };
}

export function isLeaf(entry: Leaf<unknown> | FieldGroup): entry is Leaf<unknown> {
  return typeof entry['doc'] === 'string';
}

/** Every field of a group, in the order of declaration. */
export function listLeaves(group: FieldGroup): readonly PlacedLeaf[] {
  const leaves: PlacedLeaf[] = [];
  mapLeaves(group, (one) => [one.key, leaves.push(one)]);
  return leaves;
}

/** Maps a group to a tree of the same structure; `map` names and converts each field. */
export function mapLeaves(
  group: FieldGroup,
  map: (leaf: PlacedLeaf) => readonly [key: string, value: unknown],
  prefix = '',
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(group).map(([key, entry]) => {
      const path = `${prefix}${key}`;
      return isLeaf(entry)
        ? map(place(entry, path, key))
        : [key, mapLeaves(entry, map, `${path}.`)];
    }),
  );
}

/**
 * Names a field by its path. Only the streams differ from it: `STREAMS`, `STREAM_TAGS_INTERVAL`.
 */
function place(entry: Leaf<unknown>, path: string, key: string): PlacedLeaf {
  const words = path.replace('streams.enabled', 'streams').replace('streams.', 'stream.');
  const arg = words.replaceAll(/[A-Z]/g, '-$&').replaceAll(/[._]/g, '-').toLowerCase();
  const { entries } = entry.format;
  const end = entries === undefined ? '' : `_<${entries.placeholder}>`;
  return { ...entry, path, key, arg, env: `${arg.replaceAll('-', '_').toUpperCase()}${end}` };
}
