import { describe, expect, test } from '@jest/globals';
import {
  contract,
  createApiObserver,
  insightsFinding,
} from '../../../../src/cli/check/api-steps.ts';
import { SkipError } from '../../../../src/engine/errors.ts';
import type { ProbedForm } from '../../../../src/engine/ports.ts';
import { account } from '../../../support/accounts.ts';

const probing = { account, requestedVersion: 'v26.0', answeredBy: 'v26.0', batchRejection: null };
const insights = '/{account}/insights';
const taken: ProbedForm = {
  stream: 'users',
  endpoint: '/{account}',
  outcome: 'ok',
  code: null,
  message: '',
};
const rejected: ProbedForm = {
  stream: 'user_insights',
  endpoint: insights,
  outcome: 'rejected',
  code: 'graph.permission',
  message: `${insights}: the token lacks a permission`,
};
const batch: ProbedForm = {
  stream: null,
  endpoint: 'batch',
  outcome: 'rejected',
  code: 'graph.refused',
  message: 'the API takes no batches',
};

describe('check: the forms of request', () => {
  test('are counted as accepted, as failed, or as untried for lack of an object', () => {
    const unknown = { ...taken, stream: 'comments', outcome: 'unknown' } as const;
    expect(contract([taken, rejected, unknown], probing)).toEqual([
      {
        status: 'ok',
        subject: account.id,
        detail: 'forms of request accepted: 1, answered by v26.0',
      },
      {
        status: 'skipped',
        subject: account.id,
        detail: 'forms of request not tried, for lack of an object or an answer: 1',
      },
      {
        status: 'failed',
        subject: 'user_insights',
        detail: `${insights}: the token lacks a permission`,
        code: 'graph.permission',
      },
    ]);
  });

  test('are reported with the answering and the requested API version', () => {
    const details = contract([taken, rejected], { ...probing, answeredBy: 'v27.0' });
    expect(details.map(({ detail }) => detail)).toEqual([
      expect.stringContaining('answered by v27.0, asked as v26.0'),
      expect.stringContaining('answered by v27.0, asked as v26.0'),
    ]);
  });

  test('are reported with the endpoint when the message lacks it', () => {
    const [finding] = contract([{ ...rejected, message: 'no list' }], probing);
    expect(finding?.subject).toBe(`user_insights ${insights}`);
  });

  test.each([
    ['graph.refused', '(#100) Unsupported post request', /^No action needed: each object/],
    ['graph.retired', '(#100) batch is deprecated in v28.0', /^Install a newer version/],
  ])(
    'include a warning with code %s and Meta’s message when batch requests are rejected',
    (code, words, action) => {
      const observer = createApiObserver();
      observer.report({ type: 'batch-rejected', isAbsent: true, message: `Meta says "${words}"` });
      const batchRejection = observer.batchRejection();
      expect(contract([batch], { ...probing, batchRejection })).toEqual([
        {
          status: 'warning',
          subject: 'batch',
          detail: `Meta says "${words}"`,
          action: expect.stringMatching(action),
          code,
        },
      ]);
    },
  );

  test('include a warning when only one metric is rejected', () => {
    const error = new SkipError('graph.metric-refused', 'no reach', ['reach']);
    expect(insightsFinding(error, account)).toMatchObject({ status: 'warning' });
  });
});
