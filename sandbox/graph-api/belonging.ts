import type { Question } from './answer.ts';
import type { Identity } from './callers.ts';
import type { Belonging } from './meter.ts';
import { findComment } from './world/find-comment.ts';
import type { World } from './world/model.ts';
import { USER_ID } from './nodes/me-node.ts';

/** The account whose limit a question counts against; business discovery counts against the app. */
export function belongingOf(
  { segments, parameters }: Question,
  identity: Identity | undefined,
  world: World,
): Belonging {
  const discovers = /(^|,)\s*business_discovery\b/.test(parameters.get('fields') ?? '');
  return {
    account: discovers ? undefined : requestedOwner(segments[0], identity, world),
    userId: identity?.dialect === 'facebook' ? USER_ID : undefined,
    dialect: identity?.dialect ?? 'facebook',
  };
}

function requestedOwner(
  id: string | undefined,
  identity: Identity | undefined,
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
