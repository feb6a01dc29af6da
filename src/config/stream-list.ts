import type { Login } from '../engine/account.ts';
import { streams } from '../instagram/streams/index.ts';
import { type InstagramStream, optInMetrics } from '../instagram/streams/stream.ts';
import type { ConfigProblem } from './config-error.ts';

type Declarations = Readonly<Record<string, Pick<InstagramStream, 'isDefault' | 'logins'>>>;

/**
 * Returns the names that a list of streams stands for: `default`, or an empty list, for the default
 * streams, `all` for every stream. Both include only streams that the login supports; a stream
 * listed by name is always included.
 */
export function chosenStreams(
  words: readonly string[],
  login: Login,
  declared: Declarations = streams,
): readonly string[] {
  const withDefaults = words.length === 0 || words.includes('default');
  return Object.entries(declared).flatMap(([name, { isDefault, logins }]) => {
    const isMeant = words.includes('all') || (withDefaults && isDefault);
    return words.includes(name) || (isMeant && logins.includes(login)) ? [name] : [];
  });
}

/** Returns those of the named streams that this login does not support. */
export function unsupportedStreams(
  words: readonly string[],
  login: Login,
  declared: Declarations = streams,
): readonly string[] {
  return words.filter((name) => declared[name]?.logins.includes(login) === false);
}

/** The problems of opt-in metrics that the login's API does not have. */
export function extraProblems(
  values: ReadonlyMap<string, unknown>,
): readonly Omit<ConfigProblem, 'env'>[] {
  // A rejected login is missing here; it is reported already.
  const login = values.get('instagram.login') as Login | undefined;
  return Object.values(streams).flatMap((stream) => {
    const path = `streams.${stream.name}.extra`;
    const extra = (values.get(path) ?? []) as readonly string[];
    const optIn = optInMetrics(stream);
    const isSupported = (field: string): boolean =>
      login === undefined || (optIn.get(field)?.login ?? login) === login;
    const unsupported = extra.filter((field) => !isSupported(field));
    return unsupported.map((received) => ({
      path,
      received,
      expected: `metrics that the API has for INSTAGRAM_LOGIN=${String(login)}`,
      action: `remove it from STREAM_${stream.name.toUpperCase()}_EXTRA`,
    }));
  });
}
