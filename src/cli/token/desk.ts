import { streams } from '../../instagram/streams/index.ts';
import type { Config } from '../../config/config.ts';
import { openTokenService, type TokenService } from '../../instagram/tokens/service.ts';
import { systemClock } from '../../engine/clock.ts';
import { usage } from '../command.ts';

/** A token and what it is called: `default`, or its place in the list. */
export interface NamedToken {
  readonly name: string;
  readonly text: string;
}

/** The tokens of the configuration. */
export function tokensOf({ instagram }: Config): readonly NamedToken[] {
  const { accessTokens } = instagram;
  return accessTokens.map((text, index) => ({
    name: accessTokens.length === 1 ? 'default' : String(index + 1),
    text,
  }));
}

/** @throws StopProcessError `config.invalid` when there is none of the name, or several and no name */
export function wanted(all: readonly NamedToken[], name: string | undefined): NamedToken {
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

/** The commands' way to Meta. */
export function deskOf(config: Config): TokenService {
  return openTokenService({ ...config.instagram, readsPeople: readsPeople(config) }, systemClock);
}

/** True when an enabled stream reads what other people wrote. */
export function readsPeople(config: Config): boolean {
  return Object.values(streams).some(
    (stream) => stream.readsPeople && config.streams[stream.name].enabled,
  );
}

/** The file that the environment names for the tokens, whether it is there or not. */
export function tokenFileOf(env: NodeJS.ProcessEnv): string | null {
  return env['INSTAGRAM_ACCESS_TOKEN_FILE'] ?? null;
}

/** The app that tokens are made for. */
export interface OAuthApp {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * With Instagram Login the id is of no use but for a login.
 *
 * @throws StopProcessError `config.invalid` for what is not set
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

/** @throws StopProcessError `config.invalid` when nobody says which file */
export function targetOf(tokenFile: string | null, output: string | undefined): string {
  const path = output ?? tokenFile;
  if (path !== null && path !== '') return path;
  throw usage(
    'no file to write the token into: set INSTAGRAM_ACCESS_TOKEN_FILE or give --output; a token is not printed',
  );
}
