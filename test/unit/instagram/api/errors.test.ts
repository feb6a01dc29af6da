import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Login } from '../../../../src/engine/account.ts';
import { isClassifiedError } from '../../../../src/engine/errors.ts';
import { type Json, isNode } from '../../../../src/engine/json.ts';
import { type AnswerContext, readNode } from '../../../../src/instagram/api/response.ts';
import { readEnvelope } from '../../../../src/instagram/api/failure.ts';
import { errorRows, rowMatches } from '../../../../src/instagram/api/errors.ts';
import { createBodyRedact, createRedact } from '../../../../src/instagram/api/redaction.ts';
import { permissionAdvice } from '../../../../src/instagram/token-advice.ts';
import { fields } from '../error-cases/fields.ts';
import { limits } from '../error-cases/limits.ts';
import { metrics } from '../error-cases/metrics.ts';
import { objects } from '../error-cases/objects.ts';
import { passing } from '../error-cases/passing.ts';
import { requests } from '../error-cases/requests.ts';
import { tokens } from '../error-cases/tokens.ts';
import { mediaRequest, token } from '../opened.ts';

/** Literal bodies: recorded, documented or observed; at least one for every row of the table. */
const cases = [limits, tokens, passing, objects, metrics, fields, requests].flat();

function contextOf(
  query: Readonly<Record<string, string>>,
  login: Login,
  path = mediaRequest.path,
): AnswerContext {
  return {
    request: { ...mediaRequest, path, query },
    login,
    pageId: '555',
    nowMs: 0,
    redact: createRedact(token),
    redactBody: createBodyRedact(token),
  };
}

interface Asked {
  readonly status: number;
  readonly body: Json;
  readonly query?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly login?: Login;
  readonly headers?: Readonly<Record<string, string>>;
}

function translated({
  status,
  body,
  query = {},
  path,
  login = 'facebook',
  headers = {},
}: Asked): unknown {
  const answer = {
    status,
    headers: new Headers(headers),
    body: new TextEncoder().encode(JSON.stringify(body)),
  };
  try {
    return readNode(answer, contextOf(query, login, path));
  } catch (error) {
    return error;
  }
}

describe('table of Graph API errors', () => {
  test.each(cases.map((one) => [one.name, one] as const))('translates %s', (_name, one) => {
    const error = translated(one);
    expect(isClassifiedError(error)).toBe(true);
    expect(error).toMatchObject(one.becomes);
    for (const words of one.says ?? []) {
      expect(error).toHaveProperty('message', expect.stringContaining(words));
    }
  });

  test('has a test case for every row', () => {
    const decided = cases.map(({ status, body, query = {}, login = 'facebook' }) => {
      const envelope = readEnvelope(body);
      const failure = { ...contextOf(query, login), status, headers: new Headers(), envelope };
      return errorRows.findIndex((row) => rowMatches(row, failure));
    });
    const untested = errorRows.filter((_row, index) => !decided.includes(index));
    expect(untested).toEqual([]);
  });
});

describe('advice on a missing permission', () => {
  test.each([
    ['facebook', 'instagram_manage_insights'],
    ['instagram', 'instagram_business_manage_insights'],
  ] as const)('names the insights permission of %s for insights of a media', (login, name) => {
    expect(permissionAdvice({ login, readsPeople: true, listsBusinesses: false }, true)).toBe(
      `the token lacks a permission: give the app and the token ${name}, and the token's user a role on the account`,
    );
  });
});

describe('message of a Graph API error', () => {
  test("names endpoint, account, next step, Meta's words, codes and trace id", () => {
    const error = translated({
      status: 400,
      body: {
        error: {
          message: 'Error validating access token: Session has expired.',
          code: 190,
          error_subcode: 463,
          error_user_msg: 'Une erreur',
          fbtrace_id: 'AbC',
        },
      },
    });
    expect(error).toHaveProperty(
      'message',
      '/{account}/media for account 17841400000000001: the access token has expired: get a new token (instagram-kafka login) and set INSTAGRAM_ACCESS_TOKEN, or write it to the file of INSTAGRAM_ACCESS_TOKEN_FILE (a system user\'s token does not expire). Meta says "Error validating access token: Session has expired." (HTTP 400, code 190, subcode 463, fbtrace_id AbC)',
    );
  });

  test('says that Meta gave no message when the error is empty', () => {
    expect(translated({ status: 400, body: { error: {} } })).toHaveProperty(
      'message',
      '/{account}/media for account 17841400000000001: the request is rejected and is sent again at the next interval; if this stays, check INSTAGRAM_API_VERSION, or report this message as a bug. Meta gave no message (HTTP 400)',
    );
  });
});

