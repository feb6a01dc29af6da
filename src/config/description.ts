import { defaultsFile, readConfigFile, valueAt } from './config-file.ts';
import { listLeaves } from './leaf.ts';
import { schema } from './schema.ts';

/** The documentation of one field. */
export interface ConfigEntry {
  /** The path in the file, such as `kafka.topics.create`. */
  readonly path: string;
  readonly env: string;
  /** The argument without its dashes, such as `kafka-topics-create`. */
  readonly arg: string;
  /** The expected form of a value, for people. */
  readonly format: string;
  /** The value in `config/default.json`; null means "not set". */
  readonly default: unknown;
  /** True when the field needs a value and has no default. */
  readonly required: boolean;
  /** Markdown, one or more sentences. */
  readonly doc: string;
  /** True for a field that is never shown. Its variable can also be given as `<env>_FILE`. */
  readonly secret: boolean;
}

/** Every field, in the order of the schema. */
export function describeConfig(): readonly ConfigEntry[] {
  const defaults = readConfigFile(defaultsFile).values;
  return listLeaves(schema).map(({ path, env, arg, format, doc }) => {
    const value = valueAt(defaults, path);
    const required = value === null && format.parse(null, 0) === undefined;
    const { expected, secret } = format;
    return { path, env, arg, format: expected, default: value, required, doc, secret };
  });
}
