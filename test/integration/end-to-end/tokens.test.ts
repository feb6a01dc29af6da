import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type World, createWorld } from '../../../sandbox/graph-api/world.ts';
import { type Deployment, deploy } from './deployment.ts';

/** A secret file as Kubernetes mounts it: a link through `..data`, which is replaced atomically. */
function mountedSecret(folder: string, name: string) {
  const data = join(folder, '..data');
  const file = join(folder, name);
  let version = 0;
  return {
    file,
    async put(text: string): Promise<void> {
      version += 1;
      const next = `..version-${String(version)}`;
      await mkdir(join(folder, next));
      await writeFile(join(folder, next, name), text);
      await symlink(next, `${data}_tmp`);
      await rename(`${data}_tmp`, data);
      if (version === 1) await symlink(join('..data', name), file);
      else await rm(join(folder, `..version-${String(version - 1)}`), { recursive: true });
    },
  };
}

/** With Instagram Login each account has its own token. */
describe('several tokens of which one has expired', () => {
  let world: World;
  let deployment: Deployment;
  let folder = '';
  let tokens: readonly string[] = [];

  beforeAll(async () => {
    world = createWorld({
      seed: 21,
      accounts: 3,
      mediaPerAccount: 6,
      storiesPerAccount: 2,
      insightsDays: 5,
    });
    tokens = world.accounts.map(({ instagramToken }) => instagramToken);
    deployment = await deploy(world);
  });
  afterAll(async () => {
    await deployment[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tokens-'));
    world.conditions.set({ badTokens: { [tokens[1] ?? '']: 'expired' } });
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const idsOf = (entries: readonly { readonly key: string }[]) =>
    [...new Set(entries.map(({ key }) => key))].sort();
  const accountId = (index: number) => world.accounts[index]?.id ?? '';
  const withTokens = (changes: Readonly<Record<string, string>>) => ({
    INSTAGRAM_LOGIN: 'instagram',
    STREAMS: 'users',
    ...changes,
  });

  const withFile = (file: string) => {
    const named = Object.entries(deployment.env).filter(([name]) => !name.endsWith('_TOKEN'));
    const changes = withTokens({ INSTAGRAM_ACCESS_TOKEN_FILE: file });
    return { ...Object.fromEntries(named), ...changes };
  };

  it('let the command once poll the other accounts, name the expired token and exit with 3', async () => {
    const { code, stderr } = await deployment.once(
      withTokens({ INSTAGRAM_ACCESS_TOKEN: tokens.join(',') }),
    );

    expect(code).toBe(3);
    expect(stderr).toMatch(/^token 2: its accounts cannot be listed\. .*has expired/);
    expect(tokens.filter((token) => stderr.includes(token))).toEqual([]);
    expect(idsOf(await deployment.read('users'))).toEqual([accountId(0), accountId(2)].sort());
  });

  it('are accepted with appsecret_proof by an app that requires it, and rejected without', async () => {
    const INSTAGRAM_ACCESS_TOKEN = tokens[0] ?? '';
    const { clientSecret } = world.app;
    world.app.requireProof = true;
    const file = join(folder, 'secret');
    await writeFile(file, `${clientSecret}\n`);

    const without = await deployment.once(withTokens({ INSTAGRAM_ACCESS_TOKEN }));
    const right = await deployment.once(
      withTokens({ INSTAGRAM_ACCESS_TOKEN, INSTAGRAM_CLIENT_SECRET_FILE: file }),
    );
    world.app.requireProof = false;

    expect([without.code, right.code]).toEqual([3, 0]);
    expect(without.stderr).toContain('graph.app-secret');
    expect(JSON.stringify(right.log)).not.toContain(clientSecret);
  });

  it('are renewed in their file, also by the command once', async () => {
    const file = join(folder, 'tokens');
    await writeFile(file, `${tokens[0] ?? ''}\n${tokens[2] ?? ''}\n`);

    const ended = await deployment.onceWith(withFile(file));

    const renewed = (await readFile(file, 'utf8')).trim().split('\n');
    expect(ended.code).toBe(0);
    expect(renewed.map((token) => world.tokens.find(token)?.owner)).toEqual(
      [0, 2].map((index) => ({ kind: 'account', accountId: accountId(index) })),
    );
    expect(renewed.filter((token) => tokens.includes(token))).toEqual([]);
    const written = JSON.stringify(ended.log);
    expect(renewed.filter((token) => written.includes(token))).toEqual([]);
    expect(ended.log.filter(({ msg }) => msg === 'token renewed')).toHaveLength(2);
  });

  it('are replaced without a restart when the token file changes', async () => {
    const mount = mountedSecret(folder, 'tokens');
    await mount.put(`${tokens.join('\n')}\n`);
    const lines: Readonly<Record<string, unknown>>[] = [];
    const polled = Promise.withResolvers<undefined>();
    const missed = Promise.withResolvers<undefined>();
    const env = { ...withFile(mount.file), STREAM_USERS_INTERVAL: '1h' };
    const program = deployment.runWith(env, (entry) => {
      lines.push(entry);
      const { msg, reason, accountId: id } = entry;
      if (msg === 'dependency down' && String(reason).startsWith('token 2')) {
        missed.resolve(undefined);
      }
      if (msg === 'poll finished' && id === accountId(1)) polled.resolve(undefined);
    });
    await missed.promise;

    const renewed = `${tokens[1] ?? ''}RENEWED`;
    world.tokens.set(renewed, world.tokens.find(tokens[1] ?? '') ?? {});
    await mount.put([tokens[0], renewed, tokens[2]].join('\n'));
    await polled.promise;
    await program[Symbol.asyncDispose]();

    expect(lines.filter((line) => JSON.stringify(line).includes(renewed))).toEqual([]);
    expect(idsOf(await deployment.read('users'))).toContain(accountId(1));
  });
});
