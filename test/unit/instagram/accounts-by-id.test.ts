import { describe, expect, test } from '@jest/globals';
import { type Handler, startHttpServer } from '../../support/http-server.ts';
import { calm, open, rejection } from './opened.ts';

interface Reply {
  readonly status?: number;
  readonly body: unknown;
}

const gone: Reply = {
  status: 400,
  body: {
    error: {
      message:
        "Unsupported get request. Object with ID '19' does not exist, cannot be loaded due to missing permissions, or does not support this operation.",
      type: 'GraphMethodException',
      code: 100,
      error_subcode: 33,
    },
  },
};
const failed: Reply = { status: 500, body: { error: { message: 'Fatal', code: 2 } } };
const emptyList: Reply = { body: { data: [] } };

const account = (id: string, username: string): Reply => ({ body: { id, username } });

/** A server that answers by the last part of the path; unknown parts are answered as gone. */
const byPath =
  (replies: Readonly<Record<string, Reply>>): Handler =>
  ({ path }, response): void => {
    const { status = 200, body } = replies[path.split('/').at(-1) ?? ''] ?? gone;
    response.writeHead(status).end(JSON.stringify(body));
  };

const facts = (changes: Readonly<Record<string, unknown>>): Reply => ({
  body: { data: { is_valid: true, expires_at: 0, ...changes } },
});

const granted = (...ids: readonly string[]): Reply =>
  facts({ granular_scopes: [{ scope: 'instagram_basic', target_ids: ids }] });

describe('account that INSTAGRAM_ACCOUNTS names and no list contains', () => {
  test('is requested by its id', async () => {
    await using server = await startHttpServer(
      byPath({ accounts: emptyList, 17: account('17', 'one') }),
    );
    await using adapter = open(server.url, { accounts: ['17'] });

    await expect(adapter.directory.list(calm)).resolves.toEqual({
      accounts: [{ id: '17', pageId: null, username: 'one' }],
      problems: [],
      warnings: [],
    });
    expect(server.requests.map(({ path, query }) => [path, query['fields']])).toEqual([
      ['/v25.0/me/accounts', 'id,instagram_business_account{id,username}'],
      ['/v25.0/17', 'id,username'],
    ]);
  });

  test('is requested without its username when Meta rejects the field username', async () => {
    const message = '(#100) Tried accessing nonexisting field (username)';
    await using server = await startHttpServer(({ path, query }, response) => {
      const isRejected = query['fields'] === 'id,username';
      const body = isRejected ? { error: { message, code: 100 } } : { id: '17' };
      const list = { data: [] };
      response
        .writeHead(isRejected ? 400 : 200)
        .end(JSON.stringify(path.endsWith('accounts') ? list : body));
    });
    await using adapter = open(server.url, { accounts: ['17'] });

    await expect(adapter.directory.list(calm)).resolves.toMatchObject({
      accounts: [{ id: '17', username: null }],
    });
  });

  test('is reported as unreachable when it is gone, or when Meta answers with another object', async () => {
    await using server = await startHttpServer(
      byPath({ accounts: emptyList, 17: account('17', 'one'), 18: account('81', 'other') }),
    );
    await using adapter = open(server.url, { accounts: ['17', '18', '19'] });

    const { accounts, problems } = await adapter.directory.list(calm);

    expect(accounts.map(({ id }) => id)).toEqual(['17']);
    expect(problems).toEqual([
      "INSTAGRAM_ACCOUNTS names 18, 19, which no token reaches: correct it, or give the token's user a role on the account",
    ]);
  });

  test('stays listed while the server fails for it', async () => {
    const replies: Record<string, Reply> = {
      accounts: emptyList,
      17: account('17', 'one'),
      18: account('18', 'two'),
    };
    await using server = await startHttpServer(byPath(replies));
    await using adapter = open(server.url, { accounts: ['17', '18'] });
    await adapter.directory.list(calm);
    replies['18'] = failed;

    const { accounts, problems } = await adapter.directory.list(calm);

    expect(accounts.map(({ id }) => id)).toEqual(['17', '18']);
    expect(problems).toEqual([
      expect.stringMatching(/^account 18: .*Meta's server failed\. Meta says "Fatal"/),
    ]);
  });

  test('fails the listing with its error when no account is readable', async () => {
    await using server = await startHttpServer(byPath({ accounts: emptyList, 17: failed }));
    await using adapter = open(server.url, { accounts: ['17'] });

    await expect(adapter.directory.list(calm)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'graph.server',
    });
  });

  test('is requested with the second token when only the second token reaches it', async () => {
    const tokens = ['EAAfirst0123456789abcdefgh', 'EAAsecond0123456789abcdefg'];
    await using server = await startHttpServer((request, response, raw) => {
      const isSecond = request.headers.authorization === `Bearer ${tokens[1]}`;
      const replies = isSecond ? { 17: account('17', 'one') } : {};
      byPath({ accounts: emptyList, ...replies })(request, response, raw);
    });
    await using adapter = open(server.url, { accounts: ['17'], accessTokens: tokens });

    await expect(adapter.directory.list(calm)).resolves.toMatchObject({
      accounts: [{ id: '17', token: '2' }],
    });
  });
});

