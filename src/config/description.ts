import { defaultsFile, readConfigFile, valueAt } from './config-file.ts';
import { listLeaves } from './leaf.ts';
import { schema } from './schema.ts';

/** What there is to say of one field. */
export interface ConfigEntry {
  /** Its place in the file, as `kafka.topics.create`. */
  readonly path: string;
  readonly env: string;
  /** The argument without its dashes, as `kafka-topics-create`. */
  readonly arg: string;
  /** What is expected of a value, for a person. */
  readonly format: string;
  /** As in `config/default.json`; null is "not set". */
  readonly default: unknown;
  /** Whether there must be a value and no default is one. */
  readonly required: boolean;
  /** Markdown, one or more sentences. */
  readonly doc: string;
  /** Never shown; the environment variable can also be given as `<env>_FILE`. */
  readonly secret: boolean;
}

/** Every field, in the order of the schema. */
export function describeConfig(): readonly ConfigEntry[] {
  const defaults = readConfigFile(defaultsFile).values;
  return listLeaves(schema).map(({ path, env, arg, format, doc }) => {
    const value = valueAt(defaults, path);
    const required = value === null && !format.parse(null, 0).ok;
    const { expected, secret } = format;
    return { path, env, arg, format: expected, default: value, required, doc, secret };
  });
}
