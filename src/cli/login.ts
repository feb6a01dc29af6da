import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseTokens } from '../config/named-formats.ts';
import { readTextFile } from '../config/text-file.ts';
import type { Config } from '../config/config.ts';
import { StopProcessError, type ExitCode } from '../engine/errors.ts';
import { beginLogin, type BegunLogin } from '../instagram/api/login.ts';
import { neededPermissions } from '../instagram/token-advice.ts';
import type { TokenPlace } from '../instagram/tokens/service.ts';
import {
  option,
  print,
  seconds,
  stoppable,
  usage,
  type CommandDefinition,
  type Invocation,
} from './command.ts';
import { loadCommandConfig } from './load.ts';
import { receive, type LoginResult, type Receiver, type PendingLogin } from './login-answer.ts';
import { isLocal, listenForRedirect } from './redirect-listener.ts';
import { listenForStop } from './stop-signals.ts';
import { tokenSettings } from './token/command.ts';
import {
  tokenServiceOf,
  needApp,
  readsPeople,
  targetOf,
  tokenFileOf,
} from './token/configured-tokens.ts';
import { describeLogin, loginJson } from './token/text.ts';

interface LoginOptions {
  readonly output?: string;
  readonly token?: string;
  readonly add?: boolean;
  readonly timeout?: number;
  readonly open: boolean;
}

/** The `login` command: obtains a token through a person's consent, without a manual copy. */
export const loginCommand: CommandDefinition = {
  usage: 'login',
  about:
    'let a person log in at Meta and consent, and write the token of sixty days into the token file (mode 0600)',
  examples: [
    'login --output ./token',
    'login --instagram-login instagram --instagram-redirect-uri https://example.org/done',
    'login --add --timeout 600',
  ],
  exits: {
    0: 'the token is in the file',
    2: 'bad configuration or usage, the port is taken, or the file cannot be written',
    3: 'the person refused or did not return in time, or Meta refused or is unavailable',
    ...stoppable,
  },
  options: [
    option(
      '--output <file>',
      'write the token into this file, instead of INSTAGRAM_ACCESS_TOKEN_FILE',
    ),
    option('--token <number>', 'the token to replace, when the file holds several: its place'),
    option('--add', 'add the token to those in the file'),
    option('--timeout <seconds>', 'how long to wait for the person (300)', seconds('--timeout')),
    option('--no-open', 'print the address and open no browser'),
    option('--json', 'print a JSON object'),
  ],
  settings: tokenSettings,
  async run({ options, settings }: Invocation<LoginOptions>): Promise<ExitCode> {
    // The token's target file may be absent.
    const env = { ...process.env, INSTAGRAM_ACCESS_TOKEN_FILE: undefined };
    const config = loadCommandConfig(settings, [], env);
    using stop = listenForStop(config.polling.shutdownGraceMs);
    const written = await logIn(config, options, stop.signal);
    print(options.json, {
      text: () => describeLogin(written, Date.now()),
      json: () => loginJson(written),
    });
    return 0;
  },
};

async function logIn(config: Config, options: LoginOptions, signal: AbortSignal) {
  const app = needApp(config, true);
  const place = placeOf(options);
  const { timeout: waitS = 300 } = options;
  const { instagram } = config;
  const scope = scopeOf(config);
  const { redirectUri } = instagram;
  const begun = beginLogin(instagram, { clientId: app.clientId, redirectUri, scope });
  const service = tokenServiceOf(config);
  const redeem = (code: string) =>
    service.writeTo(place, () =>
      service.redeem({ ...app, redirectUri, code, codeVerifier: begun.codeVerifier }, signal),
    );
  const late = AbortSignal.timeout(waitS * 1000);
  const pending: PendingLogin = {
    state: begun.state,
    redeem,
    signal: AbortSignal.any([signal, late]),
  };
  try {
    const granted = await awaitRedirect(new URL(redirectUri), begun, { pending, options });
    const { accessToken, expiresAtMs } = granted;
    const { accounts, missing } = await service.inspect(accessToken, place.path, signal);
    return { name: 'default', file: place.path, expiresAtMs, accounts, missing: missing ?? [] };
  } catch (error) {
    signal.throwIfAborted();
    if (!late.aborted) throw error;
    throw new StopProcessError(
      'graph.token',
      `nobody came back from the login within ${waitS} s: run it again, with a longer --timeout if need be`,
    );
  }
}

/** Waits for the browser's redirect to this machine, or for its address on standard input. */
async function awaitRedirect(
  redirectUri: URL,
  { url }: BegunLogin,
  { pending, options }: { readonly pending: PendingLogin; readonly options: LoginOptions },
): Promise<LoginResult> {
  const receiver = receive(pending);
  const { promise, onAddress } = receiver;
  if (isLocal(redirectUri)) {
    const listener = await listenForRedirect(redirectUri, onAddress);
    try {
      say(`Log in and consent at this address:\n\n${url}\n`);
      if (options.open && process.stderr.isTTY) openBrowser(url);
      return await promise;
    } finally {
      await listener[Symbol.asyncDispose]();
    }
  }
  say(`Log in and consent at this address:\n\n${url}\n`);
  say('Then paste the address that the browser was led to, and press Enter:');
  const lines = createInterface({ input: process.stdin, terminal: false });
  lines.on('line', (line) => {
    const address = URL.parse(line.trim());
    if (address === null) say('That is no address: paste all of it, from https:// on.');
    else void takePasted(address, onAddress);
  });
  lines.on('close', () => {
    receiver.giveUp('the input ended before an address came');
  });
  try {
    return await promise;
  } finally {
    lines.close();
    process.stdin.destroy();
  }
}

async function takePasted(address: URL, onAddress: Receiver['onAddress']): Promise<void> {
  const page = await onAddress(address);
  if (page === undefined) {
    say('That address holds no answer to the login: paste the one that the browser was led to.');
  } else if (page.isIgnored === true) {
    say('That address answers another login: paste the one that followed from the address above.');
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A machine without a browser has the printed address. */
function openBrowser(url: string): void {
  const commands: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
    darwin: ['open'],
    win32: ['rundll32', 'url.dll,FileProtocolHandler'],
  };
  const [command, ...args] = commands[process.platform] ?? ['xdg-open'];
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}

function scopeOf(config: Config): readonly string[] {
  const { login, scope } = config.instagram;
  return scope.length > 0 ? scope : neededPermissions({ login, readsPeople: readsPeople(config) });
}

/**
 * Returns the token's place; one of several tokens in a file is replaced only by an explicit
 * choice.
 */
function placeOf(options: LoginOptions): TokenPlace {
  const path = targetOf(tokenFileOf(process.env), options.output);
  const { add = false, token: number } = options;
  const content = readTextFile(path);
  const tokens = (content.ok ? parseTokens(content.text) : undefined) ?? [];
  if (add || (number === undefined && tokens.length <= 1)) return { path, old: null, add };
  const old = tokens[Number(number) - 1];
  if (old !== undefined) return { path, old, add };
  throw usage(
    number === undefined
      ? `the file holds ${tokens.length} tokens: say with --token 1 to ${tokens.length} which one to replace, or --add`
      : `--token: expected a place in the file, which holds ${tokens.length} tokens`,
  );
}
