import { ConfigError, type Problem } from './config-error.ts';
import { defaultsFile, readConfigFile, type FileValues } from './config-file.ts';
import { assembleConfig, type Config } from './config.ts';
import { nearMisses, readArguments, readEnvironment, type NearMiss } from './environment.ts';
import { listLeaves, type PlacedLeaf } from './leaf.ts';
import { mergeSources, type MergeSources } from './merge.ts';
import { showValue } from './redaction.ts';
import { relationProblems } from './relations.ts';
import { schema } from './schema.ts';

/** Where configuration comes from, besides `config/default.json`. */
export interface ConfigSources {
  readonly env: NodeJS.ProcessEnv;
  /** The file named by `--config`. */
  readonly configFile?: string | undefined;
  /** Values by the argument's name without its dashes, as `kafka-brokers`. */
  readonly args: Readonly<Record<string, string>>;
  /** What "not in the future" is measured by, epoch milliseconds; the machine's clock if not given. */
  readonly nowMs?: number;
  /** The required fields that a command makes no use of, by path: their values when nobody sets them. */
  readonly unused?: Readonly<Record<string, unknown>>;
}

/** Everything that the sources say, and what is wrong with it. */
export interface ReadConfig {
  readonly leaves: readonly PlacedLeaf[];
  readonly sources: MergeSources;
  /** The typed values by path, without those that were refused. */
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly Problem[];
}

const noFile: FileValues = { values: {}, problems: [], readable: true };

/**
 * Reads the configuration: defaults, over them the file, over it the environment, over it the
 * arguments.
 *
 * @returns the whole of it, deep-frozen
 * @throws ConfigError with every problem there is
 */
export function loadConfig(sources: ConfigSources): Config {
  const { values, problems } = readConfig(sources);
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(assembleConfig(values, (env) => sources.env[`${env}_FILE`] ?? null));
}

/** The variables that are almost ours and do nothing. */
export function listNearMisses(env: NodeJS.ProcessEnv): readonly NearMiss[] {
  return nearMisses(env, listLeaves(schema));
}

/** Reads all sources and parses what they say together; throws nothing. */
export function readConfig(given: ConfigSources): ReadConfig {
  const leaves = listLeaves(schema);
  const defaults = readConfigFile(defaultsFile);
  const file = given.configFile === undefined ? noFile : readConfigFile(given.configFile);
  const environment = readEnvironment(given.env, leaves);
  const args = readArguments(given.args, leaves);
  const sources: MergeSources = {
    defaults: defaults.values,
    file: file.values,
    environment: environment.texts,
    args: args.texts,
  };
  const found = [defaults, file, environment, args].flatMap((source) => source.problems);
  const named = new Set(found.map((problem) => problem.path));
  // What nobody set may stand in the file that could not be read.
  const isWhole = defaults.readable && file.readable;
  const { values, refused } = parseFields(leaves, mergeSources(schema, sources), given);
  const problems = refused
    .filter(({ leaf, raw }) => !named.has(leaf.path) && (raw !== null || isWhole))
    .map((one) => refusal(one, sources));
  const unfit = relationProblems(values, leaves);
  return { leaves, sources, values, problems: [...found, ...problems, ...unfit] };
}

interface Refused {
  readonly leaf: PlacedLeaf;
  /** Null when nobody set the field. */
  readonly raw: unknown;
  readonly expected: string;
}

function parseFields(
  leaves: readonly PlacedLeaf[],
  rawOf: (path: string) => unknown,
  { unused = {}, nowMs = Date.now() }: ConfigSources,
) {
  const values = new Map<string, unknown>();
  const refused: Refused[] = [];
  for (const leaf of leaves) {
    const raw = rawOf(leaf.path);
    const parsed = leaf.format.parse(raw, nowMs);
    if (parsed.ok) values.set(leaf.path, parsed.value);
    else if (raw === null && leaf.path in unused) values.set(leaf.path, unused[leaf.path]);
    else refused.push({ leaf, raw, expected: parsed.expected });
  }
  return { values, refused };
}

function refusal({ leaf, raw, expected }: Refused, sources: MergeSources): Problem {
  const { path, env, format } = leaf;
  const came = showValue(raw, format.secret);
  const action = raw === null ? howToSet(leaf) : `correct ${originOf(leaf, sources)}`;
  return { path, env, came, expected, action };
}

function howToSet({ env, arg, path, format }: PlacedLeaf): string {
  return format.secret
    ? `set ${env}, or ${env}_FILE to the name of a file that holds it`
    : `set ${env}, --${arg} or "${path}" in the configuration file`;
}

/** The strongest source that set the field, which is the one that its value came from. */
function originOf({ env, arg, path }: PlacedLeaf, sources: MergeSources): string {
  if (sources.args.has(path)) return `--${arg}`;
  if (sources.environment.has(env)) return env;
  return `"${path}" in the configuration file`;
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) deepFreeze(child as object);
  }
  return Object.freeze(value);
}
