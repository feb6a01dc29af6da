import { describe, expect, test } from '@jest/globals';
import { provenance } from '../../../src/engine/stream.ts';
import { account } from '../../support/accounts.ts';

const origin = { account, polledAtMs: 1_760_000_000_000 };

describe('provenance', () => {
  test('holds the account, the page and the time of the poll', () => {
    expect(provenance(origin)).toEqual({
      business_account_id: '17841400000000001',
      page_id: '100000000000001',
      polled_at: 1_760_000_000_000,
    });
  });

  test('holds no page with Instagram Login', () => {
    expect(provenance({ ...origin, account: { ...account, pageId: null } }).page_id).toBeNull();
  });
});
