import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { describeListenError, listenForRedirect } from '../../../src/cli/redirect-listener.ts';
import { type TokenSite, dayMs, freePort, startTokenSite } from './token-site.ts';

let site: TokenSite;
beforeAll(async () => {
  site = await startTokenSite();
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await rm(site.file, { force: true });
});

/** Runs `login`; `person` receives the printed address and acts as the user. */
async function logIn(
  args: readonly string[],
  more: Readonly<Record<string, string>>,
  person: (url: URL) => Promise<string | undefined>,
) {
  const redirect = `http://127.0.0.1:${await freePort()}/back`;
  const env = {
    INSTAGRAM_REDIRECT_URI: redirect,
    INSTAGRAM_ACCESS_TOKEN_FILE: site.file,
    ...more,
  };
  const address = Promise.withResolvers<URL>();
  const typed = Promise.withResolvers<string>();
  let said = '';
  const finished = site.run(['login', ...args], {
    env,
    input: typed.promise,
    onErrorText: (text) => {
      said += text;
      const url = /^http\S+$/m.exec(said)?.[0];
      if (url !== undefined) address.resolve(new URL(url));
    },
  });
  const done = finished.then(() => undefined);
  const url = await Promise.race([address.promise, done]);
  const shown = url === undefined ? undefined : await person(url);
  typed.resolve(`${shown ?? ''}\n`);
  return { ...(await finished), shown, url };
}

/** A user who allows or denies the login in a browser. */
const decides = (decision: 'allow' | 'deny') => async (url: URL) => {
  const answer = await fetch(`${url.toString()}&decision=${decision}`);
  return answer.text();
};

