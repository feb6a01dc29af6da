import { readFile } from 'node:fs/promises';
import { isConnectorError } from '../../engine/errors.ts';
import { type TokenLife, isLonger } from '../../engine/token-life.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Granted, OAuth, OAuthOptions } from '../api/oauth.ts';
import type { TokenFile } from './file.ts';
import { replaceInFile, TokenFileError, withFileLock, writeTokenMetadata } from './store.ts';
import type { Tokens } from './tokens.ts';

/** The outcome of a renewal. */
export type RenewalOutcome =
  | { readonly kind: 'renewed' }
  /** Another instance has renewed the token or is renewing it. */
  | { readonly kind: 'elsewhere' }
  | {
      readonly kind: 'failed';
      readonly message: string;
      /** True when Meta rejected the renewal, as of a token younger than a day. */
      readonly isRefused: boolean;
    };

/**
 * Replaces a token, in the file and in use, by a longer-lived one. `life` is null when it is unknown.
 * Rejects only with the signal's reason.
 */
export type Renewal = (
  token: string,
  life: TokenLife | null,
  signal: AbortSignal,
) => Promise<RenewalOutcome>;

/** The dependencies of the renewal. */
export interface RenewalParts {
  readonly options: Pick<OAuthOptions, 'login' | 'clientId' | 'clientSecret'>;
  readonly oauth: OAuth;
  readonly tokens: Tokens;
  readonly file: TokenFile | undefined;
  readonly clock: Clock;
}

/** Creates the renewal; returns the reason, the middle of a sentence, when tokens cannot be renewed. */
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
      const outcome = await withFileLock(file.path, nowMs, async (): Promise<RenewalOutcome> => {
        const text = await readFile(file.path, 'utf8');
        if (file.parse(text)?.includes(token) !== true) return { kind: 'elsewhere' };
        return renewInFile(token, { ...parts, file, life }, signal);
      });
      return outcome ?? { kind: 'elsewhere' };
    } catch (error) {
      signal.throwIfAborted();
      const message = `it could not be renewed: ${reasonOf(error)}`;
      return { kind: 'failed', message, isRefused: isRejection(error) };
    }
  };
}

interface FileRenewal extends RenewalParts {
  readonly file: TokenFile;
  readonly life: TokenLife | null;
}

async function renewInFile(
  token: string,
  parts: FileRenewal,
  signal: AbortSignal,
): Promise<RenewalOutcome> {
  const { file, life, clock, tokens } = parts;
  const { accessToken, expiresAtMs } = await requestToken(token, parts, signal);
  if (life !== null && !isLonger(expiresAtMs, life.expiresAtMs)) {
    const message = 'it could not be renewed: Meta gave a token that ends no later';
    return { kind: 'failed', message, isRefused: true };
  }
  // Registered as a secret before any error can contain it.
  file.onRenewed([accessToken]);
  if (expiresAtMs !== null) {
    await writeTokenMetadata(file.path, accessToken, { issuedAtMs: clock.nowMs(), expiresAtMs });
  }
  if (!(await replaceInFile(file.path, token, accessToken))) return { kind: 'elsewhere' };
  const found = file.parse(await readFile(file.path, 'utf8'));
  if (found !== undefined) tokens.replace(found);
  return { kind: 'renewed' };
}

/** Requests a longer-lived token and its expiry. */
async function requestToken(
  token: string,
  { options, oauth, life }: FileRenewal,
  signal: AbortSignal,
): Promise<Granted> {
  if (options.login === 'instagram') {
    try {
      return await oauth.refresh(token, signal);
    } catch (error) {
      // A short-lived token can only be exchanged.
      if (life !== null || !isRejection(error) || options.clientSecret === null) throw error;
      return oauth.exchange(token, signal);
    }
  }
  const granted = await oauth.exchange(token, signal);
  if (granted.expiresAtMs !== null) return granted;
  const { expiresAtMs } = await oauth.inspect(granted.accessToken, signal);
  return { ...granted, expiresAtMs };
}

function isRejection(error: unknown): boolean {
  return isConnectorError(error) && error.code === 'graph.refused';
}

function reasonOf(error: unknown): string {
  if (isConnectorError(error)) return error.message;
  if (error instanceof TokenFileError) return `the file of the tokens: ${error.message}`;
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown trouble';
  return `the file of the tokens cannot be read (${code})`;
}
