import { describe, expect, test } from '@jest/globals';
import { recordKey } from '../../../src/engine/key.ts';

describe('recordKey', () => {
  test.each([
    [['id'], '18000000000000001'],
    [['business_account_id', 'date'], '17841400000000001/2026-05-12T07:00:00Z'],
    [['business_account_id', 'breakdown'], '17841400000000001/age,gender'],
  ])('joins the fields %j to %s', (fields, key) => {
    const record = {
      id: '18000000000000001',
      business_account_id: '17841400000000001',
      date: Date.UTC(2026, 4, 12, 7),
      breakdown: 'age,gender',
    };

    expect(recordKey(fields, record)).toBe(key);
  });
});
