import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findPostgres } from '../../../sandbox/postgres/database.ts';

describe('findPostgres', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'postgres-'));
  });

  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  async function install(folder: string): Promise<string> {
    await mkdir(join(root, folder), { recursive: true });
    for (const name of ['initdb', 'postgres']) {
      await writeFile(join(root, folder, name), '', { mode: 0o755 });
    }
    return join(root, folder);
  }

  it('returns the folder on the PATH that has the server', async () => {
    const folder = await install('bin');
    await install('debian/15/bin');
    const env = { PATH: `${root}:${folder}` };

    expect(await findPostgres(env, join(root, 'debian'))).toBe(folder);
  });

  it("returns the newest version of Debian's package when the PATH has no server", async () => {
    await install('debian/9/bin');
    const folder = await install('debian/15/bin');

    expect(await findPostgres({ PATH: root }, join(root, 'debian'))).toBe(folder);
  });

  it('names the package to install when there is no server', async () => {
    await expect(findPostgres({ PATH: root }, join(root, 'debian'))).rejects.toThrow(
      'PostgreSQL is missing: apt-get install postgresql (Debian, Ubuntu), or put initdb and postgres on the PATH',
    );
  });
});
