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
  type Given,
} from '../command.ts';
import { loadCommandConfig } from '../load.ts';
import { listenForStop } from '../stop-signals.ts';
import { deskOf, needApp, targetOf, tokensOf, wanted, type NamedToken } from './desk.ts';
import {
  describeGranted,
  describeTokens,
  grantedJson,
  tokensJson,
  type ShownToken,
} from './text.ts';

interface Options {
  readonly token?: string;
  readonly output?: string;
}

/** Which settings the commands about tokens take. */
export const tokenSettings =
  /^(?:instagram-(?!accounts|start-date|max-)|streams$|polling-shutdown)/;

const inspect: CommandDefinition = {
  usage: 'inspect',
  about: 'say of each token whether it is taken, when it ends, what it reaches and what it lacks',
  examples: ['inspect', 'inspect --token 2', 'inspect --json | jq ".[].expires_at"'],
  exits: {
    0: 'every token is taken and has the permissions that the streams need',
    3: 'a token is refused or lacks a permission, or Meta is away',
    ...stoppable,
  },
  options: [
    option('--token <name>', 'only this one: its place in the list'),
    option('--json', 'print a JSON list'),
  ],
  settings: tokenSettings,
  async run({ options, settings }: Given<Options>): Promise<ExitCode> {
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

/** What is known of each token. */
export async function inspectAll(
  config: Config,
  name: string | undefined,
  signal: AbortSignal,
): Promise<readonly ShownToken[]> {
  const controlHandler = deskOf(config);
  const all = tokensOf(config);
  const chosen = name === undefined ? all : [wanted(all, name)];
  const file = config.instagram.accessTokenFile;
  return Promise.all(
    chosen.map(async (one) => ({
      ...(await controlHandler.inspect(one.text, file, signal)),
      name: one.name,
    })),
  );
}

interface Making {
  readonly usage: string;
  readonly about: string;
  readonly needs: 'secret' | 'secret of Facebook Login';
  readonly make: (
    controlHandler: TokenService,
    one: NamedToken,
    signal: AbortSignal,
  ) => Promise<Granted>;
}

function making({ usage, about, needs, make }: Making): CommandDefinition {
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
      3: 'Meta refused or is away; the old token stays',
      ...stoppable,
    },
    options: [
      option('--token <name>', 'which one of several: its place in the list'),
      option('--output <file>', 'write it there, and nothing else into that file'),
      option('--json', 'print a JSON object'),
    ],
    settings: tokenSettings,
    async run({ options, settings }: Given<Options>): Promise<ExitCode> {
      const config = loadCommandConfig(settings, ['token']);
      const one = wanted(tokensOf(config), options.token);
      if (needs === 'secret' || config.instagram.login === 'facebook') needApp(config);
      const place = placeOf(config, one, options.output);
      using stop = listenForStop(config.polling.shutdownGraceMs);
      const controlHandler = deskOf(config);
      const { expiresAtMs } = await controlHandler.writeTo(place, () =>
        make(controlHandler, one, stop.signal),
      );
      const written = { name: one.name, file: place.path, expiresAtMs };
      print(options.json, {
        text: () => describeGranted(written, Date.now()),
        json: () => grantedJson(written),
      });
      return 0;
    },
  };
}

/** Its own place in the token file, or a file for it alone. */
function placeOf(config: Config, one: NamedToken, output: string | undefined) {
  const path = targetOf(config.instagram.accessTokenFile, output);
  const isOwn = path === config.instagram.accessTokenFile;
  return { path, old: isOwn ? one.text : null, add: false };
}

/** `token` and its commands. */
export const tokenCommands: CommandGroup = {
  usage: 'token',
  about: 'tell of the tokens, and put longer ones in their place; prints no token',
  examples: ['token inspect', 'token refresh', 'token exchange --help'],
  commands: [
    inspect,
    making({
      usage: 'exchange',
      about:
        'exchange a short-lived token for one of sixty days, and write it into the token file (mode 0600)',
      needs: 'secret',
      make: (controlHandler, one, signal) => controlHandler.exchange(one.text, signal),
    }),
    making({
      usage: 'refresh',
      about:
        'give a token that has not ended another sixty days, and write it into the token file (mode 0600)',
      needs: 'secret of Facebook Login',
      make: (controlHandler, one, signal) => controlHandler.refresh(one.text, signal),
    }),
  ],
};
