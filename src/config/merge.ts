import convict from 'convict';
import type { FileGroup } from './config-file.ts';
import { isLeaf, type Group } from './leaf.ts';

/** The four sources, weakest first. */
export interface MergeSources {
  readonly defaults: FileGroup;
  readonly file: FileGroup;
  /** By the variable's name. */
  readonly environment: ReadonlyMap<string, string>;
  /** By the field's path. */
  readonly args: ReadonlyMap<string, string>;
}

/**
 * Lays the sources over each other; a field's value is the last source's that has one, raw, by path.
 *
 * convict guesses types by a schema's format name or default (`"15min"` becomes 15, `"no"` true), and
 * its argument parser by a text's look. So formats are functions, defaults are null and arguments are
 * set one by one: every value arrives here as it came.
 */
export function mergeSources(schema: Group, sources: MergeSources): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  const definition = define(schema, '', (path, raw) => values.set(path, raw));
  const merged = convict<Record<string, unknown>>(definition, {
    env: Object.fromEntries(sources.environment),
    args: [],
  });
  merged.load(sources.defaults);
  merged.load(sources.file);
  for (const [path, text] of sources.args) merged.set(path, text);
  merged.validate({ allowed: 'strict' });
  return values;
}

type Definition = convict.Schema<Record<string, unknown>>;
type Visit = (path: string, raw: unknown) => void;

function define(group: Group, prefix: string, visit: Visit): Definition {
  const definition: Definition = {};
  for (const [key, entry] of Object.entries(group)) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (isLeaf(entry)) {
      const format = (raw: unknown): void => {
        visit(path, raw);
      };
      const { env, doc } = entry;
      definition[key] = { default: null, sensitive: entry.format.secret, format, env, doc };
    } else definition[key] = define(entry, path, visit);
  }
  return definition;
}