describe('the command login', () => {
  test.each([
    ['localhost', [200, 200]],
    ['127.0.0.1', [200, 'refused']],
    ['[::1]', ['refused', 200]],
  ])('listens on every loopback address that %s can resolve to', async (host, reached) => {
    const redirect = new URL(`http://${host}:${await freePort()}/`);
    await using stack = new AsyncDisposableStack();
    const listener = await listenForRedirect(redirect, () =>
      Promise.resolve({ status: 200, title: 'Here', text: '' }),
    );
    stack.use(listener);
    const statuses = ['127.0.0.1', '[::1]'].map((address) =>
      fetch(`http://${address}:${redirect.port}/`).then(
        ({ status }) => status,
        () => 'refused',
      ),
    );

    expect(await Promise.all(statuses)).toEqual(reached);
  });

  test.each([
    ['127.0.0.1', '[::1]'],
    ['[::1]', '127.0.0.1'],
  ])(
    'fails when another program uses the port on %s, and releases the port on %s',
    async (bound, other) => {
      await using taken = await occupy(bound.replaceAll(/[[\]]/g, ''));
      const redirect = new URL(`http://localhost:${taken.port}/`);

      await expect(listenForRedirect(redirect, () => Promise.resolve(undefined))).rejects.toThrow(
        `cannot listen on ${bound}:${taken.port} (EADDRINUSE): stop the program that uses the port`,
      );
      await expect(fetch(`http://${other}:${taken.port}/`)).rejects.toThrow('fetch failed');
    },
  );

  test('explains a port that needs privileges, in the error of its listener', () => {
    expect(describeListenError({ host: '127.0.0.1', port: 80 }, 'EACCES')).toBe(
      'INSTAGRAM_REDIRECT_URI: cannot listen on 127.0.0.1:80 (EACCES): ports below 1024 need ' +
        "privileges; set another port here and in the app's valid OAuth redirect URIs",
    );
  });

  test.each(['facebook', 'instagram'])(
    'with login "%s" writes a token of sixty days that only its owner can read, and prints no token',
    async (login) => {
      const more = { INSTAGRAM_LOGIN: login };
      const { exitCode, stdout, stderr, shown, url } = await logIn([], more, decides('allow'));

      const token = (await site.read()).trim();
      const grant = site.world.tokens.find(token);
      expect([exitCode, await site.mode()]).toEqual([0, '600']);
      expect(grant?.owner.kind).toBe(login === 'facebook' ? 'user' : 'account');
      expect(grant?.expiresAtMs).toBeGreaterThan(site.world.clock.now() + 59 * dayMs);
      expect(shown).toContain('<h1>Logged in</h1>');
      expect(stdout).toMatch(
        /^logged in: the token is in .*, ends .* \((?:59|60) days\)\nit reaches \d+/,
      );
      expect(`${stdout}${stderr}${shown ?? ''}`).not.toContain(token);
      expect(url?.searchParams.has('code_challenge')).toBe(login === 'facebook');
      expect(url?.searchParams.get('scope')).toContain(
        login === 'facebook' ? 'instagram_manage_insights' : 'instagram_business_manage_insights',
      );
    },
  );

  test.each([
    ['a system user that never ends', { tokenType: 'system-user' }, 'never', true],
    [
      'a system user that ends',
      { tokenType: 'system-user', expiresInDays: 60 },
      /\((?:59|60) days\)/,
      true,
    ],
    ['a user, exchanged for sixty days', { tokenType: 'user' }, /\((?:59|60) days\)/, false],
    [
      'a user, when the proof key is ignored',
      { ignoresProofKey: true },
      /\((?:59|60) days\)/,
      false,
    ],
  ] as const)(
    'with a configuration of Facebook Login for Business writes the token of %s',
    async (_owner, configuration, end, systemUser) => {
      site.world.app.configurations = { 77: { ...configuration, scopes: ['instagram_basic'] } };
      const args = ['--config-id', '77', '--json'];
      const { exitCode, stdout, url } = await logIn(args, {}, decides('allow'));

      const grant = site.world.tokens.find((await site.read()).trim());
      expect(exitCode).toBe(0);
      expect(url?.searchParams.get('config_id')).toBe('77');
      expect(url?.searchParams.has('scope')).toBe(false);
      expect(grant).toMatchObject({ scopes: ['instagram_basic'], shortLived: false });
      expect(grant?.systemUser === true).toBe(systemUser);
      const { expires_at: endsAt } = JSON.parse(stdout) as { expires_at: string | null };
      const days = endsAt === null ? null : (Date.parse(endsAt) - Date.now()) / dayMs;
      expect(days === null ? 'never' : `(${Math.round(days)} days)`).toMatch(end);
    },
  );

  test("reports Meta's rejection of an unknown configuration, and a wrong id before the login", async () => {
    const nobody = () => Promise.resolve(undefined);
    const unknown = await logIn(['--config-id', '78', '--timeout', '1'], {}, async (url) => {
      expect((await fetch(url)).status).toBe(400);
      return undefined;
    });
    const wrong = await logIn(['--config-id', 'x'], {}, nobody);

    expect(unknown.exitCode).toBe(3);
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stderr).toContain(
      'instagram.loginConfigId (INSTAGRAM_LOGIN_CONFIG_ID): got "x", expected the id of a configuration as digits',
    );
  });

  test('reports on the page and the terminal that consent was denied', async () => {
    const { exitCode, stderr, shown } = await logIn([], {}, decides('deny'));

    expect(exitCode).toBe(3);
    expect(stderr).toContain('graph.token: the login was denied: "Permissions error"');
    expect(shown).toContain('<h1>Not logged in</h1>');
    await expect(site.read()).rejects.toThrow('ENOENT');
  });

  test('ignores an answer with another state and keeps waiting for its own', async () => {
    const foreign: string[] = [];
    const { exitCode, shown } = await logIn([], {}, async (url) => {
      const other = new URL(url);
      other.searchParams.set('state', 'guessed');
      foreign.push(await decides('allow')(other), await decides('deny')(other));
      expect(site.api.ledger.entries.at(-1)?.endpoint).not.toContain('access_token');
      return decides('allow')(url);
    });

    expect(exitCode).toBe(0);
    expect(foreign).toEqual([
      expect.stringContaining('<h1>Not of this login</h1>'),
      expect.stringContaining('<h1>Not of this login</h1>'),
    ]);
    expect(shown).toContain('<h1>Logged in</h1>');
  });

  test('keeps waiting when the browser requests another path', async () => {
    const { exitCode } = await logIn([], {}, async (url) => {
      const back = new URL(url.searchParams.get('redirect_uri') ?? '');
      const [icon, bare] = await Promise.all([fetch(new URL('/favicon.ico', back)), fetch(back)]);
      expect([icon.status, bare.status]).toEqual([404, 404]);
      return decides('allow')(url);
    });

    expect(exitCode).toBe(0);
  });

  test("reports Meta's rejection on the page and the terminal", async () => {
    const { exitCode, stderr, shown } = await logIn(
      [],
      { INSTAGRAM_CLIENT_SECRET: 'hush-another' },
      decides('allow'),
    );

    expect(exitCode).toBe(3);
    expect(stderr).toContain('graph.app-secret');
    expect(shown).toContain('graph.app-secret');
    expect(`${stderr}${shown ?? ''}`).not.toContain('hush-another');
  });

  test('accepts the pasted address when the redirect leads to another host', async () => {
    const more = {
      INSTAGRAM_REDIRECT_URI: 'https://example.org/done',
      INSTAGRAM_LOGIN: 'instagram',
    };
    const { exitCode, stderr } = await logIn([], more, async (url) => {
      const answer = await fetch(url, { redirect: 'manual' });
      const address = answer.headers.get('location') ?? '';
      const foreign = address.replace(/state=[^&]+/, 'state=guessed');
      return `https://example.org/\n${foreign}\n${address}`;
    });
    const nothing = await logIn([], more, () => Promise.resolve('no address'));

    expect([exitCode, nothing.exitCode]).toEqual([0, 3]);
    expect(stderr).toContain('paste the address');
    expect(stderr.match(/^That address .*$/gm)).toEqual([
      'That address has no answer to the login: paste the one that the browser was redirected to.',
      'That address answers another login: paste the one that followed from the address above.',
    ]);
    expect(nothing.stderr).toContain('This is not an address');
    expect(nothing.stderr).toContain('the standard input ended without an address');
  });

  test('fails at its timeout, and before it starts when its result could not be stored', async () => {
    await using taken = await occupy();
    const INSTAGRAM_REDIRECT_URI = `http://localhost:${taken.port}/`;
    await site.write('EAAone\nEAAtwo\n');
    const nobody = () => Promise.resolve(undefined);

    const [late, port, several, bare] = await Promise.all([
      logIn(['--timeout', '1', '--add'], {}, nobody),
      logIn(['--add'], { INSTAGRAM_REDIRECT_URI }, nobody),
      logIn([], {}, nobody),
      logIn(['--add'], { INSTAGRAM_CLIENT_ID: '' }, nobody),
    ]);

    expect([late, port, several, bare].map(({ exitCode }) => exitCode)).toEqual([3, 2, 2, 2]);
    expect(late.stderr).toContain('the login did not return within 1 s');
    expect(port.stderr).toContain(`cannot listen on 127.0.0.1:${taken.port} (EADDRINUSE)`);
    expect(several.stderr).toContain('choose with --token 1 to 2 which one to replace, or --add');
    expect(bare.stderr).toContain('INSTAGRAM_CLIENT_ID: got nothing');
  });

  test.each([
    [['--add'], /^EAAone\nEAAtwo\nEAAG\w+\n$/],
    [['--token', '1'], /^EAAG\w+\nEAAtwo\n$/],
  ])('with %j keeps the other tokens of the file', async (args, content) => {
    await site.write('EAAone\nEAAtwo\n');
    const { exitCode } = await logIn(args, {}, decides('allow'));

    expect(exitCode).toBe(0);
    expect(await site.read()).toMatch(content);
  });
});

async function occupy(address = '127.0.0.1') {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => {
    server.listen(port, address, resolve);
  });
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
