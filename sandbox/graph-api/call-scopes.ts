import type { ParsedRequest } from './answer.ts';
import type { CallerIdentity } from './callers.ts';
import type { CallScopes } from './meter.ts';
import { findComment } from './world/find-comment.ts';
import type { World } from './world/model.ts';
import { USER_ID } from './nodes/me-node.ts';

/**
 * Returns the account whose limit a request counts against; business discovery counts against the
 * app.
 */
export function scopesOfRequest(
  { segments, parameters }: ParsedRequest,
  identity: CallerIdentity | undefined,
  world: World,
): CallScopes {
  const discovers = /(^|,)\s*business_discovery\b/.test(parameters.get('fields') ?? '');
  return {
    account: discovers ? undefined : requestedOwner(segments[0], identity, world),
    userId: identity?.dialect === 'facebook' ? USER_ID : undefined,
    dialect: identity?.dialect ?? 'facebook',
  };
}

function requestedOwner(
  id: string | undefined,
  identity: CallerIdentity | undefined,
  world: World,
): string | undefined {
  if (id === 'me') {
    return identity?.caller.kind === 'account' ? identity.caller.account.id : undefined;
  }
  return id === undefined ? undefined : ownerOf(id, world);
}

function ownerOf(id: string, world: World): string | undefined {
  if (world.accounts.some((account) => account.id === id)) return id;
  const nowMs = world.clock.now();
  const media = world.findMedia(id, nowMs) ?? findComment(id, world, nowMs)?.media;
  return media?.accountId;
}
