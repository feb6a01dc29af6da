import type { Login } from '../../engine/account.ts';
import { isConnectorError, StopAccountError } from '../../engine/errors.ts';
import {
  type TokenLife,
  daysLeft,
  endOf,
  isRenewalDue,
  warningOf,
} from '../../engine/token-life.ts';
import type { Clock, Telemetry } from '../../engine/ports.ts';
import { linkSignals } from '../api/linked-signal.ts';
import type { OAuth } from '../api/oauth.ts';
import type { Renewal } from './renewal.ts';
import { renewAdvice } from '../token-advice.ts';
import { readTokenMetadata } from './store.ts';
import type { TokenRejections } from './rejections.ts';
import { type Tokens, shownName } from './tokens.ts';

/** The dependencies of the token keeper. */
export interface KeeperParts {
  readonly login: Login;
  readonly tokens: Tokens;
  readonly oauth: OAuth;
  readonly rejections: Pick<TokenRejections, 'reject'>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** The path of the token file; null when the tokens have another source. */
  readonly path: string | null;
  /** Renews a token; a text, the middle of a sentence, explains why no token can be renewed. */
  readonly renewal: Renewal | string;
  /** Called after each check of all tokens. */
  readonly onChecked: () => void;
}

/** The interval of checks; a warning is late by this at most. */
const checkEveryMs = 3_600_000;
/** The interval of inspections at Meta: the user may have revoked the token. */
const inspectEveryMs = 86_400_000;
/** The wait before a failed renewal is repeated. */
const retryMs = 6 * 3_600_000;

/** The known facts about one token. */
interface KnownToken {
  readonly life: TokenLife | null;
  readonly inspectedMs: number;
  /** The last failed renewal; null for none. */
  readonly failed: { readonly atMs: number; readonly message: string } | null;
}

/**
 * Determines when tokens expire, reports it and renews them in time, until aborted; never rejects.
 * Errors are only reported: a token that cannot be renewed stays in use.
 */
