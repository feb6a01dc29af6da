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
import { readNote } from './store.ts';
import type { TokenRefusals } from './refusals.ts';
import { type Tokens, shownName } from './tokens.ts';

/** What tokens are kept with. */
export interface KeeperParts {
  readonly login: Login;
  readonly tokens: Tokens;
  readonly oauth: OAuth;
  readonly refusals: Pick<TokenRefusals, 'refuse'>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** The file of the tokens; null when they came from elsewhere. */
  readonly path: string | null;
  /** How a token is renewed, or why none can be, as the middle of a sentence. */
  readonly renewal: Renewal | string;
  /** Is told whenever every token was looked at. */
  readonly onLooked: () => void;
}

/** The tokens are looked at so often; warnings come no later than this. */
const lookEveryMs = 3_600_000;
/** Meta is asked of a token again after this long: its user may have changed its mind. */
const askEveryMs = 86_400_000;
/** A renewal that failed is tried again after this long. */
const retryMs = 6 * 3_600_000;

/** What is known of one token, by its text. */
interface Known {
  readonly life: TokenLife | null;
  readonly askedMs: number;
  /** When its renewal failed last, and why; an unknown end is a token to be renewed. */
  readonly failed: { readonly atMs: number; readonly message: string } | null;
}

/**
 * Learns when tokens end, tells of it and renews them in good time, until aborted; never rejects.
 * Trouble is told and nothing else: a token that cannot be renewed goes on to be used.
 */
export async function keepTokens(parts: KeeperParts, signal: AbortSignal): Promise<void> {
  const { tokens, clock } = parts;
  const known = new Map<string, Known>();
  while (!signal.aborted) {
    // One at a time: each may write the file that they share.
    for (const name of tokens.names()) await lookAt(name, { ...parts, known }, signal);
    parts.onLooked();
    const waiting = linkSignals([signal]);
    await Promise.race([
      clock.sleep(lookEveryMs, waiting.signal),
      tokens.changed(waiting.signal),
    ]).catch(() => undefined);
    // Ends the wait that lost.
    waiting.abort(new Error('looking again'));
    waiting.unlink();
  }
}

/** Looks at a token, and where that has brought another one, at that one as well. */
async function lookAt(
  name: string,
  { known, ...parts }: KeeperParts & { readonly known: Map<string, Known> },
  signal: AbortSignal,
): Promise<void> {
  for (const token of [parts.tokens.text(name), undefined]) {
    const current = token ?? parts.tokens.text(name);
    const now = await look(current, { ...parts, name, before: known.get(current) }, signal);
    if (now !== undefined) known.set(current, now);
    if (now !== undefined || signal.aborted) return;
  }
}

interface Looking extends KeeperParts {
  readonly name: string;
  readonly before: Known | undefined;
}

