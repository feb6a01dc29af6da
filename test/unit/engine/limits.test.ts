import { describe, expect, test } from '@jest/globals';
import type { Scope } from '../../../src/engine/errors.ts';
import {
  type Limit,
  type ScopeStates,
  describeLimits,
  lastLimit,
} from '../../../src/engine/limits.ts';

const app: Scope = { kind: 'app', id: '' };
const own: Scope = { kind: 'account', id: '7' };
const hourMs = 3_600_000;

describe('lastLimit', () => {
  const states: ScopeStates = new Map([
    ['app', { state: 'stopped', untilMs: hourMs }],
    ['account 7', { state: 'stopped', untilMs: 2 * hourMs }],
    ['page 9', { state: 'slowed', untilMs: null }],
  ]);

  test('is that of the scope whose stop ends last', () => {
    expect(lastLimit([app, own], states, 0)).toEqual({
      scope: 'account',
      id: '7',
      until: '1970-01-01T02:00:00.000Z',
    });
    expect(lastLimit([app], states, 0)).toMatchObject({ scope: 'app', id: null });
  });

  test('is null without scopes, for scopes that are not stopped, and after the end of the stop', () => {
    expect(lastLimit(undefined, states, 0)).toBeNull();
    expect(
      lastLimit(
        [
          { kind: 'page', id: '9' },
          { kind: 'user', id: '' },
        ],
        states,
        0,
      ),
    ).toBeNull();
    expect(lastLimit([app], states, hourMs)).toBeNull();
  });
});

describe('describeLimits', () => {
  const limit = (scope: Limit['scope'], id: string | null, hour: number): Limit => {
    return { scope, id, until: new Date(hour * hourMs).toISOString() };
  };

  test.each([
    [limit('app', null, 1), 'the limit of the app'],
    [limit('app', 'brand', 1), 'the limit of the app of token brand'],
    [limit('account', '7', 1), 'the limit of account 7'],
  ])('names one limit: %j', (one, names) => {
    expect(describeLimits([one, one])).toEqual({
      names,
      areSeveral: false,
      until: '1970-01-01T01:00:00.000Z',
    });
  });

  test('names three limits, those that end last first, and counts the others', () => {
    const limits = [1, 2, 3, 4, 5].map((hour) => limit('account', String(hour), hour));

    expect(describeLimits(limits)).toEqual({
      names: 'the limits of account 5, account 4, account 3 and 2 more',
      areSeveral: true,
      until: '1970-01-01T05:00:00.000Z',
    });
  });
});
