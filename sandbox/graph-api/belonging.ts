import type { Question } from './answer.ts';
import { idsOf } from './answer.ts';
import type { Identity } from './callers.ts';
import type { Belonging } from './meter.ts';
import { findComment } from './world/find-comment.ts';
import type { World } from './world/model.ts';
import { USER_ID } from './nodes/me-node.ts';

/** Which accounts a question asks about; business discovery asks about none of one's own. */
export function belongingOf(
  { segments, parameters }: Question,
  identity: Identity | undefined,
  world: World,
): Belonging {
  const userId = identity?.dialect === 'facebook' ? USER_ID : undefined;
  const accounts = new Map<string, number>();
  if (parameters.has('ids')) {
    for (const id of idsOf(parameters)) {
      const owner = ownerOf(id, world);
      if (owner !== undefined) accounts.set(owner, (accounts.get(owner) ?? 0) + 1);
    }
    return { accounts, userId };
  }
  const owner = askedOwner(segments[0], identity, world);
  const discovers = /(^|,)\s*business_discovery\b/.test(parameters.get('fields') ?? '');
  if (owner !== undefined && !discovers) {
    accounts.set(owner, 1);
  }
  return { accounts, userId };
}

function askedOwner(
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
