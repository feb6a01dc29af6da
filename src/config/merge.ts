import convict from 'convict';
import type { FileGroup } from './config-file.ts';
import { mapLeaves, type FieldGroup } from './leaf.ts';

/** The four sources, weakest first. */
export interface MergeSources {
  readonly defaults: FileGroup;
  readonly file: FileGroup;
  /** Values by the variable's name. */
  readonly environment: ReadonlyMap<string, string>;
  /** Values by the field's path. */
  readonly args: ReadonlyMap<string, string>;
}

/**
 * Merges the sources: returns a function that gives the raw value of the strongest source by path.
 *
 * convict guesses types by a schema's format name or default (`"15min"` becomes 15, `"no"` true),
 * and its argument parser guesses by a text's form. Therefore formats are functions, defaults are
 * null and arguments are set one by one: every value stays as it was given.
 */
export function mergeSources(group: FieldGroup, sources: MergeSources): (path: string) => unknown {
  const define = { default: null, format: () => undefined };
  const definition = mapLeaves(group, ({ key, env }) => [key, { ...define, env }]);
  const merged = convict(definition as convict.Schema<Record<string, unknown>>, {
    env: Object.fromEntries(sources.environment),
    args: [],
  });
  merged.load(sources.defaults).load(sources.file);
  for (const [path, text] of sources.args) merged.set(path, text);
  return (path) => merged.get(path);
}
