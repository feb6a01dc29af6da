import type { Login } from '../engine/account.ts';
import { streams } from '../instagram/streams/index.ts';
import type { InstagramStream } from '../instagram/streams/stream.ts';

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
