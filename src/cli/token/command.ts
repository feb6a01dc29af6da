import { type Config, enabledStreams } from '../../config/config.ts';
import { systemClock } from '../../engine/clock.ts';
import type { ExitCode } from '../../engine/errors.ts';
import { streams } from '../../instagram/streams/index.ts';
import { TokenService } from '../../instagram/tokens/service.ts';
import {
  print,
  usage as usageError,
  type CommandDefinition,
  type CommandGroup,
  type Invocation,
} from '../command.ts';
import { loadCommandConfig } from '../context.ts';
import { listenForStop } from '../stop-signals.ts';
import { describeGranted, describeTokens, type ShownToken } from './text.ts';

interface TokenOptions {
  readonly token?: string;
  readonly output?: string;
}

export const tokenSettings =
  /^(?:instagram-(?!accounts|start-date|max-)|streams$|polling-shutdown)/;

const inspect: CommandDefinition = {
  usage: 'inspect',
  about:
    'show for each token whether Meta accepts it, when it expires, its accounts and its missing permissions',
  examples: ['inspect', 'inspect --token 2', 'inspect --json | jq ".[].expires_at"'],
  exits: {
    0: 'Meta accepts every token, and each has the permissions that the streams need',
    3: 'a token is rejected or lacks a permission, or Meta is unavailable',
  },
  options: [
    ['--token <name>', 'only this token: its place in the list'],
    ['--json', 'print a JSON list'],
  ],
  settings: tokenSettings,
  async run({ options, settings }: Invocation<TokenOptions>): Promise<ExitCode> {
    const config = loadCommandConfig(settings, ['token']);
    using stop = listenForStop(config.polling.shutdownGraceMs);
    const found = await inspectAll(config, options.token, stop.signal);
    print(options.json, describeTokens(found, Date.now()));
    return found.every(({ isValid, missing }) => isValid && (missing ?? []).length === 0) ? 0 : 3;
  },
};

export async function inspectAll(
  config: Config,
  name: string | undefined,
  signal: AbortSignal,
): Promise<readonly ShownToken[]> {
  const service = tokenServiceOf(config);
  const chosen = name === undefined ? tokensOf(config) : [chooseToken(config, name)];
  const file = config.instagram.accessTokenFile;
  return Promise.all(
    chosen.map(async (one) => ({
      ...(await service.inspect(one.text, file, signal)),
      name: one.name,
    })),
  );
}

function tokenCommand(usage: 'exchange' | 'refresh', about: string): CommandDefinition {
  return {
    usage,
    about,
    examples: [
      usage,
      `${usage} --token 2`,
      `${usage} --output /run/secrets/instagram-token --json`,
    ],
    exits: {
      0: 'the new token is in the file',
      2: 'bad configuration or usage, or the file cannot be written; nothing was done',
      3: 'Meta rejected the request or is unavailable; the old token is kept',
    },
    options: [
      ['--token <name>', 'the token, when there are several: its place in the list'],
      ['--output <file>', 'write the token into this file, which holds nothing else'],
      ['--json', 'print a JSON object'],
    ],
    settings: tokenSettings,
    async run({ options, settings }: Invocation<TokenOptions>): Promise<ExitCode> {
      const config = loadCommandConfig(settings, ['token']);
      const { name, text } = chooseToken(config, options.token);
      const { login, accessTokenFile } = config.instagram;
      // Instagram Login refreshes a token without the app's secret.
      if (usage === 'exchange' || login === 'facebook') needApp(config);
      const path = targetOf(accessTokenFile, options.output);
      // A separate file holds this token alone.
      const place = { path, old: path === accessTokenFile ? text : null, add: false };
      using stop = listenForStop(config.polling.shutdownGraceMs);
      const service = tokenServiceOf(config);
      const { expiresAtMs } = await service.writeTo(place, () => service[usage](text, stop.signal));
      print(options.json, describeGranted({ name, file: path, expiresAtMs }, Date.now()));
      return 0;
    },
  };
}

export const tokenCommands: CommandGroup = {
  usage: 'token',
  about: 'inspect, exchange and refresh access tokens; prints no token',
  examples: ['token inspect', 'token refresh', 'token exchange --help'],
  commands: [
    inspect,
    tokenCommand(
      'exchange',
      'exchange a short-lived token for one of sixty days, and write it into the token file (mode 0600)',
    ),
    tokenCommand(
      'refresh',
      'extend an unexpired token by sixty days, and write it into the token file (mode 0600)',
    ),
  ],
};

/** Returns the configured tokens with their names: `default`, or the place in the list. */
function tokensOf({ instagram: { accessTokens } }: Config) {
  return accessTokens.map((text, index) => ({
    name: accessTokens.length === 1 ? 'default' : String(index + 1),
    text,
  }));
}

/** @throws StopProcessError `config.invalid` when no token has the name, or several have none */
function chooseToken(config: Config, name: string | undefined) {
  const all = tokensOf(config);
  const [only, ...others] = all;
  const unnamed = others.length === 0 ? only : undefined;
  const found = name === undefined ? unnamed : all.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = all.map((one) => one.name).join(', ');
  throw usageError(
    name === undefined
      ? `there are several tokens: choose one with --token ${names}`
      : `--token: expected one of ${names}`,
  );
}

export function tokenServiceOf(config: Config): TokenService {
  return new TokenService({ ...config.instagram, readsPeople: readsPeople(config) }, systemClock);
}

/** True when an enabled stream reads what other people wrote. */
export function readsPeople(config: Config): boolean {
  return enabledStreams(config).some((name) => streams[name].readsPeople);
}

/**
 * Returns the id and secret of the app that tokens are issued for. With Instagram Login only a
 * login needs the id.
 * @throws StopProcessError `config.invalid` for a missing value
 */
export function needApp({ instagram }: Config, forLogin = false) {
  const { clientId, clientSecret, login } = instagram;
  const needsId = forLogin || login === 'facebook';
  const absent = [
    ...(clientId === null && needsId
      ? ["INSTAGRAM_CLIENT_ID: got nothing, expected the app's id"]
      : []),
    ...(clientSecret === null
      ? ["INSTAGRAM_CLIENT_SECRET: got nothing, expected the app's secret"]
      : []),
  ];
  if (clientSecret === null || absent.length > 0) {
    const place = "see the app's dashboard at https://developers.facebook.com/apps";
    throw usageError([...absent, place].join('; '));
  }
  return { clientId: clientId ?? '', clientSecret };
}

/** @throws StopProcessError `config.invalid` when no file is named */
export function targetOf(tokenFile: string | null, output: string | undefined): string {
  const path = output ?? tokenFile;
  if (path !== null && path !== '') return path;
  throw usageError(
    'no file to write the token into: set INSTAGRAM_ACCESS_TOKEN_FILE or give --output; a token is not printed',
  );
}
