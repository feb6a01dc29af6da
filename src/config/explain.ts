import type { ConfigProblem } from './config-error.ts';
import { valueAt } from './config-file.ts';
import type { PlacedLeaf } from './leaf.ts';
import { readConfig, type ConfigSources, type ReadConfig } from './load.ts';
import { mask, maskStray } from './redaction.ts';

/** The kind of a value's source, weakest first; `secret-file` is a `…_FILE`. */
export type ValueOrigin = 'unset' | 'default' | 'file' | 'environment' | 'secret-file' | 'argument';

/** The effective value of one field. */
export interface ExplainedValue {
  /** The path in the file, such as `kafka.topics.create`. */
  readonly path: string;
  readonly env: string;
  /** The raw value, or `[secret]`; null when it is not set. */
  readonly value: unknown;
  readonly origin: ValueOrigin;
  /** The name of the source: the variable, the argument or the file. */
  readonly from: string;
}

/** The complete configuration with the source of each value, and all problems. */
export interface ExplainedConfig {
  readonly values: readonly ExplainedValue[];
  readonly problems: readonly ConfigProblem[];
}

/** Reads the sources as `loadConfig` does; throws nothing and shows no secret. */
export function explainConfig(sources: ConfigSources): ExplainedConfig {
  const read = readConfig(sources);
  return {
    values: read.leaves.map((leaf) => explain(leaf, read, sources)),
    problems: read.problems,
  };
}

function explain(leaf: PlacedLeaf, read: ReadConfig, configSources: ConfigSources): ExplainedValue {
  const { path, env } = leaf;
  const { raw, origin, from } = strongest(leaf, read, configSources);
  const parsed = read.values.get(path);
  return { path, env, value: leaf.format.secret ? masked(raw) : shown(raw, parsed), origin, from };
}

interface SourcedValue {
  readonly raw: unknown;
  readonly origin: ValueOrigin;
  readonly from: string;
}

function strongest(
  { path, env, arg }: PlacedLeaf,
  { sources }: ReadConfig,
  configSources: ConfigSources,
): SourcedValue {
  const argument = sources.args.get(path);
  if (argument !== undefined) return { raw: argument, origin: 'argument', from: `--${arg}` };
  const variable = sources.environment.get(env);
  if (variable !== undefined) {
    return configSources.env[env] === undefined
      ? { raw: variable, origin: 'secret-file', from: `${env}_FILE` }
      : { raw: variable, origin: 'environment', from: env };
  }
  const inFile = valueAt(sources.file, path);
  if (inFile !== undefined) {
    return { raw: inFile, origin: 'file', from: maskStray(configSources.configFile ?? '') };
  }
  const standard = valueAt(sources.defaults, path) ?? null;
  return standard === null
    ? { raw: null, origin: 'unset', from: '' }
    : { raw: standard, origin: 'default', from: 'config/default.json' };
}

function masked(raw: unknown): unknown {
  return raw === null ? null : mask;
}

/**
 * The raw value, because `15m` reads better than 900000. Lists, flags and numbers that were given
 * as text are shown parsed. A secret in a field that is not secret is masked.
 */
function shown(raw: unknown, parsed: unknown): unknown {
  if (typeof raw !== 'string') return JSON.parse(maskStray(JSON.stringify(raw)));
  if (Array.isArray(parsed)) {
    return (parsed as readonly unknown[]).map((one) => maskStray(String(one)));
  }
  if (typeof parsed === 'boolean') return parsed;
  if (typeof parsed === 'number' && String(parsed) === raw) return parsed;
  return maskStray(raw);
}
