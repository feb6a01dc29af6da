import { readFile } from 'node:fs/promises';
import type { Account } from '../../engine/account.ts';
import {
  type ConnectorError,
  type ErrorCode,
  isConnectorError,
  StopProcessError,
} from '../../engine/errors.ts';
import type { Clock, Graph } from '../../engine/ports.ts';
import { listAccounts } from '../accounts.ts';
import { GraphClient } from '../api/client.ts';
import {
  type CodeGrant,
  type Granted,
  type OAuth,
  type OAuthOptions,
  type TokenFacts,
  createOAuth,
  graphBase,
} from '../api/oauth.ts';
import { neededPermissions } from '../token-advice.ts';
import {
  readTokenMetadata,
  replaceInFile,
  TokenFileError,
  withFileLock,
  writeTokenMetadata,
  writeSecret,
} from './store.ts';
import { createTokens } from './tokens.ts';
import { createTransport } from '../api/transport.ts';

interface TokenServiceOptions extends OAuthOptions {
  readonly pageSize: number;
  /** True when comments or tags are read, which need a separate permission. */
  readonly readsPeople: boolean;
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

export type TokenService = ReturnType<typeof openTokenService>;

/** Creates the token operations of the commands; makes no request yet. */
export function openTokenService(options: TokenServiceOptions, clock: Clock) {
  const transport = createTransport();
  const telemetry = { report: () => undefined };
  const rejections = { sent: () => () => undefined };
  const oauth = createOAuth(options, { transport, telemetry, clock });
  const graphOf = (token: string): Pick<Graph, 'get'> =>
    new GraphClient({
      options: { ...options, accessTokens: [token], accounts: [], baseUrl: graphBase(options) },
      transport,
      telemetry,
      rejections,
      clock,
      onUsage: () => undefined,
      tokens: createTokens([token], options.clientSecret),
      known: new Map(),
      closing: new AbortController().signal,
      pending: new Set(),
    });
  return {
    inspect: (token: string, file: string | null, signal: AbortSignal) =>
      inspect(token, { options, oauth, graph: graphOf(token), file, clock }, signal),
    /** Exchanges a short-lived or unexpired token for a longer-lived one. @throws as `rejectEndless` */
    async exchange(token: string, signal: AbortSignal): Promise<Granted> {
      await rejectEndless(token, signal);
      return oauth.exchange(token, signal);
    },
    async refresh(token: string, signal: AbortSignal): Promise<Granted> {
      await rejectEndless(token, signal);
      return oauth.refresh(token, signal);
    },
    /** Redeems the code of a login for a long-lived token. */
    async redeem(grant: CodeGrant, signal: AbortSignal): Promise<Granted> {
      const short = await oauth.redeem(grant, signal);
      return oauth.exchange(short.accessToken, signal);
    },
    writeTo: (place: TokenPlace, make: () => Promise<Granted>) => writeTo(place, make, clock),
  };

  /** @throws StopProcessError `config.invalid` for a token that never ends */
  async function rejectEndless(token: string, signal: AbortSignal): Promise<void> {
    if (options.login === 'instagram') return;
    const { isKnown, expiresAtMs } = await oauth.inspect(token, signal);
    if (!isKnown || expiresAtMs !== null) return;
    const message =
      'the token never ends: there is nothing to do, and an exchange would give it an end';
    throw new StopProcessError('config.invalid', message, { exitCode: 2 });
  }
}

interface InspectionContext {
  readonly options: TokenServiceOptions;
  readonly oauth: OAuth;
  readonly graph: Pick<Graph, 'get'>;
  readonly file: string | null;
  readonly clock: Clock;
}

async function inspect(
  token: string,
  { options, oauth, graph, file, clock }: InspectionContext,
  signal: AbortSignal,
): Promise<InspectedToken> {
  const { login, pageSize } = options;
  const nowMs = (): number => clock.nowMs();
  const grants = { inspect: (s: AbortSignal) => oauth.inspect(token, s), nowMs };
  const listing = listAccounts(login, { graph, pageSize, signal, grants });
  const { value: found, error } = await attempt(listing, signal);
  const reached = {
    isValid: error === null,
    ...(error === null
      ? { reason: null, code: null }
      : { reason: error.message, code: error.code }),
    accounts: found?.accounts ?? [],
    facts: null,
    expiresAtMs: undefined,
    missing: null,
  };
  if (login === 'instagram') {
    const metadata = file === null ? undefined : await readTokenMetadata(file, token);
    const { isValid } = reached;
    const expiresAtMs = expiryOf(metadata?.expiresAtMs, { isValid, nowMs: nowMs() });
    return { ...reached, expiresAtMs };
  }
  const { value: facts } = await attempt(oauth.inspect(token, signal), signal);
  return facts === null ? reached : withFacts(reached, facts, { options, nowMs: nowMs() });
}

/** Returns the expiry; undefined for a rejected token whose expiry is in the future. */
function expiryOf(
  expiresAtMs: number | null | undefined,
  { isValid, nowMs }: { readonly isValid: boolean; readonly nowMs: number },
): number | null | undefined {
  return isValid || (expiresAtMs != null && expiresAtMs <= nowMs) ? expiresAtMs : undefined;
}

function withFacts(
  token: InspectedToken,
  facts: TokenFacts,
  { options, nowMs }: { readonly options: TokenServiceOptions; readonly nowMs: number },
): InspectedToken {
  const isValid = token.isValid && facts.isValid;
  const reason = token.reason ?? facts.reason;
  const code = token.code ?? (facts.isValid ? null : 'graph.token');
  if (!facts.isKnown) return { ...token, isValid, reason, code };
  const missing = neededPermissions(options).filter((one) => !facts.scopes.includes(one));
  const expiresAtMs = expiryOf(facts.expiresAtMs, { isValid, nowMs });
  return { ...token, isValid, reason, code, facts, expiresAtMs, missing };
}

type Attempt<T> =
  | { readonly value: T; readonly error: null }
  | { readonly value: null; readonly error: ConnectorError };

async function attempt<T>(operation: Promise<T>, signal: AbortSignal): Promise<Attempt<T>> {
  try {
    return { value: await operation, error: null };
  } catch (error) {
    signal.throwIfAborted();
    // A missing answer is no property of the token.
    if (!isConnectorError(error) || error.disposition === 'retry') throw error;
    return { value: null, error };
  }
}

/**
 * Creates a token with `make` and writes it. A file that cannot be locked prevents `make`.
 * @throws StopProcessError `config.invalid` when the file cannot be written or is locked
 */
async function writeTo(
  place: TokenPlace,
  make: () => Promise<Granted>,
  clock: Clock,
): Promise<Granted> {
  try {
    // The lock proves that the folder is writable before any request to Meta.
    const written = await withFileLock(place.path, clock.nowMs(), async () => {
      const granted = await make();
      const { accessToken, expiresAtMs } = granted;
      const issuedAtMs = clock.nowMs();
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