export async function keepTokens(parts: KeeperParts, signal: AbortSignal): Promise<void> {
  const { tokens, clock } = parts;
  const known = new Map<string, KnownToken>();
  while (!signal.aborted) {
    // Sequential: each check may write the shared file.
    for (const name of tokens.names()) await checkNamed(name, { ...parts, known }, signal);
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

/** Checks the token of a name; after a renewal or replacement it also checks the new token. */
async function checkNamed(
  name: string,
  { known, ...parts }: KeeperParts & { readonly known: Map<string, KnownToken> },
  signal: AbortSignal,
): Promise<void> {
  for (const token of [parts.tokens.text(name), undefined]) {
    const current = token ?? parts.tokens.text(name);
    const now = await checkToken(current, { ...parts, name, before: known.get(current) }, signal);
    if (now !== undefined) known.set(current, now);
    if (now !== undefined || signal.aborted) return;
  }
}

interface TokenCheck extends KeeperParts {
  readonly name: string;
  readonly before: KnownToken | undefined;
}

/** Checks one token; undefined when the check was aborted or the token was renewed. */
async function checkToken(
  token: string,
  check: TokenCheck,
  signal: AbortSignal,
): Promise<KnownToken | undefined> {
  const { renewal } = check;
  try {
    const latest = await readLife(token, check, signal);
    if (typeof renewal !== 'string' && isDue(latest, check)) {
      return await renew(token, { ...check, renewal, latest }, signal);
    }
    reportLife(latest, check);
    return latest;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

function isDue({ life, failed }: KnownToken, { login, clock }: TokenCheck): boolean {
  const nowMs = clock.nowMs();
  if (failed !== null && nowMs - failed.atMs < retryMs) return false;
  // With Instagram Login only a renewal reports when a token expires.
  return life === null ? login === 'instagram' : isRenewalDue(life, nowMs);
}

/** Reads a token's life: from Meta with Facebook Login, from the token file's metadata with Instagram Login. */
async function readLife(
  token: string,
  check: TokenCheck,
  signal: AbortSignal,
): Promise<KnownToken> {
  const { login, clock, before, path } = check;
  const known: KnownToken = before ?? { life: null, inspectedMs: clock.nowMs(), failed: null };
  if (login === 'facebook') return inspectAtMeta(token, { ...check, known }, signal);
  const metadata = path === null ? undefined : await readTokenMetadata(path, token);
  return metadata === undefined
    ? known
    : { ...known, life: { ...metadata, dataAccessUntilMs: null } };
}

async function inspectAtMeta(
  token: string,
  { name, oauth, clock, known, rejections }: TokenCheck & { readonly known: KnownToken },
  signal: AbortSignal,
): Promise<KnownToken> {
  const inspectedMs = clock.nowMs();
  if (known.life !== null && inspectedMs - known.inspectedMs < inspectEveryMs) return known;
  try {
    const facts = await oauth.inspect(token, signal);
    if (!facts.isValid) {
      const reason = facts.reason === null ? '' : ` Meta says "${facts.reason}"`;
      const message = `/debug_token: Meta calls the access token invalid: ${renewAdvice}.${reason}`;
      rejections.reject(name, token, { code: 'graph.token', message });
    }
    return { ...known, life: facts.isKnown ? facts : null, inspectedMs };
  } catch (error) {
    signal.throwIfAborted();
    // Polls with the token get the same error and report it in more detail.
    if (error instanceof StopAccountError && error.refusesToken) {
      rejections.reject(name, token, error);
    }
    if (isConnectorError(error)) return known;
    throw error;
  }
}

async function renew(
  token: string,
  check: TokenCheck & { readonly renewal: Renewal; readonly latest: KnownToken },
  signal: AbortSignal,
): Promise<KnownToken | undefined> {
  const { name, clock, telemetry, renewal, latest } = check;
  const outcome = await renewal(token, latest.life, signal);
  if (outcome.kind === 'elsewhere') return latest;
  const event = { type: 'token-renewal', name: shownName(name), outcome: outcome.kind } as const;
  if (outcome.kind === 'renewed') {
    telemetry.report({ ...event, message: '' });
    return undefined;
  }
  // A rejected renewal of a token without a known end is not reported: the token may be new.
  if (latest.life !== null || !outcome.isRefused)
    telemetry.report({ ...event, message: outcome.message });
  const failed = { atMs: clock.nowMs(), message: outcome.message };
  reportLife({ ...latest, failed }, check);
  return { ...latest, failed };
}

/** Reports once that the end of a token is unknown: it expires after sixty days without another warning. */
function reportUnknown({ name, login, renewal, before, telemetry }: TokenCheck): void {
  if (before !== undefined || login !== 'instagram' || typeof renewal !== 'string') return;
  const message = `when it ends is not known, and ${renewal}`;
  const event = { type: 'token-renewal', name: shownName(name) } as const;
  telemetry.report({ ...event, outcome: 'failed', message });
}

function reportLife({ life, failed }: KnownToken, check: TokenCheck): void {
  const { name, tokens, telemetry, clock } = check;
  if (life === null) {
    reportUnknown(check);
    return;
  }
  const endMs = endOf(life);
  const warnAtDays = warningOf(endMs, clock.nowMs());
  const why = failed?.message ?? (typeof check.renewal === 'string' ? check.renewal : '');
  telemetry.report({
    type: 'token',
    name: shownName(name),
    inUse: tokens.names().map(shownName),
    expiresAtMs: endMs,
    warnAtDays,
    action: endMs === null || warnAtDays === null ? '' : actionOf(life, why, clock.nowMs()),
  });
}

/** Returns the advice for a token that expires soon. */
function actionOf(life: TokenLife, why: string, nowMs: number): string {
  const endMs = endOf(life) ?? nowMs;
  const days = daysLeft(endMs, nowMs);
  const when = days < 0 ? 'has ended' : days === 0 ? 'ends within a day' : `ends in ${days} days`;
  if (endMs !== life.expiresAtMs) {
    return `Its access to data ${when}: its user must log in again (instagram-kafka login).`;
  }
  return `It ${when}${why === '' ? '' : `; ${why}`}. Get a new one (instagram-kafka login) and put it where the old one is.`;
}
