import { type ErrorCase, limited, oauth } from './error-case.ts';

const accountId = '17841400000000001';

const app = limited({ kind: 'app', id: '' });

/** Limits, whatever their status. */
export const limits: readonly ErrorCase[] = [
  {
    name: '4, a transient 403',
    status: 403,
    body: {
      error: {
        message: '(#4) Application request limit reached',
        type: oauth,
        is_transient: true,
        code: 4,
        fbtrace_id: 'A0000000000000000000000',
      },
    },
    becomes: app,
    says: ["the app's request limit is reached", '5 min'],
  },
  {
    name: '17',
    status: 400,
    body: {
      error: {
        message: '(#17) User request limit reached',
        type: oauth,
        is_transient: true,
        code: 17,
        error_subcode: 2446079,
      },
    },
    becomes: limited({ kind: 'user', id: '' }),
  },
  {
    name: '32',
    status: 400,
    body: {
      error: {
        message: '(#32) Page request limit reached',
        type: oauth,
        code: 32,
        fbtrace_id: 'Fz54k3GZrio',
      },
    },
    becomes: limited({ kind: 'page', id: '555' }),
  },
  {
    name: '341',
    status: 400,
    body: {
      error: { message: '(#341) Feed action request limit reached', type: oauth, code: 341 },
    },
    becomes: app,
  },
  {
    name: '613',
    status: 400,
    body: {
      error: {
        message: '(#613) Calls to this api have exceeded the rate limit.',
        type: oauth,
        code: 613,
        error_subcode: 1996,
      },
    },
    becomes: app,
  },
  {
    name: '80001',
    status: 400,
    body: {
      error: {
        message: '(#80001) There have been too many calls to this Page account.',
        type: oauth,
        code: 80001,
      },
    },
    becomes: limited({ kind: 'page', id: '555' }),
  },
  {
    name: '80002',
    status: 400,
    body: {
      error: {
        message:
          '(#80002) There have been too many calls to this Instagram account. Wait a bit and try again. For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting.',
        type: oauth,
        code: 80002,
        error_subcode: 2446079,
      },
    },
    becomes: limited({ kind: 'account', id: accountId }),
  },
  {
    name: '80004, another business use case',
    status: 400,
    body: { error: { message: '(#80004) There have been too many calls', code: 80004 } },
    becomes: limited({ kind: 'account', id: accountId }),
  },
  {
    name: 'HTTP 429 with no code',
    status: 429,
    body: { message: 'slow down' },
    becomes: app,
  },
];
