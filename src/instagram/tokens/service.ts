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
import { createGraph } from '../api/client.ts';
import {
  type CodeGrant,
  type Granted,
  type OAuth,
  type OAuthOptions,
  createOAuth,
  graphBase,
} from '../api/oauth.ts';
import { permissions, peoplePermission } from '../token-advice.ts';
import type { TokenFacts } from '../api/token-facts.ts';
import {
  readNote,
  replaceInFile,
  TokenFileError,
  whileLocked,
  writeNote,
  writeSecret,
} from './store.ts';
import { createTokens } from './tokens.ts';
import { createTransport } from '../api/transport.ts';

/** What the commands about tokens go by. */
export interface TokenServiceOptions extends OAuthOptions {
  readonly pageSize: number;
  /** Whether comments or tags are read, which take a permission of their own. */
  readonly readsPeople: boolean;
}

/** What is known of a token. */
export interface InspectedToken {
  /** Whether the API takes it. */
  readonly isValid: boolean;
  /** Why it does not, and the error's code; null when it does. */
  readonly reason: string | null;
  readonly code: ErrorCode | null;
  /** What Meta tells of it; null with Instagram Login, or when Meta did not answer. */
  readonly facts: TokenFacts | null;
  /** Epoch milliseconds; null for never, undefined when it is not known, or when it is not taken before. */
  readonly expiresAtMs: number | null | undefined;
  readonly accounts: readonly Account[];
  /** Permissions that are needed and were not granted; null when that cannot be known. */
  readonly missing: readonly string[] | null;
}

/** Where a token is written, and in whose place. */
export interface TokenPlace {
  readonly path: string;
  /** The token that it replaces, all others in the file staying; null replaces the whole file. */
  readonly old: string | null;
  /** Adds it as a further one. */
  readonly add: boolean;
}

/** Asks about, makes and writes tokens, for a person who runs a command. */
export interface TokenService {
  inspect(token: string, file: string | null, signal: AbortSignal): Promise<InspectedToken>;
  /**
   * A longer token for a short-lived one, or for one that has not ended.
   *
   * @throws StopProcessError `config.invalid` for one that never ends, which would only get an end by it
   */
  exchange(token: string, signal: AbortSignal): Promise<Granted>;
  refresh(token: string, signal: AbortSignal): Promise<Granted>;
  /** The code of a login for a long-lived token. */
  redeem(grant: CodeGrant, signal: AbortSignal): Promise<Granted>;
  /**
   * Makes a token with `make` and writes it, when it can be written.
   *
   * @throws StopProcessError `config.invalid` when the file cannot be written, or another process is at it
   */
  writeTo(place: TokenPlace, make: () => Promise<Granted>): Promise<Granted>;
}

/** The permissions that a token needs. */
export function neededPermissions({
  login,
  readsPeople,
}: Pick<TokenServiceOptions, 'login' | 'readsPeople'>): readonly string[] {
  return [...permissions[login], ...(readsPeople ? [peoplePermission[login]] : [])];
}

/** Nothing is asked before a call is made. */
export function openTokenService(options: TokenServiceOptions, clock: Clock): TokenService {
  const transport = createTransport();
  const telemetry = { report: () => undefined };
  const refusals = { sent: () => () => undefined };
  const oauth = createOAuth(options, { transport, telemetry, clock });
  const graphOf = (token: string): Pick<Graph, 'get'> =>
    createGraph({
      options: { ...options, accessTokens: [token], accounts: [], baseUrl: graphBase(options) },
      transport,
      telemetry,
      refusals,
      clock,
      onUsage: () => undefined,
      tokens: createTokens([token], options.clientSecret),
      known: new Map(),
      closing: new AbortController().signal,
    });
  return {
    inspect: (token, file, signal) =>
      inspect(token, { options, oauth, graph: graphOf(token), file, clock }, signal),
    async exchange(token, signal) {
      await refuseEndless(token, signal);
      return withEnd(await oauth.exchange(token, signal), signal);
    },
    async refresh(token, signal) {
      await refuseEndless(token, signal);
      return withEnd(await oauth.refresh(token, signal), signal);
    },
    async redeem(grant, signal) {
      const short = await oauth.redeem(grant, signal);
      return withEnd(await oauth.exchange(short.accessToken, signal), signal);
    },
    writeTo: (place, make) => writeTo(place, make, clock),
  };

  async function refuseEndless(token: string, signal: AbortSignal): Promise<void> {
    if (options.login === 'instagram') return;
    const { isKnown, expiresAtMs } = await oauth.inspect(token, signal);
    if (!isKnown || expiresAtMs !== null) return;
    const message =
      'the token never ends: there is nothing to do, and an exchange would give it an end';
    throw new StopProcessError('config.invalid', message, { exitCode: 2 });
  }

  /** Facebook does not always say with the token when it ends. */
  async function withEnd(granted: Granted, signal: AbortSignal): Promise<Granted> {
    if (granted.expiresAtMs !== null || options.login === 'instagram') return granted;
    const { expiresAtMs } = await oauth.inspect(granted.accessToken, signal);
    return { ...granted, expiresAtMs };
  }
}

