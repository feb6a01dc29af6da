import { describe, expect, test } from '@jest/globals';
import { validity } from '../../../../src/cli/check/api-steps.ts';
import type { ShownToken } from '../../../../src/cli/token/text.ts';

const nowMs = Date.UTC(2026, 10, 1);

const facts = {
  isValid: true,
  reason: null,
  isKnown: true,
  type: 'USER',
  appId: '1',
  application: 'App',
  userId: '2',
  issuedAtMs: null,
  expiresAtMs: null,
  dataAccessUntilMs: null,
  scopes: [],
  accountIds: [],
};

const token: ShownToken = {
  name: 'default',
  isValid: true,
  reason: null,
  code: null,
  facts,
  expiresAtMs: null,
  accounts: [],
  missing: [],
};

function untilDay(day: number): ShownToken['facts'] {
  return { ...facts, dataAccessUntilMs: Date.UTC(2026, 10, day) };
}

describe('check: the validity of a token', () => {
  test('is ok until its access to data ends', () => {
    expect(validity({ ...token, facts: untilDay(3) }, nowMs)).toEqual({
      status: 'ok',
      subject: 'default',
      detail: 'valid for ever, reaches data until 2026-11-03 (2 days)',
    });
  });

  test.each([
    ['that Meta still accepts', { isValid: true, reason: null }],
    ['that reaches no account', { isValid: false, reason: 'the token reaches no account' }],
  ])('fails after the end of its access to data, for a token %s', (_name, accepted) => {
    expect(validity({ ...token, ...accepted, facts: untilDay(1) }, nowMs)).toEqual({
      status: 'failed',
      subject: 'default',
      detail: 'its access to data expired at 2026-11-01T00:00:00.000Z',
      action: 'Let its user log in again (instagram-kafka login).',
      code: 'graph.token',
    });
  });

  test('fails when Meta rejects the token', () => {
    expect(validity({ ...token, isValid: false, facts: null }, nowMs)).toEqual({
      status: 'failed',
      subject: 'default',
      detail: 'Meta does not accept it',
      code: 'graph.token',
    });
  });

  test('fails with the code of the error when the request itself is rejected', () => {
    const reason = '/me/accounts: the request is rejected';
    const rejected = { ...token, isValid: false, reason, code: 'graph.refused' } as const;
    expect(validity(rejected, nowMs)).toEqual({
      status: 'failed',
      subject: 'default',
      detail: reason,
      code: 'graph.refused',
    });
  });
});
