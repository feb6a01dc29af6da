import convict from 'convict';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { readConfigFile, readDefaults, valueAt, type FileValues } from './config-file.ts';
import { assembleConfig, type Config } from './config.ts';
import { readArguments, readEnvironment } from './environment.ts';
import { mapSettings, type NamedSetting } from './setting.ts';
import { maskStray, showValue } from './redaction.ts';
import { relationProblems } from './relations.ts';
import { settings, schema } from './schema.ts';

export { listNearMisses } from './environment.ts';

/** The sources of the configuration besides `config/default.json`. */
export interface ConfigSources {
  readonly env: NodeJS.ProcessEnv;
  readonly configFile?: string | undefined;
  /** Values by the argument's name without its dashes, such as `kafka-brokers`. */
  readonly args: Readonly<Record<string, string>>;
  /**
   * The current time for the check of "not in the future", epoch milliseconds; default: the system
   * clock.
   */
  readonly nowMs?: number;
  /** Placeholders, by path, for required fields that this command does not use. */
  readonly unused?: Readonly<Record<string, unknown>>;
  /** The paths of fields that this command does not use; their relations are not checked. */
  readonly ignored?: RegExp | undefined;
}

export interface ValueOrigin {
  /** Its kind, lowest precedence first; `secret-file` is a `…_FILE`. */
  readonly origin: 'unset' | 'default' | 'file' | 'environment' | 'secret-file' | 'argument';
  /** The name of the variable, the argument or the file. */
  readonly from: string;
}

/** All values of the sources, and all problems. */
export interface ReadConfig {
  readonly settings: readonly NamedSetting[];
  /** The raw value of the highest precedence by path; null when the field is not set. */
  readonly rawOf: (path: string) => unknown;
  readonly originOf: (setting: NamedSetting) => ValueOrigin;
  /** The typed values by path, without rejected ones. */
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly ConfigProblem[];
}

const noFile: FileValues = { values: {}, problems: [], readable: true };

/**
 * Loads the configuration. Arguments override the environment, which overrides the file, which
 * overrides the defaults.
 * @returns the complete configuration, deep-frozen
 * @throws ConfigError with every problem
 */
export function loadConfig(sources: ConfigSources): Config {
  const config = readConfig(sources);
  if (config.problems.length > 0) throw new ConfigError(config.problems);
  const fileOf = (env: string): string | null => sources.env[`${env}_FILE`] ?? null;
  const nameOf = (path: string): string => nameInSource(path, config, sources);
  return deepFreeze(assembleConfig(config.values, fileOf, nameOf));
}

/** Reads, merges and parses all sources; throws nothing. */
export function readConfig(configSources: ConfigSources): ReadConfig {
  const sources = readSources(configSources);
  const sourceProblems = Object.values(sources).flatMap(({ problems }) => problems);
  const named = new Set(sourceProblems.map(({ path }) => path));
  // A missing field may be set in a file that could not be read.
  const isWhole = sources.defaults.readable && sources.file.readable;
  const rawOf = mergeSources(sources);
  const originOf = (setting: NamedSetting) => findOrigin(setting, sources, configSources);
  const { values, rejected } = parseFields(rawOf, configSources);
  const problems = rejected
    .map((setting) => ({ setting, raw: rawOf(setting.path) }))
    .filter(({ setting, raw }) => !named.has(setting.path) && (raw !== null || isWhole))
    .flatMap(({ setting, raw }) => rejectedProblems(setting, raw, originOf(setting)));
  const { ignored } = configSources;
  const unfit = relationProblems(values, rawOf).filter(({ path }) => ignored?.test(path) !== true);
  return {
    settings,
    rawOf,
    originOf,
    values,
    problems: [...sourceProblems, ...problems, ...unfit],
  };
}

/** Reads the four sources, lowest precedence first. */
function readSources({ env, configFile, args }: ConfigSources) {
  return {
    defaults: readDefaults(),
    file: configFile === undefined ? noFile : readConfigFile(configFile),
    environment: readEnvironment(env),
    args: readArguments(args),
  };
}

type Sources = ReturnType<typeof readSources>;

/**
 * Merges the sources: returns a function that gives the raw value of highest precedence by path.
 * convict guesses types by a schema's format name or default (`"15min"` becomes 15, `"no"` true),
 * and its argument parser guesses by a string's form. Therefore formats are functions, defaults are
 * null and arguments are set one by one: every value stays as it was given.
 */