interface Inspecting {
  readonly options: TokenServiceOptions;
  readonly oauth: OAuth;
  readonly graph: Pick<Graph, 'get'>;
  readonly file: string | null;
  readonly clock: Clock;
}

async function inspect(
  token: string,
  { options, oauth, graph, file, clock }: Inspecting,
  signal: AbortSignal,
): Promise<InspectedToken> {
  const { login, pageSize } = options;
  const grants = {
    inspect: (s: AbortSignal) => oauth.inspect(token, s),
    nowMs: () => clock.nowMs(),
  };
  const reached = await trying(listAccounts(login, { graph, pageSize, signal, grants }), signal);
  const isTaken = reached.error === null;
  const common = { ...whyRefused(reached.error), accounts: reached.value?.accounts ?? [] };
  if (login === 'instagram') {
    const note = file === null ? undefined : await readNote(file, token);
    const expiresAtMs = endKnown(note?.expiresAtMs, { isValid: isTaken, nowMs: clock.nowMs() });
    return { ...common, isValid: isTaken, facts: null, expiresAtMs, missing: null };
  }
  const { value: facts } = await trying(oauth.inspect(token, signal), signal);
  const unknown = {
    ...common,
    isValid: isTaken,
    facts: null,
    expiresAtMs: undefined,
    missing: null,
  };
  return facts === null ? unknown : withFacts(unknown, facts, { options, nowMs: clock.nowMs() });
}

function whyRefused(error: ConnectorError | null): Pick<InspectedToken, 'reason' | 'code'> {
  return error === null
    ? { reason: null, code: null }
    : { reason: error.message, code: error.code };
}

/** An end to come means nothing for a token that is refused already. */
function endKnown(
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
  const expiresAtMs = endKnown(facts.expiresAtMs, { isValid, nowMs });
  return { ...token, isValid, reason, code, facts, expiresAtMs, missing };
}

type Tried<T> =
  | { readonly value: T; readonly error: null }
  | { readonly value: null; readonly error: ConnectorError };

async function trying<T>(asked: Promise<T>, signal: AbortSignal): Promise<Tried<T>> {
  try {
    return { value: await asked, error: null };
  } catch (error) {
    signal.throwIfAborted();
    // That nobody answers is no property of the token.
    if (!isConnectorError(error) || error.disposition === 'retry') throw error;
    return { value: null, error };
  }
}

async function writeTo(
  place: TokenPlace,
  make: () => Promise<Granted>,
  clock: Clock,
): Promise<Granted> {
  try {
    // The lock shows that the folder can be written, before Meta is asked for anything.
    const written = await whileLocked(place.path, clock.nowMs(), async () => {
      const granted = await make();
      const { accessToken, expiresAtMs } = granted;
      if (expiresAtMs !== null) {
        await writeNote(place.path, accessToken, { issuedAtMs: clock.nowMs(), expiresAtMs });
      }
      await put(place, accessToken);
      return granted;
    });
    if (written !== undefined) return written;
  } catch (error) {
    if (!(error instanceof TokenFileError)) throw error;
    throw unwritable(error.message);
  }
  throw unwritable('another process is writing it: try again in a moment');
}

async function put({ path, old, add }: TokenPlace, token: string): Promise<void> {
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
