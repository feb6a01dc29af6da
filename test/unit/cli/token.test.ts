import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type TokenSite, dayMs, startTokenSite } from './token-site.ts';

let site: TokenSite;
beforeAll(async () => {
  site = await startTokenSite();
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
});

const nowMs = () => site.world.clock.now();
const instagramTokens = () => site.world.accounts.map(({ instagramToken }) => instagramToken);
const secretsOf = () => [site.world.token, site.world.app.clientSecret, ...instagramTokens()];

describe('the command token inspect', () => {
  test("shows Meta's facts about a token and its missing permissions", async () => {
    const { token, tokens, accounts } = site.world;
    tokens.set(token, {
      expiresAtMs: nowMs() + 30.5 * dayMs,
      scopes: ['pages_show_list', 'pages_read_engagement', 'instagram_basic'],
    });
    const env = { INSTAGRAM_ACCESS_TOKEN: token };

    const [shown, json] = await Promise.all([
      site.run(['token', 'inspect'], { env }),
      site.run(['token', 'inspect', '--json'], { env }),
    ]);
    tokens.set(token, { scopes: ['instagram_manage_insights'] });

    const [told] = JSON.parse(json.stdout) as readonly unknown[];
    expect([shown.exitCode, json.exitCode, shown.stderr]).toEqual([3, 3, '']);
    expect(shown.stdout).toMatch(/^TOKEN +TAKEN +TYPE +EXPIRES/);
    expect(shown.stdout).toMatch(/default +yes +user +\d{4}-\d\d-\d\d \(30 days\)/);
    expect(shown.stdout).toContain('default: lacks instagram_manage_insights\n');
    expect(told).toMatchObject({
      name: 'default',
      valid: true,
      missing_permissions: ['instagram_manage_insights'],
      reported: { type: 'USER', app_id: site.world.app.clientId },
      accounts: accounts.map(({ id }) => ({ id })),
    });
    const output = `${shown.stdout}${json.stdout}`;
    expect(secretsOf().filter((secret) => output.includes(secret))).toEqual([]);
  });

  test('shows only the reason for a token that Meta does not know', async () => {
    const { exitCode, stdout } = await site.run(['token', 'inspect'], {
      env: { INSTAGRAM_ACCESS_TOKEN: 'EAAunheardOf' },
    });

    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^default +no +- +rejected +- +0$/m);
    expect(stdout).toMatch(/^default: graph\.token: .*the access token is not accepted/m);
    expect(stdout).not.toContain('lacks');
  });

  test('reports a limit of the app as an error, not as a rejected token', async () => {
    site.api.faults.add({ effect: { error: 'app-limit' } });
    const { exitCode, stdout, stderr } = await site.run(['token', 'inspect'], {
      env: { INSTAGRAM_ACCESS_TOKEN: site.world.token },
    });
    site.api.faults.clear();

    expect([exitCode, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^graph\.rate-limited: .*the app's request limit is reached/);
  });

  test('shows no expiry for a token that Meta rejects, and advises a login', async () => {
    const { app, tokens, conditions } = site.world;
    const token = tokens.issue({
      owner: { kind: 'user' },
      issuedAtMs: nowMs(),
      expiresAtMs: nowMs() + 60 * dayMs,
      shortLived: false,
    });
    conditions.set({ badTokens: { [token]: 'revoked' } });
    const env = {
      INSTAGRAM_ACCESS_TOKEN: token,
      INSTAGRAM_CLIENT_ID: app.clientId,
      INSTAGRAM_CLIENT_SECRET: app.clientSecret,
    };

    const shown = await site.run(['token', 'inspect'], { env });
    const json = await site.run(['token', 'inspect', '--json'], { env });
    conditions.set({ badTokens: null });

    expect([shown.exitCode, json.exitCode]).toEqual([3, 3]);
    expect(shown.stdout).toMatch(/^default +no +user +rejected +- +0$/m);
    expect(shown.stdout).toMatch(/^default: graph\.token: .*was revoked/m);
    expect(shown.stdout).toMatch(/^default: what to do: .*instagram-kafka login/m);
    expect(JSON.parse(json.stdout)).toEqual([
      expect.objectContaining({
        valid: false,
        code: 'graph.token',
        expires_at: null,
        never_expires: false,
      }),
    ]);
  });

  test('shows the account of each of several Instagram Login tokens', async () => {
    const [first = '', second = ''] = instagramTokens();
    site.world.conditions.set({ badTokens: { [second]: 'revoked' } });

    const { exitCode, stdout } = await site.run(['token', 'inspect'], {
      env: { INSTAGRAM_ACCESS_TOKEN: `${first},${second}`, INSTAGRAM_LOGIN: 'instagram' },
    });
    site.world.conditions.clear();

    expect(exitCode).toBe(3);
    expect(stdout).toContain(`1: reaches ${site.world.accounts[0]?.id ?? ''} (`);
    expect(stdout).toMatch(/^2 +no +- +rejected/m);
    expect(stdout).toMatch(/^2: .*the access token was revoked/m);
  });
});

describe('the commands token exchange and token refresh', () => {
  beforeEach(() => site.write(''));

  test('replace the chosen one of several tokens, and only its owner can read the file', async () => {
    const [first = '', second = ''] = instagramTokens();
    await site.write(`${first}\n${second}\n`);
    const env = { INSTAGRAM_ACCESS_TOKEN_FILE: site.file, INSTAGRAM_LOGIN: 'instagram' };

    const unnamed = await site.run(['token', 'refresh'], { env });
    const before = await site.read();
    const { exitCode, stdout } = await site.run(['token', 'refresh', '--token', '2'], { env });
    const inspected = await site.run(['token', 'inspect', '--token', '2', '--json'], { env });

    const [kept, renewed = ''] = (await site.read()).trim().split('\n');
    expect([unnamed.exitCode, before]).toEqual([2, `${first}\n${second}\n`]);
    expect(unnamed.stderr).toContain('choose one with --token 1, 2');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^token 2: written to .*, ends \d{4}-\d\d-\d\d \((?:59|60) days\)\n$/);
    expect([kept, await site.mode()]).toEqual([first, '600']);
    expect(renewed).not.toBe(second);
    expect(stdout).not.toContain(renewed);
    // With Instagram Login, only the note beside the file has the expiry.
    expect(JSON.parse(inspected.stdout)).toMatchObject([{ expires_at: expect.any(String) }]);
  });

  test('write to the file of --output when the token came from a variable', async () => {
    const env = { INSTAGRAM_ACCESS_TOKEN: site.world.token };
    const args = ['token', 'exchange', '--output', site.file, '--json'];

    const nowhere = await site.run(['token', 'exchange'], { env });
    const { exitCode, stdout } = await site.run(args, { env });

    const token = (await site.read()).trim();
    expect([nowhere.exitCode, exitCode]).toEqual([2, 0]);
    expect(nowhere.stderr).toContain('a token is not printed');
    expect(site.world.tokens.find(token)?.expiresAtMs).toBeGreaterThan(nowMs() + 59 * dayMs);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'default', file: site.file });
  });

  test('keep a token that never expires', async () => {
    site.world.tokens.set('EAAsystem0123456789abcdefgh', { systemUser: true });
    const before = site.api.ledger.entries.length;

    const { exitCode, stderr } = await site.run(['token', 'refresh', '--output', site.file], {
      env: { INSTAGRAM_ACCESS_TOKEN: 'EAAsystem0123456789abcdefgh' },
    });

    expect([exitCode, await site.read()]).toEqual([2, '']);
    expect(stderr).toContain('the token never ends: there is nothing to do');
    const asked = site.api.ledger.entries.slice(before).map(({ endpoint }) => endpoint);
    expect(asked).toEqual(['/debug_token']);
  });

  test('report what is missing or rejected and change nothing', async () => {
    await site.write(site.world.token);
    const env = { INSTAGRAM_ACCESS_TOKEN_FILE: site.file };
    const refresh = (more: Readonly<Record<string, string>>) =>
      site.run(['token', 'refresh'], { env: { ...env, ...more } });

    const [wrong, unwritable] = await Promise.all([
      refresh({ INSTAGRAM_CLIENT_SECRET: 'hush-another' }),
      site.run(['token', 'refresh', '--output', `${site.file}/below/it`], { env }),
    ]);

    expect([wrong.exitCode, unwritable.exitCode]).toEqual([3, 2]);
    expect(wrong.stderr).toMatch(
      /^graph\.app-secret: .*INSTAGRAM_CLIENT_SECRET to those of the app/,
    );
    expect(wrong.stderr).not.toContain('hush-another');
    expect(unwritable.stderr).toContain('it cannot be written (ENOTDIR');
    expect(await site.read()).toBe(site.world.token);
  });
});
