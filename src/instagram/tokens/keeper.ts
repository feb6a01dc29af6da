import { readFile } from 'node:fs/promises';
import { isClassifiedError, StopAccountError } from '../../engine/errors.ts';
import type { Clock, Telemetry } from '../../engine/ports.ts';
import {
  type TokenLife,
  daysLeft,
  endOf,
  isLonger,
  isRenewalDue,
  warningOf,
} from '../../engine/token-life.ts';
import { linkSignals } from '../../engine/linked-signal.ts';
import type { Granted, OAuth } from '../api/oauth.ts';
import type { OAuthOptions } from '../options.ts';
import { renewAdvice } from '../token-advice.ts';
import type { TokenFile } from './file.ts';
import type { TokenRejections } from './rejections.ts';
import {
  codeOf,
  readTokenMetadata,
  replaceInFile,
  TokenFileError,
  withFileLock,
  writeTokenMetadata,
} from './store.ts';
import { type Tokens, shownName } from './tokens.ts';

interface KeeperParts {
  readonly options: Pick<OAuthOptions, 'login' | 'clientId' | 'clientSecret'>;
  readonly tokens: Tokens;
  readonly oauth: OAuth;
  readonly rejections: Pick<TokenRejections, 'reject'>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** The token file; undefined when the tokens have another source. */
  readonly file: TokenFile | undefined;
  readonly onChecked: () => void;
}

/** The interval of checks; a warning is late by this at most. */
const checkEveryMs = 3_600_000;
/** The interval of inspections at Meta: the user may have revoked the token. */
const inspectEveryMs = 86_400_000;
/** The wait before a failed renewal is repeated. */
const retryMs = 6 * 3_600_000;

interface KnownToken {
  /** Null when it is unknown. */
  readonly life: TokenLife | null;
  readonly inspectedMs: number;
  /** The last failed renewal; null for none. */
  readonly failed: { readonly atMs: number; readonly message: string } | null;
}

/** The outcome of a renewal; `elsewhere` when another instance has renewed the token or is about to. */
type RenewalOutcome =
  | { readonly kind: 'renewed' }
  | { readonly kind: 'elsewhere' }
  /** `isRejected` when Meta rejected the renewal, as of a token younger than a day. */
  | { readonly kind: 'failed'; readonly message: string; readonly isRejected: boolean };

/**
 * Determines when tokens expire, reports it and renews them in time, until aborted; never rejects.
 * Errors are only reported: a token that cannot be renewed stays in use.
 */
export async function keepTokens(parts: KeeperParts, signal: AbortSignal): Promise<void> {
  const { tokens, clock } = parts;
  const keeper = new TokenKeeper(parts, signal);
  while (!signal.aborted) {
    // Sequential: each check may write the shared file.
    for (const name of tokens.names()) await keeper.check(name);
    parts.onChecked();
    const waiting = linkSignals([signal]);
    await Promise.race([
      clock.sleep(checkEveryMs, waiting.signal),
      tokens.changed(waiting.signal),
    ]).catch(() => undefined);
    // Ends the other wait of the race.
    waiting.abort(new Error('looking again'));
    waiting.unlink();
  }
}

/** Returns the reason, the middle of a sentence, why tokens cannot be renewed; empty for none. */
function impedimentOf({ file, options }: KeeperParts): string {
  const { login, clientId, clientSecret } = options;
  if (file === undefined) {
    return 'the program renews only tokens that it has from a file (INSTAGRAM_ACCESS_TOKEN_FILE)';
  }
  if (login === 'facebook' && (clientId === null || clientSecret === null)) {
    return 'the program renews it only with INSTAGRAM_CLIENT_ID and INSTAGRAM_CLIENT_SECRET';
  }
  return '';
}

class TokenKeeper {
  readonly #parts: KeeperParts;
  readonly #signal: AbortSignal;
  readonly #impediment: string;
  readonly #known = new Map<string, KnownToken>();

  constructor(parts: KeeperParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
    this.#impediment = impedimentOf(parts);
  }

