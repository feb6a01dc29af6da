import { describe, expect, test } from '@jest/globals';
import type { InstagramAdapter } from '../../../src/instagram/index.ts';
import { type Handler, answering, startHttpServer } from '../../support/http-server.ts';
import { calm, mediaRequest, open, rejection, token } from './opened.ts';

const linked = (pageId: string, id: string, username: string): unknown => ({
  id: pageId,
  name: 'A page',
  instagram_business_account: { id, username },
});

/** The pages of a list by the cursor that requests them; the first has the key ''. */
function paged(pages: Readonly<Record<string, unknown>>): Handler {
  return (request, response) => {
    response.end(JSON.stringify(pages[request.query['after'] ?? '']));
  };
}

function pageOf(data: readonly unknown[], after: string): unknown {
  const next = `https://graph.facebook.com/v25.0/me/accounts?access_token=${token}&after=${after}`;
  return { data, paging: { cursors: { before: 'b', after }, next } };
}

async function accountsOf({ directory }: Pick<InstagramAdapter, 'directory'>) {
  return (await directory.list(calm)).accounts;
}

describe('accounts with Facebook Login', () => {
  test('come from every page of the list, including short and empty pages', async () => {
    await using server = await startHttpServer(
      paged({
        '': pageOf([linked('501', '17841400000000001', 'one')], 'c1'),
        c1: pageOf([], 'c2'),
        c2: pageOf([{ id: '502', name: 'No Instagram' }], 'c3'),
        c3: {
          data: [linked('503', '17841400000000002', 'two')],
          paging: { cursors: { before: 'x', after: 'c4' }, previous: 'p' },
        },
      }),
    );
    await using adapter = open(server.url, { pageSize: 25 });

    await expect(accountsOf(adapter)).resolves.toEqual([
      { id: '17841400000000001', pageId: '501', username: 'one' },
      { id: '17841400000000002', pageId: '503', username: 'two' },
    ]);

    expect(server.requests.map(({ path, query }) => [path, query])).toEqual(
      [{}, { after: 'c1' }, { after: 'c2' }, { after: 'c3' }].map((after) => [
        '/v25.0/me/accounts',
        { fields: 'id,instagram_business_account{id,username}', limit: '25', ...after },
      ]),
    );
    expect(adapter.events).toHaveLength(4);
  });

  test('include an account once when two Facebook pages are linked to it', async () => {
    await using server = await startHttpServer(
      answering(200, { data: [linked('501', '17', 'one'), linked('502', '17', 'one')] }),
    );
    await using adapter = open(server.url);

    await expect(accountsOf(adapter)).resolves.toEqual([
      { id: '17', pageId: '501', username: 'one' },
    ]);
  });

  test('fail to list when Meta repeats a paging cursor', async () => {
    await using server = await startHttpServer(
      paged({ '': pageOf([], 'c1'), c1: pageOf([], 'c2'), c2: pageOf([], 'c1') }),
    );
    await using adapter = open(server.url);

    await expect(adapter.directory.list(calm)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'graph.server',
    });
    expect(server.requests).toHaveLength(3);
  });

  test.each([
    ['data', { data: {} }],
    ['data', { data: null }],
    ['paging.cursors.after', { data: [], paging: { next: `https://x/?access_token=${token}` } }],
  ])('are rejected with the path when the body has an invalid %s', async (path, body) => {
    await using server = await startHttpServer(answering(200, body));
    await using adapter = open(server.url);

    const error = await rejection(adapter.directory.list(calm));

    expect(error).toMatchObject({ disposition: 'dead-letter', code: 'graph.bad-body', path });
    expect(JSON.stringify(error)).not.toContain(token);
  });

  test('keep the exact id when Meta answers it as a number', async () => {
    const text =
      '{"data":[{"id":501,"instagram_business_account":{"id":17841405309211844,"username":null}}]}';
    await using server = await startHttpServer(answering(200, text));
    await using adapter = open(server.url);

    await expect(accountsOf(adapter)).resolves.toEqual([
      { id: '17841405309211844', pageId: '501', username: null },
    ]);
  });

  test('pass their page to the scope of a page limit', async () => {
    await using server = await startHttpServer((request, response) => {
      const body = request.path.endsWith('/me/accounts')
        ? { data: [linked('501', '17841400000000001', 'one')] }
        : { error: { code: 32 } };
      response.end(JSON.stringify(body));
    });
    await using adapter = open(server.url);

    await adapter.directory.list(calm);

    await expect(adapter.graph.get(mediaRequest, calm)).rejects.toMatchObject({
      scope: { kind: 'page', id: '501' },
    });
  });
});

