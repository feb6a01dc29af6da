import type { Problem } from './config-error.ts';
import type { PlacedLeaf } from './leaf.ts';
import { nearestName } from './nearest-name.ts';
import { redact } from './redaction.ts';
import { readTextFile } from './text-file.ts';

/** Texts by name: of the environment variable, or of the field that an argument sets. */
export interface Texts {
  readonly texts: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/**
 * The known variables, secrets out of their `_FILE` included, and what is wrong with the others that
 * begin like ours.
 */
export function readEnvironment(env: NodeJS.ProcessEnv, leaves: readonly PlacedLeaf[]): Texts {
  const texts = new Map<string, string>();
  const problems: Problem[] = [];
  for (const leaf of leaves) {
    const text = env[leaf.env];
    if (text !== undefined) texts.set(leaf.env, text);
    if (leaf.format.secret) {
      const secret = readSecretFile(leaf, env);
      if (typeof secret === 'string') texts.set(leaf.env, secret);
      else if (secret !== undefined) problems.push(secret);
    }
  }
  return { texts, problems: [...problems, ...unknownVariables(env, leaves)] };
}

function readSecretFile(leaf: PlacedLeaf, env: NodeJS.ProcessEnv): string | Problem | undefined {
  const name = `${leaf.env}_FILE`;
  const file = env[name];
  if (file === undefined) return undefined;
  // The file's name is not shown: a secret set here by mistake would be.
  const refuse = (came: string, action: string): Problem => {
    const expected = `${leaf.format.expected}, alone in a file that ${name} names`;
    return { path: leaf.path, env: name, came, expected, action };
  };
  if (env[leaf.env] !== undefined) {
    return refuse(`both ${leaf.env} and ${name}`, 'set one of the two');
  }
  const content = readTextFile(file);
  if (!content.ok) {
    const came = `a file that cannot be read (${content.reason})`;
    return refuse(came, 'correct the path or the rights of the file');
  }
  const secret = content.text.replace(/\r?\n$/, '');
  return secret === '' ? refuse('an empty file', 'write the secret into the file') : secret;
}

const ownPrefixes = /^(?:INSTAGRAM|KAFKA|SCHEMA_REGISTRY|STREAM|POLLING)_/;
// Kubernetes sets these for every service of the namespace, and one is likely to be called "kafka".
const serviceLink =
  /_SERVICE_HOST$|_SERVICE_PORT(?:_\w+)?$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/;

function isServiceLink(name: string, value: string): boolean {
  return serviceLink.test(name) || (name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(value));
}

function unknownVariables(
  env: NodeJS.ProcessEnv,
  leaves: readonly PlacedLeaf[],
): readonly Problem[] {
  const known = leaves.flatMap((leaf) =>
    leaf.format.secret ? [leaf.env, `${leaf.env}_FILE`] : [leaf.env],
  );
  return Object.entries(env)
    .filter(([name, value]) => ownPrefixes.test(name) && !isServiceLink(name, value ?? ''))
    .filter(([name]) => !known.includes(name))
    .map(([name]) => unknownName(name, 'environment variable', known));
}

/**
 * What the arguments say, by the path of the field that each sets.
 *
 * @param args - values by the argument's name without its dashes, as `kafka-brokers`
 */
export function readArguments(
  args: Readonly<Record<string, string>>,
  leaves: readonly PlacedLeaf[],
): Texts {
  const texts = new Map<string, string>();
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(args)) {
    const leaf = leaves.find((candidate) => candidate.arg === name);
    if (leaf === undefined) {
      const known = leaves.map((candidate) => `--${candidate.arg}`);
      problems.push(unknownName(`--${name}`, 'argument', known));
    } else texts.set(leaf.path, text);
  }
  return { texts, problems };
}

function unknownName(name: string, kind: string, known: readonly string[]): Problem {
  const nearest = nearestName(name, known);
  const meant = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  return {
    path: redact(name),
    env: null,
    came: `an unknown ${kind}`,
    expected: 'a name of docs/configuration.md',
    action: `remove or correct it${meant}`,
  };
}