  /** Checks the token of a name; after a renewal or replacement it also checks the new token. */
  async check(name: string): Promise<void> {
    for (let tries = 1; tries <= 2; tries += 1) {
      const token = this.#parts.tokens.text(name);
      const now = await this.#checkToken(name, token);
      if (now !== undefined) this.#known.set(token, now);
      if (now !== undefined || this.#signal.aborted) return;
    }
  }

  /** Checks one token; undefined when the check was aborted or the token was renewed. */
  async #checkToken(name: string, token: string): Promise<KnownToken | undefined> {
    try {
      const latest = await this.#readLife(name, token);
      if (this.#impediment === '' && this.#isDue(latest)) {
        return await this.#renew(name, token, latest);
      }
      this.#reportLife(name, token, latest);
      return latest;
    } catch (error) {
      if (this.#signal.aborted) return undefined;
      throw error;
    }
  }

  #isDue({ life, failed }: KnownToken): boolean {
    const nowMs = this.#parts.clock.nowMs();
    if (failed !== null && nowMs - failed.atMs < retryMs) return false;
    // With Instagram Login only a renewal reports when a token expires.
    return life === null ? this.#parts.options.login === 'instagram' : isRenewalDue(life, nowMs);
  }

  /** Reads a token's life: from Meta with Facebook Login, from the file's metadata with Instagram Login. */
  async #readLife(name: string, token: string): Promise<KnownToken> {
    const { options, clock, file } = this.#parts;
    const before = this.#known.get(token);
    const known = before ?? { life: null, inspectedMs: clock.nowMs(), failed: null };
    if (options.login === 'facebook') return this.#inspect(name, token, known);
    const metadata = file === undefined ? undefined : await readTokenMetadata(file.path, token);
    if (metadata === undefined) return known;
    return { ...known, life: { ...metadata, dataAccessUntilMs: null } };
  }

  async #inspect(name: string, token: string, known: KnownToken): Promise<KnownToken> {
    const { oauth, clock, rejections } = this.#parts;
    const inspectedMs = clock.nowMs();
    if (known.life !== null && inspectedMs - known.inspectedMs < inspectEveryMs) return known;
    try {
      const facts = await oauth.inspect(token, this.#signal);
      if (!facts.isValid) {
        const reason = facts.reason === null ? '' : ` Meta says "${facts.reason}"`;
        const message = `/debug_token: Meta calls the access token invalid: ${renewAdvice}.${reason}`;
        rejections.reject(name, token, { code: 'graph.token', message });
      }
      return { ...known, life: facts.isKnown ? facts : null, inspectedMs };
    } catch (error) {
      this.#signal.throwIfAborted();
      // Polls with the token get the same error and report it in more detail.
      if (error instanceof StopAccountError && error.rejectsToken) {
        rejections.reject(name, token, error);
      }
      if (isClassifiedError(error)) return known;
      throw error;
    }
  }

  async #renew(name: string, token: string, latest: KnownToken): Promise<KnownToken | undefined> {
    const { clock, telemetry } = this.#parts;
    const outcome = await this.#tryRenewal(token, latest.life);
    if (outcome.kind === 'elsewhere') return latest;
    const event = { type: 'token-renewal', name: shownName(name), outcome: outcome.kind } as const;
    if (outcome.kind === 'renewed') {
      telemetry.report({ ...event, message: '' });
      return undefined;
    }
    const { message, isRejected } = outcome;
    // A rejected renewal of a token without a known end is not reported: the token may be new.
    if (latest.life !== null || !isRejected) telemetry.report({ ...event, message });
    const now = { ...latest, failed: { atMs: clock.nowMs(), message } };
    this.#reportLife(name, token, now);
    return now;
  }

  /** Replaces a token, in the file and in use, by a longer-lived one. */
  async #tryRenewal(token: string, life: TokenLife | null): Promise<RenewalOutcome> {
    const { file, clock } = this.#parts;
    if (file === undefined) return { kind: 'elsewhere' };
    try {
      const outcome = await withFileLock(file.path, clock.nowMs(), async () => {
        const text = await readFile(file.path, 'utf8');
        const isThere = file.parse(text)?.includes(token) === true;
        return isThere ? this.#renewInFile(file, token, life) : undefined;
      });
      return outcome ?? { kind: 'elsewhere' };
    } catch (error) {
      this.#signal.throwIfAborted();
      const message = `it could not be renewed: ${reasonOf(error)}`;
      return { kind: 'failed', message, isRejected: isRejection(error) };
    }
  }

  async #renewInFile(
    file: TokenFile,
    token: string,
    life: TokenLife | null,
  ): Promise<RenewalOutcome> {
    const { accessToken, expiresAtMs } = await this.#requestToken(token, life);
    if (life !== null && !isLonger(expiresAtMs, life.expiresAtMs)) {
      const message = 'it could not be renewed: Meta gave a token that ends no later';
      return { kind: 'failed', message, isRejected: true };
    }
    // Registered as a secret before any error can contain it.
    file.onRenewed([accessToken]);
    const issuedAtMs = this.#parts.clock.nowMs();
    await writeTokenMetadata(file.path, accessToken, { issuedAtMs, expiresAtMs });
    if (!(await replaceInFile(file.path, token, accessToken))) return { kind: 'elsewhere' };
    const found = file.parse(await readFile(file.path, 'utf8'));
    if (found !== undefined) this.#parts.tokens.replace(found);
    return { kind: 'renewed' };
  }

  async #requestToken(token: string, life: TokenLife | null): Promise<Granted> {
    const { options, oauth } = this.#parts;
    try {
      return await oauth.refresh(token, this.#signal);
    } catch (error) {
      // A short-lived token of Instagram Login can only be exchanged.
      const isShortLived = options.login === 'instagram' && life === null && isRejection(error);
      if (!isShortLived || options.clientSecret === null) throw error;
      return oauth.exchange(token, this.#signal);
    }
  }

  #reportLife(name: string, token: string, { life, failed }: KnownToken): void {
    const { tokens, telemetry, clock } = this.#parts;
    if (life === null) {
      this.#reportUnknown(name, token);
      return;
    }
    const endMs = endOf(life);
    const warnAtDays = warningOf(endMs, clock.nowMs());
    const why = failed?.message ?? this.#impediment;
    telemetry.report({
      type: 'token',
      name: shownName(name),
      inUse: tokens.names().map(shownName),
      expiresAtMs: endMs,
      warnAtDays,
      action: endMs === null || warnAtDays === null ? '' : actionOf(life, why, clock.nowMs()),
    });
  }

  /** Reports once that the end of a token is unknown: it expires after sixty days without another warning. */
  #reportUnknown(name: string, token: string): void {
    const { options, telemetry } = this.#parts;
    const isReported = this.#known.has(token);
    if (isReported || options.login !== 'instagram' || this.#impediment === '') return;
    const message = `when it ends is not known, and ${this.#impediment}`;
    const event = { type: 'token-renewal', name: shownName(name) } as const;
    telemetry.report({ ...event, outcome: 'failed', message });
  }
}

function isRejection(error: unknown): boolean {
  return isClassifiedError(error) && error.code === 'graph.refused';
}

function reasonOf(error: unknown): string {
  if (isClassifiedError(error)) return error.message;
  if (error instanceof TokenFileError) return `the file of the tokens: ${error.message}`;
  return `the file of the tokens cannot be read (${codeOf(error)})`;
}

function actionOf(life: TokenLife, why: string, nowMs: number): string {
  const endMs = endOf(life) ?? nowMs;
  const days = daysLeft(endMs, nowMs);
  const when = days < 0 ? 'has ended' : days === 0 ? 'ends within a day' : `ends in ${days} days`;
  if (endMs !== life.expiresAtMs) {
    return `Its access to data ${when}: its user must log in again (instagram-kafka login).`;
  }
  return `It ${when}${why === '' ? '' : `; ${why}`}. Get a new one (instagram-kafka login) and put it where the old one is.`;
}
