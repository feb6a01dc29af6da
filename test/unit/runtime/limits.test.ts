import { describe, expect, test } from '@jest/globals';
import { createLimits } from '../../../src/runtime/limits.ts';
import { account, otherAccount } from '../../support/accounts.ts';

const { id, pageId } = account;

describe('a pause', () => {
  test.each([
    { scope: { kind: 'app', id: '' }, own: 1000, others: 1000 },
    { scope: { kind: 'user', id: '' }, own: 1000, others: 1000 },
    { scope: { kind: 'account', id }, own: 1000, others: 0 },
    { scope: { kind: 'page', id: pageId ?? '' }, own: 1000, others: 0 },
  ] as const)('of $scope.kind holds for whom it concerns', ({ scope, own, others }) => {
    const limits = createLimits(() => 0);
    limits.pause(scope, 1000);

    expect(limits.delayMs(account)).toBe(own);
    expect(limits.delayMs(otherAccount)).toBe(others);
  });

  test('is over when its time has passed', () => {
    let nowMs = 0;
    const limits = createLimits(() => nowMs);
    limits.pause({ kind: 'app', id: '' }, 1000);
    nowMs = 999;
    expect(limits.delayMs(account)).toBe(1);
    nowMs = 5000;
    expect(limits.delayMs(account)).toBe(0);
  });

  test('is not cut short by a shorter one', () => {
    const limits = createLimits(() => 0);
    limits.pause({ kind: 'account', id }, 1000);
    limits.pause({ kind: 'account', id }, 10);

    expect(limits.delayMs(account)).toBe(1000);
  });

  test('of several scopes holds as long as the longest', () => {
    const limits = createLimits(() => 0);
    limits.pause({ kind: 'account', id }, 10);
    limits.pause({ kind: 'app', id: '' }, 20);

    expect(limits.delayMs(account)).toBe(20);
  });

  test('of a page does not hold for an account that is reached without one', () => {
    const limits = createLimits(() => 0);
    limits.pause({ kind: 'page', id: '100000000000001' }, 1000);

    expect(limits.delayMs({ ...account, pageId: null })).toBe(0);
  });
});
