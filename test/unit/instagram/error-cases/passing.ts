import { type ErrorCase, oauth } from './error-case.ts';

const server = { disposition: 'retry', code: 'graph.server', retryAfterMs: undefined };

/** Errors that pass without action. */
export const passing: readonly ErrorCase[] = [
  {
    name: '1, too much data, in its shortest form',
    status: 500,
    body: {
      error: {
        code: 1,
        message: "Please reduce the amount of data you're asking for, then retry your request",
      },
    },
    becomes: { disposition: 'retry', code: 'graph.too-much-data' },
  },
  {
    name: '1/99, too much data',
    status: 500,
    body: {
      error: {
        message: "Please reduce the amount of data you're asking for, then retry your request",
        type: oauth,
        code: 1,
        error_subcode: 99,
      },
    },
    becomes: { disposition: 'retry', code: 'graph.too-much-data' },
  },
  {
    name: 'a batch request with too many items',
    status: 400,
    body: {
      error: {
        message: 'Too many requests in batch message. Maximum batch size is 50',
        type: 'GraphBatchException',
      },
    },
    becomes: { disposition: 'retry', code: 'graph.too-much-data' },
  },
  {
    name: '1 on a 400',
    status: 400,
    body: { error: { message: 'An unknown error has occurred.', type: oauth, code: 1 } },
    becomes: server,
  },
  {
    name: '2',
    status: 500,
    body: {
      error: {
        message: 'An unexpected error has occurred. Please retry your request later.',
        type: oauth,
        is_transient: true,
        code: 2,
        fbtrace_id: 'A0000000000000000000000',
      },
    },
    becomes: server,
  },
  ...[
    'Error validating application. Cannot get application info due to a system error.',
    'The application is temporarily unavailable',
    'Cannot get application info. Please try again later.',
  ].map((message) => ({
    name: `101, ${message}`,
    status: 400,
    body: { error: { message, type: oauth, code: 101 } },
    becomes: server,
  })),
  {
    name: 'an unknown code that Meta calls transient',
    status: 400,
    body: { error: { message: 'Try again', type: oauth, is_transient: true, code: 1349174 } },
    becomes: server,
  },
  {
    name: 'HTTP 502 with JSON that is not an error of Meta',
    status: 502,
    body: ['bad', 'gateway'],
    becomes: server,
  },
];
