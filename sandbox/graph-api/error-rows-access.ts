import type { ErrorRow } from './error-row.ts';

/** Errors of access and quota: tokens, apps and limits. */
export const ACCESS_ROWS = {
  'no-token': {
    status: 400,
    code: 104,
    message: 'An access token is required to request this resource.',
  },
  'no-token-for-me': {
    status: 400,
    code: 2500,
    message: 'An active access token must be used to query information about the current user.',
  },
  'bad-token': {
    status: 400,
    code: 190,
    message: 'Invalid OAuth access token - Cannot parse access token',
  },
  'token-expired': {
    status: 400,
    code: 190,
    subcode: 463,
    message: 'Error validating access token: Session has expired on {0}. The current time is {1}.',
  },
  'token-password': {
    status: 400,
    code: 190,
    subcode: 460,
    message:
      'Error validating access token: The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons.',
  },
  'token-checkpoint': {
    status: 400,
    code: 190,
    subcode: 459,
    message:
      'Error validating access token: You cannot access the app till you log in to www.facebook.com and follow the instructions given.',
  },
  'token-removed': {
    status: 400,
    code: 190,
    subcode: 458,
    message: 'Error validating access token: The user has not authorized application {0}.',
  },
  'token-revoked': {
    status: 400,
    code: 190,
    subcode: 467,
    message: 'Error validating access token: The session is invalid because the user logged out.',
  },
  'token-unconfirmed': {
    status: 400,
    code: 190,
    subcode: 464,
    message:
      'Error validating access token: Sessions for the user are not allowed because the user is not a confirmed user.',
  },
  'token-no-role': {
    status: 400,
    code: 190,
    subcode: 492,
    message:
      'Error validating access token: The user does not have an appropriate role on the Page.',
  },
  'session-invalid': { status: 400, code: 102, message: 'Session key invalid or no longer valid' },
  'too-young': {
    status: 400,
    code: 100,
    message: '(#100) The access token must be at least 24 hours old to be refreshed',
  },
  'not-long-lived': {
    status: 400,
    code: 100,
    message: '(#100) Only long-lived access tokens can be refreshed',
  },
  'no-app': {
    status: 400,
    code: 101,
    message: 'Error validating application. Cannot get application info due to a system error.',
  },
  'bad-secret': { status: 400, code: 1, message: 'Error validating client secret.' },
  'missing-parameter': { status: 400, code: 101, message: 'Missing {0} parameter.' },
  'bad-grant': { status: 400, code: 100, message: '(#100) Unsupported grant type: {0}' },
  'code-unknown': {
    status: 400,
    code: 100,
    message: 'Invalid verification code format.',
  },
  'code-used': {
    status: 400,
    code: 100,
    subcode: 36009,
    message: 'This authorization code has been used.',
  },
  'code-expired': {
    status: 400,
    code: 100,
    subcode: 36007,
    message: 'This authorization code has expired.',
  },
  'redirect-differs': {
    status: 400,
    code: 100,
    subcode: 36008,
    message:
      'Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request',
  },
  'bad-challenge': {
    status: 400,
    code: 100,
    message: '(#100) Unsupported code_challenge_method: {0}',
  },
  'bad-configuration': { status: 400, code: 100, message: '(#100) Invalid config_id: {0}' },
  'verifier-differs': {
    status: 400,
    code: 100,
    message: 'Error validating verification code. The code_verifier does not match.',
  },
  'proof-required': {
    status: 400,
    type: 'GraphMethodException',
    code: 100,
    message: 'API calls from the server require an appsecret_proof argument',
  },
  'proof-invalid': {
    status: 400,
    type: 'GraphMethodException',
    code: 100,
    message: 'Invalid appsecret_proof provided in the API argument',
  },
  'app-limit': {
    status: 403,
    code: 4,
    message: '(#4) Application request limit reached',
    transient: true,
  },
  'user-limit': {
    status: 400,
    code: 17,
    subcode: 2446079,
    message: '(#17) User request limit reached',
  },
  'page-limit': { status: 400, code: 32, message: '(#32) Page request limit reached' },
  'application-limit': { status: 400, code: 341, message: '(#341) Application limit reached' },
  'calls-exceeded': {
    status: 400,
    code: 613,
    message: '(#613) Calls to this api have exceeded the rate limit.',
  },
  'account-limit': {
    status: 400,
    code: 80002,
    subcode: 2446079,
    message:
      '(#80002) There have been too many calls to this Instagram account. Wait a bit and try again. For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting.',
  },
  'no-batch': {
    status: 400,
    code: 200,
    message: 'Cannot call API for app {0} on behalf of user 0',
  },
  'batch-too-big': {
    status: 400,
    type: 'GraphBatchException',
    code: 100,
    message: 'Too many requests in batch message. Maximum batch size is 50',
  },
  'bad-batch': {
    status: 400,
    type: 'GraphBatchException',
    code: 100,
    message: 'The batch parameter must be a JSON array of requests',
  },
  'batch-refused': {
    status: 400,
    type: 'GraphMethodException',
    code: 100,
    message:
      '(#100) Unsupported post request. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api',
  },
} as const satisfies Record<string, ErrorRow>;
