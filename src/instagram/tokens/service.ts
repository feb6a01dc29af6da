import { readFile } from 'node:fs/promises';
import type { Account } from '../../engine/account.ts';
import {
  type ClassifiedError,
  type ErrorCode,
  RetryError,
  StopProcessError,
  WaitError,
  isClassifiedError,
} from '../../engine/errors.ts';
import type { Clock, Graph } from '../../engine/ports.ts';
import { listToken } from '../accounts.ts';
import { GraphClient } from '../api/client.ts';
import { type CodeGrant, type Granted, OAuth, type TokenFacts, graphBase } from '../api/oauth.ts';
import { createTransport } from '../api/transport.ts';
import type { OAuthOptions } from '../options.ts';
import { neededPermissions } from '../token-advice.ts';
import {
  readTokenMetadata,
  replaceInFile,
  TokenFileError,
  withFileLock,
  writeTokenMetadata,
  writeSecret,
} from './store.ts';
import { Tokens } from './tokens.ts';

interface TokenServiceOptions extends OAuthOptions {
  readonly pageSize: number;
  /** True when comments or tags are read, which need a separate permission. */
  readonly readsPeople: boolean;
  /** The businesses whose accounts are listed as well. */
  readonly businesses: readonly string[];
}

export interface InspectedToken {
  readonly isValid: boolean;
  /** The reason and the error code of a rejection; null for an accepted token. */
  readonly reason: string | null;
  readonly code: ErrorCode | null;
  /** Meta's facts about the token; null with Instagram Login, or when Meta did not answer. */
  readonly facts: TokenFacts | null;
  /** Epoch milliseconds; null for never; undefined when unknown or when rejected before expiry. */
  readonly expiresAtMs: number | null | undefined;
  readonly accounts: readonly Account[];
  /** Needed permissions that were not granted; null when unknown. */
  readonly missing: readonly string[] | null;
}

export interface TokenPlace {
  readonly path: string;
  /** The token to replace, other tokens in the file stay; null replaces the whole file. */
  readonly old: string | null;
  readonly add: boolean;
}

/** The token operations of the commands. */
export class TokenService {
  readonly #options: TokenServiceOptions;
  readonly #clock: Clock;
  readonly #transport = createTransport();
  readonly #telemetry = { report: () => undefined };
  readonly #oauth: OAuth;

