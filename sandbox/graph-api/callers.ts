import type { Caller } from './context.ts';
import { graphError, type ErrorName } from './errors.ts';
import type { TokenDefect } from './conditions-spec.ts';
import type { Grant } from './tokens/store.ts';
import type { World } from './world/model.ts';

/** The owner of a token, and the host whose wording its answers use. */
export interface CallerIdentity {
  readonly caller: Caller;
  readonly dialect: 'facebook' | 'instagram';
}

/** Finds the owner of a token; undefined for an unknown token. */
export function identify(token: string, world: World): CallerIdentity | undefined {
  const grant = world.tokens.find(token);
  return grant && identityOf(grant, world);
}

function identityOf({ owner }: Grant, world: World): CallerIdentity | undefined {
  switch (owner.kind) {
    case 'user':
      return { caller: { kind: 'user' }, dialect: 'facebook' };
    case 'page': {
      const page = world.pages.find(({ id }) => id === owner.pageId);
      return page && { caller: { kind: 'page', page }, dialect: 'facebook' };
    }
    case 'account': {
      const account = world.accounts.find(({ id }) => id === owner.accountId);
      return account && { caller: { kind: 'account', account }, dialect: 'instagram' };
    }
  }
}

const DEFECT_ERRORS: Record<Exclude<TokenDefect, 'expired'>, ErrorName> = {
  password: 'token-password',
  checkpoint: 'token-checkpoint',
  removed: 'token-removed',
  revoked: 'token-revoked',
};
const HOUR_MS = 3_600_000;

/** Throws Meta's error for an invalid or ended token. */
export function checkToken(token: string, world: World, nowMs: number): void {
  const defect = world.conditions.spec.badTokens?.[token];
  if (defect !== undefined && defect !== 'expired') {
    throw graphError(DEFECT_ERRORS[defect], world.app.clientId);
  }
  const expiresAtMs = endOf(token, world, nowMs);
  if (expiresAtMs !== null && expiresAtMs <= nowMs) {
    throw graphError('token-expired', sessionTime(expiresAtMs), sessionTime(nowMs));
  }
  if (world.tokens.find(token) === undefined) {
    throw graphError('bad-token');
  }
}

/** Returns the end of a token, past or future, in epoch milliseconds; null for never. */
export function endOf(token: string, { conditions, tokens }: World, nowMs: number): number | null {
  if (conditions.spec.badTokens?.[token] === 'expired') return nowMs - HOUR_MS;
  return tokens.find(token)?.expiresAtMs ?? null;
}

const SESSION_TIME = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/Los_Angeles',
  weekday: 'long',
  day: '2-digit',
  month: 'short',
  year: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
});

/** Formats a time as `Monday, 23-Nov-15 14:00:00 PST`. */
function sessionTime(atMs: number): string {
  const parts = SESSION_TIME.formatToParts(atMs);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  const date = `${part('day')}-${part('month')}-${part('year')}`;
  const time = `${part('hour')}:${part('minute')}:${part('second')}`;
  return `${part('weekday')}, ${date} ${time} ${part('timeZoneName')}`;
}
