import type { Json } from '../../../../src/engine/json.ts';
import { type ErrorCase, oauth } from './error-case.ts';

function invalidToken(error: Json, says: readonly string[]): Omit<ErrorCase, 'name'> {
  const becomes = { disposition: 'stop-account', code: 'graph.token' };
  return { status: 400, body: { error }, becomes, says };
}

function withoutProof(message: string, code = 100): Omit<ErrorCase, 'name'> {
  return {
    status: 400,
    body: { error: { message, type: 'GraphMethodException', code, fbtrace_id: 'A1' } },
    becomes: { disposition: 'stop-account', code: 'graph.app-secret' },
    says: ['set INSTAGRAM_CLIENT_ID and INSTAGRAM_CLIENT_SECRET to those of the app'],
  };
}

/** Tokens and blocks. */
export const tokens: readonly ErrorCase[] = [
  {
    name: '100 without appsecret_proof',
    ...withoutProof('API calls from the server require an appsecret_proof argument'),
  },
  {
    name: '1 with another app secret',
    ...withoutProof('Error validating client secret.', 1),
  },
  {
    name: '101, an unknown app',
    ...withoutProof('Error validating application. Cannot get application info.', 101),
  },
  {
    name: '100 with the appsecret_proof of another secret',
    ...withoutProof('Invalid appsecret_proof provided in the API argument'),
  },
  {
    name: '190 without subcode, a Facebook Login token expected',
    ...invalidToken(
      {
        message: 'Invalid OAuth access token - Cannot parse access token',
        type: oauth,
        code: 190,
        fbtrace_id: 'A1',
      },
      ['the access token is not accepted', 'INSTAGRAM_LOGIN=instagram', 'HTTP 400, code 190'],
    ),
  },
  {
    name: '190 without subcode, an Instagram Login token expected',
    login: 'instagram',
    ...invalidToken({ message: 'Invalid OAuth access token', type: 'IGApiException', code: 190 }, [
      'INSTAGRAM_LOGIN=facebook',
    ]),
  },
  ...(
    [
      [458, 'the app is no longer installed'],
      [459, 'held at a checkpoint'],
      [460, 'password was changed'],
      [463, 'the access token has expired'],
      [464, 'is not confirmed'],
      [467, 'was revoked'],
      [492, 'has no role on the Facebook page'],
    ] as const
  ).map(([subcode, words]) => ({
    name: `190/${subcode}`,
    ...invalidToken(
      {
        message: 'Error validating access token',
        type: oauth,
        code: 190,
        error_subcode: subcode,
        error_user_title: 'A title',
        error_user_msg: 'A message',
      },
      [words, `code 190, subcode ${subcode}`],
    ),
  })),
  {
    name: '102',
    ...invalidToken({ message: 'Session key invalid or no longer valid', type: oauth, code: 102 }, [
      'INSTAGRAM_ACCESS_TOKEN',
    ]),
  },
  {
    name: '104',
    ...invalidToken(
      {
        message: 'An access token is required to request this resource.',
        type: oauth,
        code: 104,
      },
      ['INSTAGRAM_ACCESS_TOKEN'],
    ),
  },
  {
    name: '2500 about the token',
    ...invalidToken(
      {
        message: 'An active access token must be used to query information about the current user.',
        type: oauth,
        code: 2500,
      },
      ['INSTAGRAM_ACCESS_TOKEN'],
    ),
  },
  {
    name: '415',
    ...invalidToken(
      {
        message: '(#415) Two factor authentication is required by the Business Manager',
        type: oauth,
        code: 415,
      },
      ['must complete two-factor authentication in Business Manager'],
    ),
  },
  ...[
    'API access deactivated. To reactivate, go to the app dashboard.',
    'API access blocked.',
    'The app was Deactivated',
  ].map((message) => ({
    name: `200, ${message}`,
    status: 400,
    body: { error: { message, type: oauth, code: 200 } },
    becomes: { disposition: 'stop-account', code: 'graph.blocked' },
    says: ["open the app's dashboard at Meta for Developers", 'required actions'],
  })),
  {
    name: '368',
    status: 400,
    body: {
      error: {
        message: 'The action attempted has been deemed abusive or is otherwise disallowed',
        type: oauth,
        code: 368,
      },
    },
    becomes: { disposition: 'stop-account', code: 'graph.blocked' },
  },
];
