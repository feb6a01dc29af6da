import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import type { ExitCode } from '../../core/errors.ts';
import type { Granted } from '../../instagram/oauth.ts';
import type { TokenDesk } from '../../instagram/token-desk.ts';
import type { Exits } from '../exit-codes.ts';
import { stoppable } from '../exit-codes.ts';
import { loadCommandConfig } from '../load.ts';
import type { Options } from '../own-options.ts';
import { addCommandGroup, addOwnCommand, settingsOf } from '../own-options.ts';
import { listenForStop } from '../stop-signals.ts';
import type { NamedToken } from './desk.ts';
import { deskOf, needApp, targetOf, tokensOf, wanted } from './desk.ts';
import { describeGranted, describeTokens } from './text.ts';
import type { ShownToken } from './text.ts';

const own = ['json', 'token', 'output'];
/** Which settings the commands about tokens take. */
export const tokenSettings =
  /^(?:instagram-(?!accounts|start-date|max-)|streams$|polling-shutdown)/;

/** Adds `token` and its commands. */
export function addTokenCommand(root: Command, end: (code: ExitCode) => void): void {
  const token = addCommandGroup(root, {
    usage: 'token',
    about: 'tell of the tokens, and put longer ones in their place; prints no token',
    examples: ['token inspect', 'token refresh', 'token exchange --help'],
  });
  addInspect(token, end);
  addMaking(token, end, {
    usage: 'exchange',
    about:
      'exchange a short-lived token for one of sixty days, and write it into the token file (mode 0600)',
    needs: 'secret',
    make: (desk, one, signal) => desk.exchange(one.text, signal),
  });
  addMaking(token, end, {
    usage: 'refresh',
    about:
      'give a token that has not ended another sixty days, and write it into the token file (mode 0600)',
    needs: 'secret of Facebook Login',
    make: (desk, one, signal) => desk.refresh(one.text, signal),
  });
}

function addInspect(group: Command, end: (code: ExitCode) => void): void {
  addOwnCommand(group, {
    usage: 'inspect',
    about: 'say of each token whether it is taken, when it ends, what it reaches and what it lacks',
    examples: ['inspect', 'inspect --token 2', 'inspect --json | jq ".[].expires_at"'],
    exits: {
      0: 'every token is taken and has the permissions that the streams need',
      3: 'a token is refused or lacks a permission, or Meta is away',
      ...stoppable,
    },
    options: (command) =>
      command
        .option('--token <name>', 'only this one: its place in the list')
        .option('--json', 'print a JSON list'),
    settings: tokenSettings,
  }).action(async (options: Options) => {
    const config = loadCommandConfig(settingsOf(options, own), ['token']);
    using stop = listenForStop(config.polling.shutdownGraceMs);
    const found = await inspectAll(config, options['token'], stop.signal);
    process.stdout.write(
      describeTokens(found, { json: options['json'] === true, nowMs: Date.now() }),
    );
    const isRight = found.every(({ isValid, missing }) => isValid && (missing ?? []).length === 0);
    end(isRight ? 0 : 3);
  });
}

/** What is known of each token. */
export async function inspectAll(
  config: Config,
  name: Options[string],
  signal: AbortSignal,
): Promise<readonly ShownToken[]> {
  const desk = deskOf(config);
  const all = tokensOf(config);
  const chosen = name === undefined ? all : [wanted(all, name)];
  const file = config.instagram.accessTokenFile;
  return Promise.all(
    chosen.map(async (one) => ({
      ...(await desk.inspect(one.text, file, signal)),
      name: one.name,
    })),
  );
}

interface Making {
  readonly usage: string;
  readonly about: string;
  readonly needs: 'secret' | 'secret of Facebook Login';
  readonly make: (desk: TokenDesk, one: NamedToken, signal: AbortSignal) => Promise<Granted>;
}

const makingExits: Exits = {
  0: 'the new token is in the file',
  2: 'bad configuration or usage, or the file cannot be written; nothing was done',
  3: 'Meta refused or is away; the old token stays',
  ...stoppable,
};

function addMaking(
  group: Command,
  end: (code: ExitCode) => void,
  { usage, about, needs, make }: Making,
): void {
  addOwnCommand(group, {
    usage,
    about,
    examples: [
      usage,
      `${usage} --token 2`,
      `${usage} --output /run/secrets/instagram-token --json`,
    ],
    exits: makingExits,
    options: (command) =>
      command
        .option('--token <name>', 'which one of several: its place in the list')
        .option('--output <file>', 'write it there, and nothing else into that file')
        .option('--json', 'print a JSON object'),
    settings: tokenSettings,
  }).action(async (options: Options) => {
    const config = loadCommandConfig(settingsOf(options, own), ['token']);
    const one = wanted(tokensOf(config), options['token']);
    if (needs === 'secret' || config.instagram.login === 'facebook') needApp(config);
    const place = placeOf(config, one, options['output']);
    using stop = listenForStop(config.polling.shutdownGraceMs);
    const desk = deskOf(config);
    const granted = await desk.writeTo(place, () => make(desk, one, stop.signal));
    const { expiresAtMs } = granted;
    const facts = { name: one.name, file: place.path, expiresAtMs };
    const shown = { json: options['json'] === true, nowMs: Date.now() };
    process.stdout.write(describeGranted(facts, shown));
    end(0);
  });
}

/** Its own place in the token file, or a file for it alone. */
function placeOf(config: Config, one: NamedToken, output: Options[string]) {
  const path = targetOf(config.instagram.accessTokenFile, output);
  const isOwn = path === config.instagram.accessTokenFile;
  return { path, old: isOwn ? one.text : null, add: false };
}
