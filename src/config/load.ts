import { assembleConfig } from './assembly.ts';
import { ConfigError } from './config-error.ts';
import { defaultsFile, readConfigFile, type FileValues } from './config-file.ts';
import type { Config } from './config.ts';
import { readArguments, readEnvironment } from './environment.ts';
import { listLeaves } from './leaf.ts';
import { parseLeaves } from './parsing.ts';
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
  const leaves = listLeaves(schema);
  const defaults = readConfigFile(defaultsFile);
  const file = sources.configFile === undefined ? noFile : readConfigFile(sources.configFile);
  const environment = readEnvironment(sources.env, leaves);
  const args = readArguments(sources.args, leaves);
  const parsed = parseLeaves(
    leaves,
    {
      defaults: defaults.values,
      file: file.values,
      environment: environment.texts,
      args: args.texts,
    },
    sources.nowMs ?? Date.now(),
  );
  const found = [defaults, file, environment, args].flatMap((source) => source.problems);
  const named = new Set(found.map((problem) => problem.path));
  // What nobody set may stand in the file that could not be read.
  const readable = defaults.readable && file.readable;
  const refused = parsed.problems.filter(
    (problem) => !named.has(problem.path) && (readable || !parsed.missing.has(problem)),
  );
  const problems = [...found, ...refused, ...relationProblems(parsed.values, leaves)];
  if (problems.length > 0) throw new ConfigError(problems);
  const tokenFile = sources.env['INSTAGRAM_ACCESS_TOKEN_FILE'] ?? null;
  return deepFreeze(assembleConfig(parsed.values, tokenFile));
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) deepFreeze(child as object);
  }
  return Object.freeze(value);
}
