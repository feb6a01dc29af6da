import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseTokens } from '../config/named-formats.ts';
import { readTextFile } from '../config/text-file.ts';
import type { Config } from '../config/config.ts';
import { StopProcessError, type ExitCode } from '../engine/errors.ts';
import { beginLogin, readAnswer, type BegunLogin } from '../instagram/api/login.ts';
import type { Granted } from '../instagram/api/oauth.ts';
import { neededPermissions } from '../instagram/token-advice.ts';
import type { TokenPlace } from '../instagram/tokens/service.ts';
import {
  describeError,
  parseCount,
  print,
  usage,
  type CommandDefinition,
  type Invocation,
} from './command.ts';
import { loadCommandConfig } from './context.ts';
import {
  isLocal,
  listenForRedirect,
  type BrowserPage,
  type OnAuthorizationResponse,
} from './redirect-listener.ts';
import { listenForStop } from './stop-signals.ts';
import { needApp, readsPeople, targetOf, tokenServiceOf, tokenSettings } from './token/command.ts';
import { describeLogin } from './token/text.ts';

interface LoginOptions {
  readonly output?: string;
  readonly token?: string;
  readonly add?: boolean;
  readonly timeout?: number;
  readonly configId?: string;
  readonly open: boolean;
}

export const loginCommand: CommandDefinition = {
  usage: 'login',
  about:
    'let a person log in at Meta and consent, and write the long-lived token into the token file (mode 0600)',
  examples: [
    'login --output ./token',
    'login --instagram-login instagram --instagram-redirect-uri https://example.org/done',
    'login --add --timeout 600',
    'login --config-id 1234567890 --output ./token',
  ],
  exits: {
    0: 'the token is in the file',
    2: 'bad configuration or usage, the port is taken, or the file cannot be written',
    3: 'the person denied the login or did not return in time, or Meta rejected it or is unavailable',
  },
  options: [
    ['--output <file>', 'write the token into this file, instead of INSTAGRAM_ACCESS_TOKEN_FILE'],
    ['--token <number>', 'the token to replace, when the file holds several: its place'],
    ['--add', 'add the token to those in the file'],
    ['--timeout <seconds>', 'how long to wait for the person (300)', timeoutS],
    [
      '--config-id <id>',
      'the configuration of Facebook Login for Business (INSTAGRAM_LOGIN_CONFIG_ID)',
    ],
    ['--no-open', 'print the address and open no browser'],
    ['--json', 'print a JSON object'],
  ],
  settings: tokenSettings,
  async run({ options, settings }: Invocation<LoginOptions>): Promise<ExitCode> {
    // The token's target file may be absent.
    const env = { ...process.env, INSTAGRAM_ACCESS_TOKEN_FILE: undefined };
    const { configId } = options;
    const own = configId === undefined ? {} : { 'instagram-login-config-id': configId };
    const config = loadCommandConfig({ ...settings, ...own }, [], env);
    using stop = listenForStop(config.polling.shutdownGraceMs);
    print(options.json, await logIn(config, options, stop.signal));
    return 0;
  },
};

function timeoutS(text: string): number {
  return parseCount('--timeout', text, { most: 3600 });
}

async function logIn(config: Config, options: LoginOptions, signal: AbortSignal) {
  const app = needApp(config, true);
  const place = placeOf(options);
  const { timeout: waitS = 300, open } = options;
  const { redirectUri, login, scope: wanted, businesses, loginConfigId } = config.instagram;
  const listsBusinesses = businesses.length > 0;
  const needed = neededPermissions({ login, readsPeople: readsPeople(config), listsBusinesses });
  const { clientId } = app;
  const scope = wanted.length > 0 ? wanted : needed;
  const begun = beginLogin(config.instagram, {
    ...{ clientId, redirectUri, scope },
    configId: loginConfigId,
  });
  const service = tokenServiceOf(config);
  const { codeVerifier } = begun;
  const redeem = (code: string) => {
    const grant = { ...app, redirectUri, code, codeVerifier };
    return service.writeTo(place, () => service.redeem(grant, signal));
  };
  const late = AbortSignal.timeout(waitS * 1000);
  const pending = { ...begun, redeem, signal: AbortSignal.any([signal, late]) };
  try {
    const { accessToken, expiresAtMs } = await awaitRedirect(new URL(redirectUri), pending, open);
    const inspected = await service.inspect(accessToken, place.path, signal);
    const written = { name: 'default', file: place.path, expiresAtMs };
    return describeLogin(written, inspected, Date.now());
  } catch (error) {
    signal.throwIfAborted();
    if (!late.aborted) throw error;
    throw new StopProcessError(
      'graph.token',
      `the login did not return within ${waitS} s: run it again, with a longer --timeout if you need more time`,
    );
  }
}

