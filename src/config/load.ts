import { assembleConfig } from './assembly.ts';
import { ConfigError, type Problem } from './config-error.ts';
import { defaultsFile, readConfigFile, type FileGroup, type FileValues } from './config-file.ts';
import type { Config } from './config.ts';
import { nearMisses, readArguments, readEnvironment, type NearMiss } from './environment.ts';
import { listLeaves, type PlacedLeaf } from './leaf.ts';
import type { MergeSources } from './merge.ts';
import { parseLeaves } from './parsing.ts';
import { relationProblems } from './relations.ts';
import { securityProblems } from './security-relations.ts';
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
  /** What a command that makes no use of a field goes by when nobody sets it; by the variable's name. */
  readonly standIns?: Readonly<Record<string, string>>;
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
export function readConfig(sources: ConfigSources): ReadConfig {
  const leaves = listLeaves(schema);
  const defaults = readConfigFile(defaultsFile);
  const file = sources.configFile === undefined ? noFile : readConfigFile(sources.configFile);
  const environment = readEnvironment(sources.env, leaves);
  const args = readArguments(sources.args, leaves);
  const merged = {
    defaults: withStandIns(defaults.values, leaves, sources.standIns ?? {}),
    file: file.values,
    environment: environment.texts,
    args: args.texts,
  };
  const parsed = parseLeaves(leaves, merged, sources.nowMs ?? Date.now());
  const found = [defaults, file, environment, args].flatMap((source) => source.problems);
  const named = new Set(found.map((problem) => problem.path));
  // What nobody set may stand in the file that could not be read.
  const readable = defaults.readable && file.readable;
  const refused = parsed.problems.filter(
    (problem) => !named.has(problem.path) && (readable || !parsed.missing.has(problem)),
  );
  const problems = [
    ...found,
    ...refused,
    ...relationProblems(parsed.values, leaves),
    ...securityProblems(parsed.values, leaves),
  ];
  return { leaves, sources: merged, values: parsed.values, problems };
}

/** The defaults, and where they have none the stand-ins: weaker than anything that is set. */
function withStandIns(
  defaults: FileGroup,
  leaves: readonly PlacedLeaf[],
  standIns: Readonly<Record<string, string>>,
): FileGroup {
  const filled = structuredClone(defaults);
  for (const { env, path } of leaves) {
    const standIn = standIns[env];
    if (standIn !== undefined) setAt(filled, path.split('.'), standIn);
  }
  return filled;
}

function setAt(group: FileGroup, [key = '', ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) group[key] ??= value;
  else setAt((group[key] ??= {}) as FileGroup, rest, value);
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) deepFreeze(child as object);
  }
  return Object.freeze(value);
}
