import { readDefaults, valueAt } from './config-file.ts';
import type { NamedSetting } from './setting.ts';
import { settings } from './schema.ts';

/** The documentation of one field. */
export interface ConfigEntry extends Pick<NamedSetting, 'path' | 'env' | 'arg' | 'doc'> {
  /** The expected form of a value, for people. */
  readonly format: string;
  /** The default; null means "not set". */
  readonly default: unknown;
  /** True when the field needs a value and has no default. */
  readonly required: boolean;
  /** True for a field that is never shown. Its variable can also be given as `<env>_FILE`. */
  readonly secret: boolean;
}

/** Every field, in the order of the schema. */
export function describeConfig(): readonly ConfigEntry[] {
  const defaults = readDefaults().values;
  return settings.map(({ path, env, arg, format, doc }) => {
    const value = valueAt(defaults, path);
    const required = value === null && format.parse(null, 0) === undefined;
    const { expected, secret } = format;
    return { path, env, arg, format: expected, default: value, required, doc, secret };
  });
}
