import type { Config } from '../../config/config.ts';
import type { ExitCode } from '../../engine/errors.ts';
import type { Granted } from '../../instagram/api/oauth.ts';
import type { TokenService } from '../../instagram/tokens/service.ts';
import {
  option,
  print,
  stoppable,
  type CommandDefinition,
  type CommandGroup,
  type Invocation,
} from '../command.ts';
import { loadCommandConfig } from '../load.ts';
import { listenForStop } from '../stop-signals.ts';
import {
  tokenServiceOf,
  needApp,
  targetOf,
  tokensOf,
  chooseToken,
  type NamedToken,
} from './configured-tokens.ts';
import {
  describeGranted,
  describeTokens,
  grantedJson,
  tokensJson,
  type ShownToken,
} from './text.ts';

interface TokenOptions {
  readonly token?: string;
  readonly output?: string;
}

/** Pattern of the settings of the commands about tokens. */
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
    ...stoppable,
  },
  options: [
    option('--token <name>', 'only this token: its place in the list'),
    option('--json', 'print a JSON list'),
  ],
  settings: tokenSettings,
  async run({ options, settings }: Invocation<TokenOptions>): Promise<ExitCode> {
    const config = loadCommandConfig(settings, ['token']);
    using stop = listenForStop(config.polling.shutdownGraceMs);
    const found = await inspectAll(config, options.token, stop.signal);
    print(options.json, {
      text: () => describeTokens(found, Date.now()),
      json: () => tokensJson(found),
    });
    return found.every(({ isValid, missing }) => isValid && (missing ?? []).length === 0) ? 0 : 3;
  },
};

/** Returns the inspection result of each token. */
export async function inspectAll(
  config: Config,
  name: string | undefined,
  signal: AbortSignal,
): Promise<readonly ShownToken[]> {
  const service = tokenServiceOf(config);
  const all = tokensOf(config);
  const chosen = name === undefined ? all : [chooseToken(all, name)];
  const file = config.instagram.accessTokenFile;
  return Promise.all(
    chosen.map(async (one) => ({
      ...(await service.inspect(one.text, file, signal)),
      name: one.name,
    })),
  );
}

interface TokenCommand {
  readonly usage: string;
  readonly about: string;
  readonly needs: 'secret' | 'secret of Facebook Login';
  readonly make: (service: TokenService, one: NamedToken, signal: AbortSignal) => Promise<Granted>;
}

function tokenCommand({ usage, about, needs, make }: TokenCommand): CommandDefinition {
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
      3: 'Meta refused or is unavailable; the old token is kept',
      ...stoppable,
    },
    options: [
      option('--token <name>', 'the token, when there are several: its place in the list'),
      option('--output <file>', 'write the token into this file, which holds nothing else'),
      option('--json', 'print a JSON object'),
    ],
    settings: tokenSettings,
    async run({ options, settings }: Invocation<TokenOptions>): Promise<ExitCode> {
      const config = loadCommandConfig(settings, ['token']);
      const one = chooseToken(tokensOf(config), options.token);
      if (needs === 'secret' || config.instagram.login === 'facebook') needApp(config);
      const place = placeOf(config, one, options.output);
      using stop = listenForStop(config.polling.shutdownGraceMs);
      const service = tokenServiceOf(config);
      const { expiresAtMs } = await service.writeTo(place, () => make(service, one, stop.signal));
      const written = { name: one.name, file: place.path, expiresAtMs };
      print(options.json, {
        text: () => describeGranted(written, Date.now()),
        json: () => grantedJson(written),
      });
      return 0;
    },
  };
}

/** Returns the token's place: its own in the token file, or a separate file. */
function placeOf(config: Config, one: NamedToken, output: string | undefined) {
  const path = targetOf(config.instagram.accessTokenFile, output);
  const isOwn = path === config.instagram.accessTokenFile;
  return { path, old: isOwn ? one.text : null, add: false };
}

/** The `token` command and its subcommands. */
export const tokenCommands: CommandGroup = {
  usage: 'token',
  about: 'inspect, exchange and refresh access tokens; prints no token',
  examples: ['token inspect', 'token refresh', 'token exchange --help'],
  commands: [
    inspect,
    tokenCommand({
      usage: 'exchange',
      about:
        'exchange a short-lived token for one of sixty days, and write it into the token file (mode 0600)',
      needs: 'secret',
      make: (service, one, signal) => service.exchange(one.text, signal),
    }),
    tokenCommand({
      usage: 'refresh',
      about:
        'extend an unexpired token by sixty days, and write it into the token file (mode 0600)',
      needs: 'secret of Facebook Login',
      make: (service, one, signal) => service.refresh(one.text, signal),
    }),
  ],
};