  constructor(options: TokenServiceOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    const parts = { transport: this.#transport, telemetry: this.#telemetry, clock };
    this.#oauth = new OAuth(options, parts);
  }

  async inspect(token: string, file: string | null, signal: AbortSignal): Promise<InspectedToken> {
    const { login, pageSize, businesses } = this.#options;
    const inspect = (s: AbortSignal): Promise<TokenFacts> => this.#oauth.inspect(token, s);
    const grants = { inspect, nowMs: () => this.#clock.nowMs() };
    const graph = this.#graphOf(token);
    const lists = await listToken({ login, graph, pageSize, signal, grants, businesses });
    const [own] = lists.outcomes;
    const error = own !== undefined && 'error' in own ? own.error : null;
    if (isUnrelatedToToken(error)) throw error;
    const reached = {
      isValid: error === null,
      ...(error === null
        ? { reason: null, code: null }
        : { reason: error.message, code: error.code }),
      accounts: lists.outcomes.flatMap((one) => ('accounts' in one ? one.accounts : [])),
      facts: null,
      expiresAtMs: undefined,
      missing: null,
    };
    if (login === 'instagram') {
      const metadata = file === null ? undefined : await readTokenMetadata(file, token);
      return { ...reached, expiresAtMs: this.#expiryOf(metadata?.expiresAtMs, reached.isValid) };
    }
    const { value: facts } = await attempt(inspect(signal), signal);
    return facts === null ? reached : this.#withFacts(reached, facts);
  }

  #graphOf(token: string): Pick<Graph, 'get'> {
    const options = this.#options;
    return new GraphClient({
      options: { ...options, baseUrl: graphBase(options) },
      transport: this.#transport,
      telemetry: this.#telemetry,
      rejections: { sent: () => () => undefined },
      clock: this.#clock,
      onUsage: () => undefined,
      tokens: new Tokens([token], options.clientSecret),
      known: new Map(),
      closing: new AbortController().signal,
      pending: new Set(),
    });
  }

  /** Returns the expiry; undefined for a rejected token whose expiry is in the future. */
  #expiryOf(expiresAtMs: number | null | undefined, isValid: boolean): number | null | undefined {
    const hasEnded = expiresAtMs != null && expiresAtMs <= this.#clock.nowMs();
    return isValid || hasEnded ? expiresAtMs : undefined;
  }

  #withFacts(token: InspectedToken, facts: TokenFacts): InspectedToken {
    const isValid = token.isValid && facts.isValid;
    const reason = token.reason ?? facts.reason;
    const code = token.code ?? (facts.isValid ? null : 'graph.token');
    if (!facts.isKnown) return { ...token, isValid, reason, code };
    const listsBusinesses = this.#options.businesses.length > 0;
    const needed = neededPermissions({ ...this.#options, listsBusinesses });
    const missing = needed.filter((one) => !facts.scopes.includes(one));
    const expiresAtMs = this.#expiryOf(facts.expiresAtMs, isValid);
    return { ...token, isValid, reason, code, facts, expiresAtMs, missing };
  }

  /** Exchanges a short-lived or unexpired token for a longer-lived one; throws as `refresh`. */
  async exchange(token: string, signal: AbortSignal): Promise<Granted> {
    await this.#rejectEndless(token, signal);
    return this.#oauth.exchange(token, signal);
  }

  /** @throws StopProcessError `config.invalid` for a token that never ends */
  async refresh(token: string, signal: AbortSignal): Promise<Granted> {
    await this.#rejectEndless(token, signal);
    return this.#oauth.refresh(token, signal);
  }

  /** Redeems the code of a login for a long-lived token. */
  async redeem(grant: CodeGrant, signal: AbortSignal): Promise<Granted> {
    const granted = await this.#oauth.redeem(grant, signal);
    const ofSystemUser = await this.#asSystemUser(granted, signal);
    return ofSystemUser ?? (await this.#oauth.exchange(granted.accessToken, signal));
  }

  /**
   * Returns a system user's token with its expiry: the configuration of the login decides that it
   * never ends or ends in sixty days, and an exchange would give it another. Null for a user's token.
   */
  async #asSystemUser(granted: Granted, signal: AbortSignal): Promise<Granted | null> {
    if (this.#options.login === 'instagram') return null;
    const inspecting = this.#oauth.inspect(granted.accessToken, signal);
    const { value: facts } = await attempt(inspecting, signal);
    return facts?.type === 'SYSTEM_USER' ? { ...granted, expiresAtMs: facts.expiresAtMs } : null;
  }

  async #rejectEndless(token: string, signal: AbortSignal): Promise<void> {
    if (this.#options.login === 'instagram') return;
    const { isKnown, expiresAtMs } = await this.#oauth.inspect(token, signal);
    if (!isKnown || expiresAtMs !== null) return;
    const message =
      'the token never ends: there is nothing to do, and an exchange would give it an end';
    throw new StopProcessError('config.invalid', message, { exitCode: 2 });
  }

  /**
   * Creates a token with `make` and writes it. A file that cannot be locked prevents `make`.
   * @throws StopProcessError `config.invalid` when the file cannot be written or is locked
   */
  async writeTo(place: TokenPlace, make: () => Promise<Granted>): Promise<Granted> {
    try {
      // The lock proves that the folder is writable before any request to Meta.
      const written = await withFileLock(place.path, this.#clock.nowMs(), async () => {
        const granted = await make();
        const { accessToken, expiresAtMs } = granted;
        const issuedAtMs = this.#clock.nowMs();
        await writeTokenMetadata(place.path, accessToken, { issuedAtMs, expiresAtMs });
        await writeToken(place, accessToken);
        return granted;
      });
      if (written !== undefined) return written;
    } catch (error) {
      if (!(error instanceof TokenFileError)) throw error;
      throw unwritable(error.message);
    }
    throw unwritable('another process is writing it: try again in a moment');
  }
}

/** True for a missing answer and for a limit, which are no property of the token. */
function isUnrelatedToToken(error: ClassifiedError | null): error is RetryError | WaitError {
  return error instanceof RetryError || error instanceof WaitError;
}

type Attempt<T> =
  | { readonly value: T; readonly error: null }
  | { readonly value: null; readonly error: ClassifiedError };

async function attempt<T>(operation: Promise<T>, signal: AbortSignal): Promise<Attempt<T>> {
  try {
    return { value: await operation, error: null };
  } catch (error) {
    signal.throwIfAborted();
    // A missing answer is no property of the token.
    if (!isClassifiedError(error) || error.disposition === 'retry') throw error;
    return { value: null, error };
  }
}

async function writeToken({ path, old, add }: TokenPlace, token: string): Promise<void> {
  if (add) {
    const before = await readFile(path, 'utf8').catch(() => '');
    await writeSecret(path, `${before.trim()}\n${token}\n`.trimStart());
  } else if (old === null) {
    await writeSecret(path, `${token}\n`);
  } else if (!(await replaceInFile(path, old, token))) {
    throw new TokenFileError('the token that was to be replaced is not in it any more');
  }
}

function unwritable(reason: string): StopProcessError {
  return new StopProcessError('config.invalid', `the token file: ${reason}`, { exitCode: 2 });
}