describe('error about missing accounts', () => {
  test('says what to check when the token reaches no account', async () => {
    await using server = await startHttpServer(answering(200, { data: [{ id: '502' }] }));
    await using adapter = open(server.url);

    const error = await rejection(adapter.directory.list(calm));

    expect(error).toMatchObject({
      disposition: 'stop-process',
      code: 'accounts.none',
      exitCode: 3,
      message:
        "the token reaches no Instagram professional account; check that the account is professional and linked to a Facebook page, that the token is a user's or a system user's (not a page's) with a role on that page, and that it has the permissions instagram_basic, instagram_manage_insights, pages_show_list, pages_read_engagement (business_management too where the role comes through a Business Manager); name the accounts of a system user without pages in INSTAGRAM_ACCOUNTS; an Instagram Login token needs INSTAGRAM_LOGIN=instagram",
    });
  });

  test('names the allow list and the reachable accounts when they have nothing in common', async () => {
    await using server = await startHttpServer(
      answering(200, { data: [linked('501', '17', 'one')] }),
    );
    await using adapter = open(server.url, { accounts: ['18', '19'] });

    const error = await rejection(adapter.directory.list(calm));

    expect(error).toMatchObject({ code: 'accounts.none' });
    expect(error).toHaveProperty(
      'message',
      expect.stringContaining(
        'none of INSTAGRAM_ACCOUNTS (18, 19) is reached by the token, which reaches 17 (one)',
      ),
    );
  });

  test('explains that the token belongs to a page when Meta answers so', async () => {
    await using server = await startHttpServer(
      answering(400, {
        error: {
          message: '(#100) Tried accessing nonexisting field (accounts) on node type (Page)',
          type: 'OAuthException',
          code: 100,
        },
      }),
    );
    await using adapter = open(server.url);

    const error = await rejection(adapter.directory.list(calm));

    expect(error).toMatchObject({ code: 'accounts.none', exitCode: 3 });
    expect(error).toHaveProperty('message', expect.stringContaining('looks like a page token'));
  });

  test('does not replace the token error when Meta rejects the token', async () => {
    await using server = await startHttpServer(
      answering(400, { error: { message: 'Session has expired', code: 190, error_subcode: 463 } }),
    );
    await using adapter = open(server.url);

    await expect(adapter.directory.list(calm)).rejects.toMatchObject({
      disposition: 'stop-account',
      code: 'graph.token',
    });
  });
});

describe('account with Instagram Login', () => {
  test.each([
    ['flat', { user_id: '17841400000000001', username: 'one', id: '99' }],
    ['in a list', { data: [{ user_id: '17841400000000001', username: 'one' }] }],
  ])('is found when Meta answers it %s', async (_name, body) => {
    await using server = await startHttpServer(answering(200, body));
    await using adapter = open(server.url, { login: 'instagram' });

    await expect(accountsOf(adapter)).resolves.toEqual([
      { id: '17841400000000001', pageId: null, username: 'one' },
    ]);
    expect(server.requests).toMatchObject([
      { path: '/v25.0/me', query: { fields: 'user_id,username' } },
    ]);
  });

  test.each([
    ['user_id', { id: '99', username: 'one' }],
    ['data[0].user_id', { data: [{ user_id: true }] }],
    ['data[0]', { data: [null] }],
  ])('is rejected with the path when the body has an invalid %s', async (path, body) => {
    await using server = await startHttpServer(answering(200, body));
    await using adapter = open(server.url, { login: 'instagram' });

    await expect(adapter.directory.list(calm)).rejects.toMatchObject({
      code: 'graph.bad-body',
      path,
    });
  });

  test('reports the Graph API error, not a wrong login, when the account is gone', async () => {
    await using server = await startHttpServer(
      answering(400, {
        error: {
          message:
            "Unsupported get request. Object with ID 'me' does not exist, cannot be loaded due to missing permissions, or does not support this operation.",
          type: 'GraphMethodException',
          code: 100,
          error_subcode: 33,
        },
      }),
    );
    await using adapter = open(server.url, { login: 'instagram' });

    const error = await rejection(adapter.directory.list(calm));

    expect(error).toMatchObject({ disposition: 'skip', code: 'graph.ambiguous' });
    expect(error).not.toHaveProperty('message', expect.stringContaining('INSTAGRAM_LOGIN'));
  });

  test('reports which login to set when the token belongs to Facebook Login', async () => {
    await using server = await startHttpServer(
      answering(400, {
        error: {
          message: '(#100) Tried accessing nonexisting field (user_id) on node type (User)',
          type: 'OAuthException',
          code: 100,
        },
      }),
    );
    await using adapter = open(server.url, { login: 'instagram' });

    const error = await rejection(adapter.directory.list(calm));

    expect(error).toMatchObject({ code: 'accounts.none', exitCode: 3 });
    expect(error).toHaveProperty('message', expect.stringContaining('INSTAGRAM_LOGIN=facebook'));
  });

  test('reports what to check when the list is empty', async () => {
    await using server = await startHttpServer(answering(200, { data: [] }));
    await using adapter = open(server.url, { login: 'instagram' });

    const error = await rejection(adapter.directory.list(calm));

    expect(error).toMatchObject({ code: 'accounts.none' });
    expect(error).toHaveProperty(
      'message',
      expect.stringContaining('instagram_business_basic, instagram_business_manage_insights'),
    );
  });
});

