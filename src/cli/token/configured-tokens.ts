import { streams } from '../../instagram/streams/index.ts';
import type { Config } from '../../config/config.ts';
import { TokenService } from '../../instagram/tokens/service.ts';
import { systemClock } from '../../engine/clock.ts';
import { usage } from '../command.ts';

/** A token and its name: `default`, or its place in the list. */
export interface NamedToken {
  readonly name: string;
  readonly text: string;
}

/** Returns the tokens of the configuration. */
export function tokensOf({ instagram }: Config): readonly NamedToken[] {
  const { accessTokens } = instagram;
  return accessTokens.map((text, index) => ({
    name: accessTokens.length === 1 ? 'default' : String(index + 1),
    text,
  }));
}

/**
 * Returns the token of that name. @throws StopProcessError `config.invalid` when there is none, or
 * several and no name
 */
export function chooseToken(all: readonly NamedToken[], name: string | undefined): NamedToken {
  const [first] = all;
  const found = name === undefined ? undefined : all.find((one) => one.name === name);
  if (found !== undefined) return found;
  if (name === undefined && all.length === 1 && first !== undefined) return first;
  const names = all.map((one) => one.name).join(', ');
  throw usage(
    name === undefined
      ? `there are several tokens: choose one with --token ${names}`
      : `--token: expected one of ${names}`,
  );
}

/** Opens the token service for a command. */
export function tokenServiceOf(config: Config): TokenService {
  return new TokenService({ ...config.instagram, readsPeople: readsPeople(config) }, systemClock);
}

/** True when an enabled stream reads what other people wrote. */
export function readsPeople(config: Config): boolean {
  return Object.values(streams).some(
    (stream) => stream.readsPeople && config.streams[stream.name].enabled,
  );
}

/** Returns the token file that the environment names; it need not exist. */
export function tokenFileOf(env: NodeJS.ProcessEnv): string | null {
  return env['INSTAGRAM_ACCESS_TOKEN_FILE'] ?? null;
}

/** The app that tokens are issued for. */
export interface OAuthApp {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * Returns the app's id and secret. With Instagram Login only a login needs the id.
 *
 * @throws StopProcessError `config.invalid` for a missing value
 */
export function needApp({ instagram }: Config, forLogin = false): OAuthApp {
  const { clientId, clientSecret, login } = instagram;
  if (clientSecret === null) throw usage(missing('INSTAGRAM_CLIENT_SECRET', "the app's secret"));
  if (clientId === null && (forLogin || login === 'facebook')) {
    throw usage(missing('INSTAGRAM_CLIENT_ID', "the app's id"));
  }
  return { clientId: clientId ?? '', clientSecret };
}

function missing(name: string, what: string): string {
  return `${name}: got nothing, expected ${what}; it stands in the app's dashboard at https://developers.facebook.com/apps`;
}

/** @throws StopProcessError `config.invalid` when no file is named */
export function targetOf(tokenFile: string | null, output: string | undefined): string {
  const path = output ?? tokenFile;
  if (path !== null && path !== '') return path;
  throw usage(
    'no file to write the token into: set INSTAGRAM_ACCESS_TOKEN_FILE or give --output; a token is not printed',
  );
}
