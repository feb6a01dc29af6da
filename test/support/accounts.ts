import type { Account } from '../../src/engine/account.ts';

/** Made-up accounts of one token. */
export const account: Account = {
  id: '17841400000000001',
  pageId: '100000000000001',
  username: 'first',
};
export const otherAccount: Account = {
  id: '17841400000000002',
  pageId: '100000000000002',
  username: 'second',
};