describe('rate limit of the Graph API', () => {
  const body = { error: { message: '(#80002) too many calls', code: 80002 } };

  test('lasts for the time that the usage header estimates for the account', () => {
    const usage = { '17841400000000001': [{ estimated_time_to_regain_access: 19 }] };
    expect(
      translated({
        status: 400,
        body,
        headers: { 'x-business-use-case-usage': JSON.stringify(usage) },
      }),
    ).toMatchObject({ retryAfterMs: 1_140_000 });
  });

  test.each([4, 17, 32, 613, 80002])(
    'of code %s applies to the platform when the request is of public content',
    (code) => {
      const context = contextOf({}, 'facebook');
      const request = { ...mediaRequest, limit: 'platform', token: 'one' } as const;
      const bytes = new TextEncoder().encode(JSON.stringify({ error: { code } }));
      const answer = { status: 403, headers: new Headers(), body: bytes };
      const judged = (): unknown => readNode(answer, { ...context, request });

      expect(judged).toThrow(expect.objectContaining({ scope: { kind: 'platform', id: 'one' } }));
    },
  );

  test.each([
    { code: 80002, accountId: null, pageId: '555', scope: { kind: 'app', id: '' } },
    { code: 32, accountId: '178', pageId: null, scope: { kind: 'account', id: '178' } },
    { code: 32, accountId: null, pageId: null, scope: { kind: 'app', id: '' } },
  ])(
    'of code $code applies to the $scope.kind when the account is $accountId and the page $pageId',
    ({ code, accountId, pageId, scope }) => {
      const context = { ...contextOf({}, 'facebook'), pageId };
      const request = { ...mediaRequest, accountId };
      const bytes = new TextEncoder().encode(JSON.stringify({ error: { code } }));
      const judged = (): unknown =>
        readNode({ status: 400, headers: new Headers(), body: bytes }, { ...context, request });
      expect(judged).toThrow(expect.objectContaining({ scope }));
    },
  );
});

describe('response body', () => {
  const status = fc.constantFrom(400, 401, 403, 404, 429, 500, 503);

  test('becomes a classified error when its status is an error', () => {
    fc.assert(
      fc.property(status, fc.jsonValue(), (code, body) =>
        isClassifiedError(translated({ status: code, body: body as Json })),
      ),
    );
  });

  test('becomes a classified error when it holds an error with any members', () => {
    const code = fc.constantFrom(-1, 1, 4, 10, 17, 24, 32, 100, 190, 200, 2500, 3006, 80002, 1e9);
    const error = fc.record(
      {
        message: fc.oneof(
          fc.string(),
          fc.constantFrom(
            '(#100) metric[99] must be one of the following values: ',
            '(#100) metric[0] must be one of the following values: reach',
            'The Media Insights API does not support the , metric for this media product type.',
            '(#100) Tried accessing nonexisting field (x)',
          ),
          fc.jsonValue(),
        ),
        code: fc.oneof(code, fc.integer(), fc.jsonValue()),
        error_subcode: fc.oneof(fc.constantFrom(33, 463, 2108006, 2207086), fc.jsonValue()),
        is_transient: fc.oneof(fc.boolean(), fc.jsonValue()),
        fbtrace_id: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(status, fc.constant(200)), error, (httpStatus, body) =>
        isClassifiedError(translated({ status: httpStatus, body: { error: body as Json } })),
      ),
    );
  });

  test('becomes a node or a dead letter when its status is 200', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const result = translated({ status: 200, body: value as Json });
        return isClassifiedError(result) || isNode(result as Json);
      }),
    );
  });
});
