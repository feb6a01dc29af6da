import type { Caller } from './context.ts';
import type { World } from './world/model.ts';

/** Who a token stands for and which host's words it is answered in. */
export interface Identity {
  readonly caller: Caller;
  readonly dialect: 'facebook' | 'instagram';
}

/** Finds whose token it is; undefined for one that the world does not know. */
export function identify(token: string, world: World): Identity | undefined {
  if (token === world.token) {
    return { caller: { kind: 'user' }, dialect: 'facebook' };
  }
  const page = world.pages.find((one) => one.token === token);
  if (page !== undefined) {
    return { caller: { kind: 'page', page }, dialect: 'facebook' };
  }
  const account = world.accounts.find((one) => one.instagramToken === token);
  return account === undefined
    ? undefined
    : { caller: { kind: 'account', account }, dialect: 'instagram' };
}
