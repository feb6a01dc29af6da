import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  readTokenMetadata,
  replaceInFile,
  withFileLock,
  writeTokenMetadata,
  writeSecret,
} from '../../../../src/instagram/tokens/store.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-store-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const path = (name = 'token') => join(folder, name);

describe('token file', () => {
  test('is written readable by its owner only, at the target of a symbolic link', async () => {
    await writeFile(path('real'), 'old', { mode: 0o666 });
    await symlink(path('real'), path());

    await writeSecret(path(), 'new');

    expect(await readFile(path('real'), 'utf8')).toBe('new');
    expect((await stat(path('real'))).mode & 0o777).toBe(0o600);
    expect((await lstat(path())).isSymbolicLink()).toBe(true);
  });

  test('stays unchanged when it no longer holds the token to replace', async () => {
    await writeFile(path(), 'EAAoldAndMore');

    expect(await replaceInFile(path(), 'EAAold', 'EAAnew')).toBe(false);
    expect(await readFile(path(), 'utf8')).toBe('EAAoldAndMore');
  });

  test('stores a token literally, replacement patterns of JavaScript included', async () => {
    await writeFile(path(), 'EAAold');

    expect(await replaceInFile(path(), 'EAAold', '$&$1')).toBe(true);
    expect(await readFile(path(), 'utf8')).toBe('$&$1');
  });

  test('keeps a token that another process wrote meanwhile', async () => {
    await writeFile(path(), 'EAAold');
    const written = await writeSecret(path(), 'mine', async () => {
      await writeFile(path(), 'theirs');
      return false;
    });

    expect([written, await readFile(path(), 'utf8')]).toEqual([false, 'theirs']);
    expect(await readdir(folder)).toEqual(['token']);
  });

  test('reports a write failure without printing the file name', async () => {
    const writing = writeSecret(join(folder, 'away', 'EAAsecret'), 'new');

    await expect(writing).rejects.toThrow(
      'it cannot be written (ENOENT; its folder is not there: make it)',
    );
  });
});

describe('file lock', () => {
  const work = () => Promise.resolve('done');

  test('excludes a second holder, and is released afterwards', async () => {
    const inner = await withFileLock(path(), Date.now(), () =>
      withFileLock(path(), Date.now(), work),
    );

    expect(inner).toBeUndefined();
    expect(await withFileLock(path(), Date.now(), work)).toBe('done');
  });

  test('of a dead process is broken after two minutes', async () => {
    await writeFile(path('token.lock'), '');
    const longAgo = Date.now() / 1000 - 121;
    const young = await withFileLock(path(), Date.now(), work);
    await utimes(path('token.lock'), longAgo, longAgo);

    expect([young, await withFileLock(path(), Date.now(), work)]).toEqual([undefined, 'done']);
  });

  test('is released when the work fails', async () => {
    const failing = withFileLock(path(), Date.now(), () => Promise.reject(new Error('no')));

    await expect(failing).rejects.toThrow('no');
    expect(await withFileLock(path(), Date.now(), work)).toBe('done');
  });
});

describe('token metadata', () => {
  test('holds when a token was issued and ends, and no token', async () => {
    await writeTokenMetadata(path(), 'EAAone', { issuedAtMs: 1, expiresAtMs: 2 });
    await writeTokenMetadata(path(), 'EAAtwo', { issuedAtMs: 3, expiresAtMs: 4 });

    expect(await readTokenMetadata(path(), 'EAAone')).toEqual({ issuedAtMs: 1, expiresAtMs: 2 });
    expect(await readTokenMetadata(path(), 'EAAtwo')).toEqual({ issuedAtMs: 3, expiresAtMs: 4 });
    expect(await readTokenMetadata(path(), 'EAAthree')).toBeUndefined();
    expect(await readFile(path('token.json'), 'utf8')).not.toContain('EAA');
  });

  test.each(['', '[]', '3', '{"a": {"expiresAtMs": "x"}}'])(
    'is ignored and replaced when the file holds %j',
    async (text) => {
      await writeFile(path('token.json'), text);

      expect(await readTokenMetadata(path(), 'EAAone')).toBeUndefined();
      await writeTokenMetadata(path(), 'EAAone', { issuedAtMs: 1, expiresAtMs: 2 });
      expect(await readTokenMetadata(path(), 'EAAone')).toEqual({ issuedAtMs: 1, expiresAtMs: 2 });
    },
  );
});