describe('several tokens', () => {
  const first = 'EAAfirst0123456789abcdefgh';
  const second = 'EAAsecond0123456789abcdefg';
  const expired = { error: { message: 'Session has expired', code: 190, error_subcode: 463 } };

  /** A server that answers each token with its own list or error. */
  function answeringByToken(answers: Readonly<Record<string, unknown>>): Handler {
    return (request, response) => {
      const answer = answers[(request.headers.authorization ?? '').replace('Bearer ', '')];
      const isError = answer === expired;
      response.writeHead(isError ? 400 : 200).end(JSON.stringify(answer));
    };
  }

  test('list the accounts of all tokens once, each with the first token that reaches it', async () => {
    await using server = await startHttpServer(
      answeringByToken({
        [first]: { data: [linked('501', '17', 'one'), linked('502', '18', 'two')] },
        [second]: { data: [linked('502', '18', 'two'), linked('503', '19', 'three')] },
      }),
    );
    await using adapter = open(server.url, { accessTokens: [first, second] });

    await expect(accountsOf(adapter)).resolves.toEqual([
      { id: '17', pageId: '501', username: 'one', token: '1' },
      { id: '18', pageId: '502', username: 'two', token: '1' },
      { id: '19', pageId: '503', username: 'three', token: '2' },
    ]);
    await adapter.graph.get({ ...mediaRequest, accountId: '19' }, calm);
    expect(server.requests.at(-1)?.headers.authorization).toBe(`Bearer ${second}`);
  });

  test('keep the accounts of an expired token listed while the other tokens work (Invariant 8)', async () => {
    const answers: Record<string, unknown> = {
      [first]: { data: [linked('501', '17', 'one')] },
      [second]: { data: [linked('503', '19', 'three')] },
    };
    await using server = await startHttpServer(answeringByToken(answers));
    await using adapter = open(server.url, { accessTokens: [first, second] });
    await adapter.directory.list(calm);
    answers[second] = expired;

    const { accounts, problems } = await adapter.directory.list(calm);

    expect(accounts.map(({ id }) => id)).toEqual(['17', '19']);
    expect(problems).toEqual([
      expect.stringMatching(/^token 2: its accounts cannot be listed\. .*has expired/),
    ]);
  });

  test('fail the listing with the error of the first token when every token fails', async () => {
    await using server = await startHttpServer(
      answeringByToken({ [first]: expired, [second]: expired }),
    );
    await using adapter = open(server.url, { accessTokens: [first, second] });

    await expect(adapter.directory.list(calm)).rejects.toMatchObject({ code: 'graph.token' });
  });

  test('have separate app quotas', async () => {
    await using server = await startHttpServer((_request, response) => {
      response.setHeader('x-app-usage', '{"call_count":28}');
      response.end('{}');
    });
    await using adapter = open(server.url, { accessTokens: [first, second] });

    await adapter.graph.get({ ...mediaRequest, token: '2' }, calm);

    expect(adapter.usage).toEqual([{ scope: { kind: 'app', id: '2' }, percent: 28, regainMs: 0 }]);
  });
});
