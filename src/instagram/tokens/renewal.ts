import { readFile } from 'node:fs/promises';
import { isConnectorError } from '../../engine/errors.ts';
import { type TokenLife, isLonger } from '../../engine/token-life.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Granted, OAuth, OAuthOptions } from '../api/oauth.ts';
import type { TokenFile } from './file.ts';
import { replaceInFile, TokenFileError, whileLocked, writeNote } from './store.ts';
import type { Tokens } from './tokens.ts';

/** How a renewal went. */
export type Renewed =
  | { readonly kind: 'renewed' }
  /** Another instance has renewed it, or is about to. */
  | { readonly kind: 'elsewhere' }
  | {
      readonly kind: 'failed';
      readonly message: string;
      /** Meta does not do it now: a token younger than a day, say. */
      readonly isRefused: boolean;
    };

/**
 * Puts a longer token in the place of one, in the file and in use. Null stands for a life that nobody
 * knows. Never rejects but with the signal's reason.
 */
export type Renewal = (
  token: string,
  life: TokenLife | null,
  signal: AbortSignal,
) => Promise<Renewed>;

/** What tokens are renewed with. */
export interface RenewalParts {
  readonly options: Pick<OAuthOptions, 'login' | 'clientId' | 'clientSecret'>;
  readonly oauth: OAuth;
  readonly tokens: Tokens;
  readonly file: TokenFile | undefined;
  readonly clock: Clock;
}

/** How tokens are renewed; where they cannot be, why not, as the middle of a sentence. */
export function createRenewal(parts: RenewalParts): Renewal | string {
  const { file } = parts;
  const { login, clientId, clientSecret } = parts.options;
  if (file === undefined) {
    return 'the program renews only tokens that it has from a file (INSTAGRAM_ACCESS_TOKEN_FILE)';
  }
  if (login === 'facebook' && (clientId === null || clientSecret === null)) {
    return 'the program renews it only with INSTAGRAM_CLIENT_ID and INSTAGRAM_CLIENT_SECRET';
  }
  return async (token, life, signal) => {
    try {
      const nowMs = parts.clock.nowMs();
      const done = await whileLocked(file.path, nowMs, async (): Promise<Renewed> => {
        const text = await readFile(file.path, 'utf8');
        if (file.parse(text)?.includes(token) !== true) return { kind: 'elsewhere' };
        return renewInFile(token, { ...parts, file, life }, signal);
      });
      return done ?? { kind: 'elsewhere' };
    } catch (error) {
      signal.throwIfAborted();
      const message = `it could not be renewed: ${reasonOf(error)}`;
      return { kind: 'failed', message, isRefused: isRefusal(error) };
    }
  };
}

interface InFile extends RenewalParts {
  readonly file: TokenFile;
  readonly life: TokenLife | null;
}

async function renewInFile(token: string, parts: InFile, signal: AbortSignal): Promise<Renewed> {
  const { file, life, clock, tokens } = parts;
  const { accessToken, expiresAtMs } = await ask(token, parts, signal);
  if (life !== null && !isLonger(expiresAtMs, life.expiresAtMs)) {
    const message = 'it could not be renewed: Meta gave a token that ends no later';
    return { kind: 'failed', message, isRefused: true };
  }
  // A secret from now on, before anything can fail with it in hand.
  file.onRenewed([accessToken]);
  if (expiresAtMs !== null) {
    await writeNote(file.path, accessToken, { issuedAtMs: clock.nowMs(), expiresAtMs });
  }
  if (!(await replaceInFile(file.path, token, accessToken))) return { kind: 'elsewhere' };
  const found = file.parse(await readFile(file.path, 'utf8'));
  if (found !== undefined) tokens.replace(found);
  return { kind: 'renewed' };
}

/** A longer token, with its end. */
async function ask(
  token: string,
  { options, oauth, life }: InFile,
  signal: AbortSignal,
): Promise<Granted> {
  if (options.login === 'instagram') {
    try {
      return await oauth.refresh(token, signal);
    } catch (error) {
      // It may be a short-lived one, which can only be exchanged.
      if (life !== null || !isRefusal(error) || options.clientSecret === null) throw error;
      return oauth.exchange(token, signal);
    }
  }
  const granted = await oauth.exchange(token, signal);
  if (granted.expiresAtMs !== null) return granted;
  const { expiresAtMs } = await oauth.inspect(granted.accessToken, signal);
  return { ...granted, expiresAtMs };
}

function isRefusal(error: unknown): boolean {
  return isConnectorError(error) && error.code === 'graph.refused';
}

function reasonOf(error: unknown): string {
  if (isConnectorError(error)) return error.message;
  if (error instanceof TokenFileError) return `the file of the tokens: ${error.message}`;
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown trouble';
  return `the file of the tokens cannot be read (${code})`;
}
