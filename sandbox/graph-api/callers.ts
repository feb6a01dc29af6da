import type { Caller } from './context.ts';
import { graphError, type ErrorName } from './errors.ts';
import type { TokenTrouble } from './conditions-spec.ts';
import type { Grant } from './tokens/store.ts';
import type { World } from './world/model.ts';

/** Who a token stands for and which host's words it is answered in. */
export interface Identity {
  readonly caller: Caller;
  readonly dialect: 'facebook' | 'instagram';
}

/** Finds whose token it is; undefined for one that the world does not know. */
export function identify(token: string, world: World): Identity | undefined {
  const grant = world.tokens.find(token);
  return grant && identityOf(grant, world);
}

function identityOf({ owner }: Grant, world: World): Identity | undefined {
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

const TROUBLES: Record<Exclude<TokenTrouble, 'expired'>, ErrorName> = {
  password: 'token-password',
  checkpoint: 'token-checkpoint',
  removed: 'token-removed',
  revoked: 'token-revoked',
};
const HOUR_MS = 3_600_000;

/** Throws what Meta says of a token that is good no more, or never was. */
export function checkToken(token: string, world: World, nowMs: number): void {
  const trouble = world.conditions.spec.badTokens?.[token];
  if (trouble !== undefined && trouble !== 'expired') {
    throw graphError(TROUBLES[trouble], world.app.clientId);
  }
  const expiresAtMs = endOf(token, world, nowMs);
  if (expiresAtMs !== null && expiresAtMs <= nowMs) {
    throw graphError('token-expired', sessionTime(expiresAtMs), sessionTime(nowMs));
  }
  if (world.tokens.find(token) === undefined) {
    throw graphError('bad-token');
  }
}

/** When a token ends or has ended, epoch milliseconds; null for never. */
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

/** `Monday, 23-Nov-15 14:00:00 PST`. */
function sessionTime(atMs: number): string {
  const parts = SESSION_TIME.formatToParts(atMs);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  const date = `${part('day')}-${part('month')}-${part('year')}`;
  const time = `${part('hour')}:${part('minute')}:${part('second')}`;
  return `${part('weekday')}, ${date} ${time} ${part('timeZoneName')}`;
}