function mergeSources(sources: Sources): (path: string) => unknown {
  const define = { default: null, format: () => undefined };
  const definition = mapSettings(schema, ({ key, env }) => [key, { ...define, env }]);
  const merged = convict(definition as convict.Schema<Record<string, unknown>>, {
    env: Object.fromEntries(sources.environment.texts),
    args: [],
  });
  merged.load(sources.defaults.values).load(sources.file.values);
  for (const [path, text] of sources.args.texts) merged.set(path, text);
  const above = [sources.environment.maps, sources.args.maps];
  return (path) => {
    const value: unknown = merged.get(path);
    const maps = above.flatMap((one) => Object.entries(one.get(path) ?? {}));
    return maps.length === 0 ? value : { ...(value as object | null), ...Object.fromEntries(maps) };
  };
}

function findOrigin(
  { path, env, arg }: NamedSetting,
  { args, environment, file, defaults }: Sources,
  configSources: ConfigSources,
): ValueOrigin {
  if (args.texts.has(path) || args.maps.has(path)) return { origin: 'argument', from: `--${arg}` };
  if (environment.maps.has(path)) return { origin: 'environment', from: env };
  if (environment.texts.has(env)) {
    return configSources.env[env] === undefined
      ? { origin: 'secret-file', from: `${env}_FILE` }
      : { origin: 'environment', from: env };
  }
  if (valueAt(file.values, path) !== undefined) {
    return { origin: 'file', from: maskStray(configSources.configFile ?? '') };
  }
  return (valueAt(defaults.values, path) ?? null) === null
    ? { origin: 'unset', from: '' }
    : { origin: 'default', from: defaultsPlace(path) };
}

function defaultsPlace(path: string): string {
  const name = /^streams\.(\w+)\./.exec(path)?.[1];
  return name === undefined ? 'config/default.json' : `the declaration of ${name}`;
}

function parseFields(
  rawOf: (path: string) => unknown,
  { unused = {}, nowMs = Date.now() }: ConfigSources,
) {
  const values = new Map<string, unknown>();
  const rejected: NamedSetting[] = [];
  for (const setting of settings) {
    const raw = rawOf(setting.path);
    const value = setting.format.parse(raw, nowMs);
    if (value !== undefined) values.set(setting.path, value);
    else if (raw === null && setting.path in unused) values.set(setting.path, unused[setting.path]);
    else rejected.push(setting);
  }
  return { values, rejected };
}

function rejectedProblems(
  setting: NamedSetting,
  raw: unknown,
  source: ValueOrigin,
): readonly ConfigProblem[] {
  const { path, env, format } = setting;
  const flaws = format.flawsOf?.(raw) ?? [];
  if (flaws.length > 0)
    return flaws.map(({ at, ...flaw }) => ({ path: `${path}.${at}`, env, ...flaw }));
  const received = showValue(raw, format.secret);
  const action = raw === null ? howToSet(setting) : `correct ${placeOf(setting, source)}`;
  return [{ path, env, received, expected: format.expected, action }];
}

function howToSet({ env, arg, path, format }: NamedSetting): string {
  return format.secret
    ? `set ${env}, or ${env}_FILE to the name of a file that holds it`
    : `set ${env}, --${arg} or "${path}" in the configuration file`;
}

function placeOf({ path }: NamedSetting, { origin, from }: ValueOrigin): string {
  if (origin === 'secret-file') return `the file that ${from} names`;
  if (origin === 'default') return `"${path}" in ${from}`;
  return origin === 'file' ? `"${path}" in the configuration file` : from;
}

/**
 * Returns the name of a setting in the source that sets it. One that no source sets has its name in
 * the file, which may set it while the program runs; without a file that of the variable.
 */
function nameInSource(path: string, config: ReadConfig, { configFile }: ConfigSources): string {
  const setting = config.settings.find((one) => one.path === path);
  if (setting === undefined) throw new RangeError(`no setting ${path}`);
  const source = config.originOf(setting);
  const isSet = source.origin !== 'unset' && source.origin !== 'default';
  if (isSet) return placeOf(setting, source);
  return configFile === undefined ? setting.env : placeOf(setting, { origin: 'file', from: '' });
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) deepFreeze(child as object);
  }
  return Object.freeze(value);
}