/** A login that waits for its redirect. */
interface PendingLogin extends BegunLogin {
  /** Exchanges a code for a token and writes it. */
  readonly redeem: (code: string) => Promise<Granted>;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** Waits for the browser's redirect to this machine, or for its address on standard input. */
async function awaitRedirect(
  redirectUri: URL,
  pending: PendingLogin,
  opens: boolean,
): Promise<Granted> {
  const receiver = receive(pending);
  await using stack = new AsyncDisposableStack();
  const { onAuthorizationResponse } = receiver;
  if (isLocal(redirectUri))
    stack.use(await listenForRedirect(redirectUri, onAuthorizationResponse));
  say(`Log in and consent at this address:\n\n${pending.url}\n`);
  if (!isLocal(redirectUri)) stack.defer(readPasted(receiver));
  else if (opens && process.stderr.isTTY) openBrowser(pending.url);
  return await receiver.promise;
}

/** Reads addresses from standard input; returns a function that ends the reading. */
function readPasted({ onAuthorizationResponse, giveUp }: ReturnType<typeof receive>): () => void {
  say('Then paste the address that the browser was redirected to, and press Enter:');
  const take = async (line: string): Promise<void> => {
    const address = URL.parse(line.trim());
    if (address === null) {
      say('This is not an address: paste all of it, from https:// on.');
      return;
    }
    const page = await onAuthorizationResponse(address);
    if (page === undefined) {
      say(
        'That address has no answer to the login: paste the one that the browser was redirected to.',
      );
    } else if (page === foreignPage) {
      say(
        'That address answers another login: paste the one that followed from the address above.',
      );
    }
  };
  const lines = createInterface({ input: process.stdin, terminal: false });
  lines.on('line', (line) => void take(line));
  lines.on('close', () => {
    giveUp('the standard input ended without an address: run it again and paste the address');
  });
  return () => {
    lines.close();
    process.stdin.destroy();
  };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Opens the address in a browser. A failure is ignored, because the address is printed as well. */
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

const foreignPage: BrowserPage = {
  status: 400,
  title: 'Not of this login',
  text: 'The "state" of this address is not that of the login that waits here: another page may have redirected the browser here. It was ignored. Follow the address that the command printed.',
};

/**
 * Accepts the first answer with the login's state; later answers change nothing. Any page can
 * redirect a browser here with another state, so an answer with another state is ignored: it must
 * not end the login.
 */
function receive({ state, redeem, signal }: PendingLogin) {
  const { promise, resolve, reject } = Promise.withResolvers<Granted>();
  signal.addEventListener('abort', () => {
    reject(signal.reason as Error);
  });
  let isAnswered = false;
  const fail = (message: string): BrowserPage => {
    reject(new StopProcessError('graph.token', message));
    return { status: 400, title: 'Not logged in', text: message };
  };
  const giveUp = (message: string): void => {
    // A code that is being redeemed decides the result itself.
    if (!isAnswered) fail(message);
  };
  const onAuthorizationResponse: OnAuthorizationResponse = async (address) => {
    const answer = readAnswer(address, state);
    if (answer.kind === 'nothing') return undefined;
    if (answer.kind === 'foreign') return foreignPage;
    if (isAnswered) return { status: 400, title: 'Too late', text: 'The login has its answer.' };
    isAnswered = true;
    if (answer.kind === 'denied') {
      return fail(`the login was denied: "${answer.reason}"; run it again and consent`);
    }
    try {
      resolve(await redeem(answer.code));
      const text = 'The token is written. You may close this.';
      return { status: 200, title: 'Logged in', text };
    } catch (error) {
      reject(error);
      const [text = ''] = describeError(error).split('\n');
      return { status: 502, title: 'Not logged in', text };
    }
  };
  return { promise, giveUp, onAuthorizationResponse };
}

/** One of several tokens in a file is replaced only by an explicit choice. */
function placeOf({ output, add = false, token: number }: LoginOptions): TokenPlace {
  const path = targetOf(process.env['INSTAGRAM_ACCESS_TOKEN_FILE'] ?? null, output);
  const content = readTextFile(path);
  const tokens = (content.ok ? parseTokens(content.text) : undefined) ?? [];
  if (add || (number === undefined && tokens.length <= 1)) return { path, old: null, add };
  const old = tokens[Number(number) - 1];
  if (old !== undefined) return { path, old, add };
  throw usage(placeAdvice(path, tokens.length, number !== undefined));
}

function placeAdvice(path: string, count: number, isChosen: boolean): string {
  if (count === 0) return `--token: ${path} holds no token yet; omit --token`;
  return isChosen
    ? `--token: expected a number from 1 to ${count}, the tokens in ${path}`
    : `the file holds ${count} tokens: choose with --token 1 to ${count} which one to replace, or --add`;
}