/** Undefined when it was aborted, or when the token was renewed and is of no more interest. */
async function look(
  token: string,
  looking: Looking,
  signal: AbortSignal,
): Promise<Known | undefined> {
  const { renewal } = looking;
  try {
    const learned = await learn(token, looking, signal);
    if (typeof renewal !== 'string' && isDue(learned, looking)) {
      return await renew(token, { ...looking, renewal, learned }, signal);
    }
    tell(learned, looking);
    return learned;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

function isDue({ life, failed }: Known, { login, clock }: Looking): boolean {
  const nowMs = clock.nowMs();
  if (failed !== null && nowMs - failed.atMs < retryMs) return false;
  // With Instagram Login a renewal is the only way to learn when a token ends.
  return life === null ? login === 'instagram' : isRenewalDue(life, nowMs);
}

/** Facebook tells of any token; of one of Instagram Login only who has made it knows. */
async function learn(token: string, looking: Looking, signal: AbortSignal): Promise<Known> {
  const { login, clock, before, path } = looking;
  const known: Known = before ?? { life: null, askedMs: clock.nowMs(), failed: null };
  if (login === 'facebook') return askMeta(token, { ...looking, known }, signal);
  const note = path === null ? undefined : await readNote(path, token);
  return note === undefined ? known : { ...known, life: { ...note, dataAccessUntilMs: null } };
}

async function askMeta(
  token: string,
  { name, oauth, clock, known, refusals }: Looking & { readonly known: Known },
  signal: AbortSignal,
): Promise<Known> {
  const askedMs = clock.nowMs();
  if (known.life !== null && askedMs - known.askedMs < askEveryMs) return known;
  try {
    const facts = await oauth.inspect(token, signal);
    if (!facts.isValid) {
      const reason = facts.reason === null ? '' : ` Meta says "${facts.reason}"`;
      const message = `/debug_token: Meta calls the access token invalid: ${renewAdvice}.${reason}`;
      refusals.refuse(name, token, { code: 'graph.token', message });
    }
    return { ...known, life: facts.isKnown ? facts : null, askedMs };
  } catch (error) {
    signal.throwIfAborted();
    // Whoever polls with the token meets the same trouble, and says more of it.
    if (error instanceof StopAccountError && error.refusesToken) {
      refusals.refuse(name, token, error);
    }
    if (isConnectorError(error)) return known;
    throw error;
  }
}

async function renew(
  token: string,
  looking: Looking & { readonly renewal: Renewal; readonly learned: Known },
  signal: AbortSignal,
): Promise<Known | undefined> {
  const { name, clock, telemetry, renewal, learned } = looking;
  const outcome = await renewal(token, learned.life, signal);
  if (outcome.kind === 'elsewhere') return learned;
  const told = { type: 'token-renewal', name: shownName(name), outcome: outcome.kind } as const;
  if (outcome.kind === 'renewed') {
    telemetry.report({ ...told, message: '' });
    return undefined;
  }
  // That Meta does not renew a token without a known end yet is no trouble: it may be new.
  if (learned.life !== null || !outcome.isRefused)
    telemetry.report({ ...told, message: outcome.message });
  const failed = { atMs: clock.nowMs(), message: outcome.message };
  tell({ ...learned, failed }, looking);
  return { ...learned, failed };
}

/** Said once: it ends after sixty days like every other, and nothing else would tell of it. */
function reportUnknown({ name, login, renewal, before, telemetry }: Looking): void {
  if (before !== undefined || login !== 'instagram' || typeof renewal !== 'string') return;
  const message = `when it ends is not known, and ${renewal}`;
  const told = { type: 'token-renewal', name: shownName(name) } as const;
  telemetry.report({ ...told, outcome: 'failed', message });
}

function tell({ life, failed }: Known, looking: Looking): void {
  const { name, tokens, telemetry, clock } = looking;
  if (life === null) {
    reportUnknown(looking);
    return;
  }
  const endMs = endOf(life);
  const warnAtDays = warningOf(endMs, clock.nowMs());
  const why = failed?.message ?? (typeof looking.renewal === 'string' ? looking.renewal : '');
  telemetry.report({
    type: 'token',
    name: shownName(name),
    inUse: tokens.names().map(shownName),
    expiresAtMs: endMs,
    warnAtDays,
    action: endMs === null || warnAtDays === null ? '' : actionOf(life, why, clock.nowMs()),
  });
}

/** What a person must do of a token that ends soon. */
function actionOf(life: TokenLife, why: string, nowMs: number): string {
  const endMs = endOf(life) ?? nowMs;
  const days = daysLeft(endMs, nowMs);
  const when = days < 0 ? 'has ended' : days === 0 ? 'ends within a day' : `ends in ${days} days`;
  if (endMs !== life.expiresAtMs) {
    return `Its access to data ${when}: its user must log in again (instagram-kafka login).`;
  }
  return `It ${when}${why === '' ? '' : `; ${why}`}. Get a new one (instagram-kafka login) and put it where the old one is.`;
}
