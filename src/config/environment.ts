import { type ConfigProblem, unknownName } from './config-error.ts';
import { type Entries, isOfEntry, readPairs, readVariables } from './entries.ts';
import type { NamedSetting } from './setting.ts';
import { editDistance } from '../engine/nearest-name.ts';
import { settings } from './schema.ts';
import { readTextFile } from './text-file.ts';

/** Raw strings by the environment variable's name or the field's path. */
interface Texts {
  readonly texts: ReadonlyMap<string, string>;
  /** The entries of maps by the field's path. */
  readonly maps: ReadonlyMap<string, Entries>;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads the known variables, including secrets from their `_FILE`, and reports unknown variables
 * with this program's prefixes.
 */
export function readEnvironment(env: NodeJS.ProcessEnv): Texts {
  const texts = new Map<string, string>();
  const maps = new Map<string, Entries>();
  const problems: ConfigProblem[] = [];
  for (const setting of settings) {
    const read = readVariables(setting, env);
    if (read !== undefined) {
      maps.set(setting.path, read.entries);
      for (const problem of read.problems) problems.push(problem);
      continue;
    }
    const text = env[setting.env];
    if (text !== undefined) texts.set(setting.env, text);
    if (setting.format.secret) {
      const secret = readSecretFile(setting, env);
      if (typeof secret === 'string') texts.set(setting.env, secret);
      else if (secret !== undefined) problems.push(secret);
    }
  }
  const unknown = unrecognizedVariables(env)
    .filter((name) => ownPrefixes.test(name))
    .map((name) => unknownName('name', name, 'an unknown environment variable', knownVariables));
  return { texts, maps, problems: [...problems, ...unknown] };
}

function readSecretFile(
  setting: NamedSetting,
  env: NodeJS.ProcessEnv,
): string | ConfigProblem | undefined {
  const name = `${setting.env}_FILE`;
  const file = env[name];
  if (file === undefined) return undefined;
  // The file's name is not shown, because it may be a secret that was set here by mistake.
  const problemWith = (
    received: string,
    action: string,
    expected = `${setting.format.expected}, alone in a file that ${name} names`,
  ): ConfigProblem => ({ path: setting.path, env: name, received, expected, action });
  if (env[setting.env] !== undefined) {
    const received = `both ${setting.env} and ${name}`;
    return problemWith(received, 'remove one of the two', 'one of the two');
  }
  const content = readTextFile(file);
  if (!content.ok) {
    const received = `a file that cannot be read (${content.reason})`;
    return problemWith(received, 'correct the path or the permissions of the file');
  }
  const secret = content.text.replace(/\r?\n$/, '');
  return secret === '' ? problemWith('an empty file', 'write the secret into the file') : secret;
}

const ownPrefixes = /^(?:INSTAGRAM|KAFKA|SCHEMA_REGISTRY|STREAM|POLLING|NOTIFICATIONS)_/;
// Kubernetes sets these variables for each service of the namespace, and a service may be named
// "kafka".
const serviceLink =
  /_SERVICE_HOST$|_SERVICE_PORT(?:_\w+)?$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/;

// Variables of Kafka's own scripts and images.
const kafkaScripts = /^KAFKA_(?:HOME|VERSION|DEBUG|MODE|\w*OPTS)$/;

const knownVariables = settings.flatMap(({ env, format }) =>
  format.secret ? [env, `${env}_FILE`] : [env],
);

const maps = settings.filter(({ format }) => format.entries !== undefined);

/** The variables of neither this program nor Kubernetes or Kafka's scripts. */
function unrecognizedVariables(env: NodeJS.ProcessEnv): readonly string[] {
  return Object.entries(env)
    .filter(([name, value]) => !isServiceLink(name, value ?? '') && !kafkaScripts.test(name))
    .map(([name]) => name)
    .filter((name) => !knownVariables.includes(name))
    .filter((name) => !maps.some((setting) => isOfEntry(setting, name)));
}

function isServiceLink(name: string, value: string): boolean {
  return serviceLink.test(name) || (name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(value));
}

/** An unknown variable and the similar known one. */
export interface NearMiss {
  readonly name: string;
  readonly nearest: string;
}

/** In shorter names, a difference of two letters usually means another program's variable. */
const shortName = 10;

/**
 * Finds variables that differ from a known one by a letter or two, or that extend a known one-word
 * variable (STREAMS_MEDIA). They lack this program's prefixes, so they are ignored, not rejected;
 * the caller logs a warning.
 */
export function listNearMisses(env: NodeJS.ProcessEnv): readonly NearMiss[] {
  const isNear = (name: string, one: string): boolean =>
    editDistance(name, one) <= (one.length < shortName ? 1 : 2) ||
    (!one.includes('_') && name.startsWith(`${one}_`));
  return unrecognizedVariables(env)
    .filter((name) => !ownPrefixes.test(name) && !name.startsWith('HTTPS_'))
    .flatMap((name) => {
      const [nearest] = knownVariables
        .filter((one) => isNear(name, one))
        .sort((a, b) => editDistance(name, a) - editDistance(name, b));
      return nearest === undefined ? [] : [{ name, nearest }];
    });
}

/**
 * Reads the arguments, by the path of the field that each sets.
 * @param args - values by the argument's name without its dashes, such as `kafka-brokers`
 */
export function readArguments(args: Readonly<Record<string, string>>): Texts {
  const texts = new Map<string, string>();
  const maps = new Map<string, Entries>();
  const problems: ConfigProblem[] = [];
  for (const [name, text] of Object.entries(args)) {
    const setting = settings.find((candidate) => candidate.arg === name);
    if (setting === undefined) {
      const known = settings.map((candidate) => `--${candidate.arg}`);
      problems.push(unknownName('name', `--${name}`, 'an unknown argument', known));
    } else if (setting.format.entries === undefined) texts.set(setting.path, text);
    else {
      const read = readPairs(setting, text);
      maps.set(setting.path, read.entries);
      for (const problem of read.problems) problems.push(problem);
    }
  }
  return { texts, maps, problems };
}
