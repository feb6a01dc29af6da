import { ConfigError, type ConfigProblem } from './config-error.ts';
import { defaultsFile, readConfigFile, type FileValues } from './config-file.ts';
import { assembleConfig, type Config } from './config.ts';
import { nearMisses, readArguments, readEnvironment, type NearMiss } from './environment.ts';
import { listLeaves, type PlacedLeaf } from './leaf.ts';
import { mergeSources, type MergeSources } from './merge.ts';
import { showValue } from './redaction.ts';
import { relationProblems } from './relations.ts';
import { schema } from './schema.ts';

/** The sources of the configuration besides `config/default.json`. */
export interface ConfigSources {
  readonly env: NodeJS.ProcessEnv;
  /** The file named by `--config`. */
  readonly configFile?: string | undefined;
  /** Values by the argument's name without its dashes, such as `kafka-brokers`. */
  readonly args: Readonly<Record<string, string>>;
  /**
   * The current time for the check of "not in the future", epoch milliseconds; default: the system
   * clock.
   */
  readonly nowMs?: number;
  /** Values by path of required fields that the command does not use, for when they are not set. */
  readonly unused?: Readonly<Record<string, unknown>>;
}

/** All values of the sources, and all problems. */
export interface ReadConfig {
  readonly leaves: readonly PlacedLeaf[];
  readonly sources: MergeSources;
  /** The typed values by path, without rejected ones. */
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly ConfigProblem[];
}

const noFile: FileValues = { values: {}, problems: [], readable: true };

/**
 * Loads the configuration. Arguments override the environment, which overrides the file, which
 * overrides the defaults.
 *
 * @returns the complete configuration, deep-frozen
 * @throws ConfigError with every problem
 */
export function loadConfig(sources: ConfigSources): Config {
  const { values, problems } = readConfig(sources);
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(assembleConfig(values, (env) => sources.env[`${env}_FILE`] ?? null));
}

/** The variables without effect whose names are similar to known ones. */
export function listNearMisses(env: NodeJS.ProcessEnv): readonly NearMiss[] {
  return nearMisses(env, listLeaves(schema));
}

/** Reads, merges and parses all sources; throws nothing. */
export function readConfig(configSources: ConfigSources): ReadConfig {
  const leaves = listLeaves(schema);
  const defaults = readConfigFile(defaultsFile);
  const file =
    configSources.configFile === undefined ? noFile : readConfigFile(configSources.configFile);
  const environment = readEnvironment(configSources.env, leaves);
  const args = readArguments(configSources.args, leaves);
  const sources: MergeSources = {
    defaults: defaults.values,
    file: file.values,
    environment: environment.texts,
    args: args.texts,
  };
  const sourceProblems = [defaults, file, environment, args].flatMap((source) => source.problems);
  const named = new Set(sourceProblems.map((problem) => problem.path));
  // A missing field may be set in a file that could not be read.
  const isWhole = defaults.readable && file.readable;
  const { values, rejected } = parseFields(leaves, mergeSources(schema, sources), configSources);
  const problems = rejected
    .filter(({ leaf, raw }) => !named.has(leaf.path) && (raw !== null || isWhole))
    .map((one) => rejectedProblem(one, sources));
  const unfit = relationProblems(values, leaves);
  return { leaves, sources, values, problems: [...sourceProblems, ...problems, ...unfit] };
}

interface RejectedField {
  readonly leaf: PlacedLeaf;
  /** Null when the field is not set. */
  readonly raw: unknown;
  readonly expected: string;
}

function parseFields(
  leaves: readonly PlacedLeaf[],
  rawOf: (path: string) => unknown,
  { unused = {}, nowMs = Date.now() }: ConfigSources,
) {
  const values = new Map<string, unknown>();
  const rejected: RejectedField[] = [];
  for (const leaf of leaves) {
    const raw = rawOf(leaf.path);
    const parsed = leaf.format.parse(raw, nowMs);
    if (parsed.ok) values.set(leaf.path, parsed.value);
    else if (raw === null && leaf.path in unused) values.set(leaf.path, unused[leaf.path]);
    else rejected.push({ leaf, raw, expected: parsed.expected });
  }
  return { values, rejected };
}

function rejectedProblem(
  { leaf, raw, expected }: RejectedField,
  sources: MergeSources,
): ConfigProblem {
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

/** The strongest source that set the field. */
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
