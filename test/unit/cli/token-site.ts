import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GraphApi, startGraphApi } from '../../../sandbox/graph-api/server.ts';
import { type World, createWorld } from '../../../sandbox/graph-api/world.ts';
import { type Finished, type Given, runCommand } from '../../support/command.ts';

export const dayMs = 86_400_000;

/** A simulated Meta, and the commands about tokens as a user runs them. */
export interface TokenSite extends AsyncDisposable {
  readonly world: World;
  readonly api: GraphApi;
  /** A file in a folder of its own. */
  readonly file: string;
  write(text: string): Promise<void>;
  read(): Promise<string>;
  /** The file's permissions, as `600`. */
  mode(): Promise<string>;
  run(args: readonly string[], given?: Given): Promise<Finished>;
}

/** Two accounts on two pages, at the present time; the app's id and secret are in the environment. */
export async function startTokenSite(): Promise<TokenSite> {
  const sizes = { mediaPerAccount: 1, storiesPerAccount: 0, insightsDays: 1 };
  const world = createWorld({ seed: 3, accounts: 2, ...sizes });
  const api = await startGraphApi({ world });
  const folder = await mkdtemp(join(tmpdir(), 'token-site-'));
  const file = join(folder, 'token');
  const ours = {
    INSTAGRAM_BASE_URL: api.url,
    INSTAGRAM_CLIENT_ID: world.app.clientId,
    INSTAGRAM_CLIENT_SECRET: world.app.clientSecret,
  };
  return {
    world,
    api,
    file,
    write: (text) => writeFile(file, text, { mode: 0o644 }),
    read: () => readFile(file, 'utf8'),
    mode: async () => ((await stat(file)).mode & 0o777).toString(8),
    run: (args, given = {}) => runCommand(args, { ...given, env: { ...ours, ...given.env } }),
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

/** A free port. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