describe('token with an empty account list', () => {
  test('reaches the accounts that it was granted, and reports each unreadable one with its own error', async () => {
    await using server = await startHttpServer(
      byPath({
        accounts: emptyList,
        debug_token: granted('17', '18', '19'),
        17: account('17', 'one'),
        18: account('18', 'two'),
      }),
    );
    await using adapter = open(server.url, { clientId: '1', clientSecret: 'secret' });

    const { accounts, warnings } = await adapter.directory.list(calm);

    expect(accounts).toEqual([
      { id: '17', pageId: null, username: 'one' },
      { id: '18', pageId: null, username: 'two' },
    ]);
    expect(warnings).toEqual([expect.stringMatching(/^account 19: .*gone, hidden/)]);
  });

  test('fails the listing when a granted account fails with an error that is not about the account', async () => {
    await using server = await startHttpServer(
      byPath({ accounts: emptyList, debug_token: granted('17'), 17: failed }),
    );
    await using adapter = open(server.url);

    await expect(adapter.directory.list(calm)).rejects.toMatchObject({ code: 'graph.server' });
  });

  test('reaches no account when Meta does not let this app read the grants of the token', async () => {
    const message = '(#100) You must provide an app access token';
    const refused = { status: 400, body: { error: { message, code: 100 } } };
    await using server = await startHttpServer(
      byPath({ accounts: emptyList, debug_token: refused }),
    );
    await using adapter = open(server.url);

    await expect(adapter.directory.list(calm)).rejects.toMatchObject({ code: 'accounts.none' });
  });

  test('leads to a retry while Meta fails to answer which accounts it was granted', async () => {
    await using server = await startHttpServer(
      byPath({ accounts: emptyList, debug_token: failed }),
    );
    await using adapter = open(server.url);

    await expect(adapter.directory.list(calm)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'graph.server',
    });
  });

  test.each([
    { title: 'no account is named', accounts: [] },
    { title: 'an account is named', accounts: ['19'] },
  ])('asks for a new login when its data access has expired and $title', async (one) => {
    const until = Date.UTC(2026, 9, 1) / 1000;
    await using server = await startHttpServer(
      byPath({ accounts: emptyList, debug_token: facts({ data_access_expires_at: until }) }),
    );
    await using adapter = open(server.url, { accounts: one.accounts });

    const error = await rejection(adapter.directory.list(calm));

    expect(error).toMatchObject({
      disposition: 'stop-account',
      code: 'graph.token',
      message:
        'the token reaches no account: its access to data expired at 2026-10-01T00:00:00.000Z; its user must log in again (instagram-kafka login)',
    });
  });
});
