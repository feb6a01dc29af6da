import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import {
  type CacheEntry,
  chooseCacheDirectory,
  ensureCached,
} from '../../../../sandbox/cluster/cache.ts';

interface CountedEntry extends CacheEntry {
  fills: number;
}

function makeEntry(): CountedEntry {
  const entry: CountedEntry = {
    name: 'thing-1.0',
    fills: 0,
    fill: async (directory) => {
      entry.fills += 1;
      await writeFile(join(directory, 'thing.jar'), 'content');
    },
  };
  return entry;
}

describe('download cache', () => {
  let directory = '';
  const log = (): void => undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cache-test-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  test('fills an entry once and reuses it', async () => {
    const entry = makeEntry();
    const first = await ensureCached(entry, { directory, log });
    const second = await ensureCached(entry, { directory, log });
    expect(first).toBe(join(directory, 'thing-1.0'));
    expect(second).toBe(first);
    expect(entry.fills).toBe(1);
    expect(await readFile(join(first, 'thing.jar'), 'utf8')).toBe('content');
    expect(await readdir(directory)).toEqual(['thing-1.0']);
  });

  test('reports an entry that it reuses, with its folder', async () => {
    const said: string[] = [];
    const options = { directory, log: (line: string) => said.push(line) };
    await ensureCached(makeEntry(), options);
    await ensureCached(makeEntry(), options);
    expect(said).toEqual([`thing-1.0 is in the cache, ${directory}`]);
  });

  test('fills an entry again when a file has become shorter', async () => {
    const entry = makeEntry();
    const path = await ensureCached(entry, { directory, log });
    await writeFile(join(path, 'thing.jar'), 'cont');
    await ensureCached(entry, { directory, log });
    expect(entry.fills).toBe(2);
    expect(await readFile(join(path, 'thing.jar'), 'utf8')).toBe('content');
  });

  test('fills an entry again when a file is missing', async () => {
    const entry = makeEntry();
    const path = await ensureCached(entry, { directory, log });
    await rm(join(path, 'thing.jar'));
    await ensureCached(entry, { directory, log });
    expect(entry.fills).toBe(2);
  });

  test('fills an entry again when it has no manifest', async () => {
    const entry = makeEntry();
    const path = await ensureCached(entry, { directory, log });
    await rm(join(path, 'manifest.json'));
    await ensureCached(entry, { directory, log });
    expect(entry.fills).toBe(2);
  });

  test('fills an entry once for two concurrent requests', async () => {
    const entry = makeEntry();
    await Promise.all([
      ensureCached(entry, { directory, log }),
      ensureCached(entry, { directory, log }),
    ]);
    expect(entry.fills).toBe(1);
  });

  test('leaves no file behind when filling fails', async () => {
    const entry = { name: 'thing-1.0', fill: () => Promise.reject(new Error('no network')) };
    await expect(ensureCached(entry, { directory, log })).rejects.toThrow('no network');
    expect(await readdir(directory)).toEqual([]);
  });

  test('breaks a lock that its holder has not touched for a minute', async () => {
    const lock = join(directory, 'thing-1.0.lock');
    await writeFile(lock, '');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(lock, longAgo, longAgo);
    await ensureCached(makeEntry(), { directory, log });
    expect(await readdir(directory)).toEqual(['thing-1.0']);
  });

  test('stops waiting for a lock when the signal aborts', async () => {
    await writeFile(join(directory, 'thing-1.0.lock'), '');
    const controller = new AbortController();
    const waiting = ensureCached(makeEntry(), {
      directory,
      log: () => {
        controller.abort(new Error('enough'));
      },
      signal: controller.signal,
    });
    await expect(waiting).rejects.toThrow('enough');
  });

  test('is in node_modules of the project when that folder is writable', async () => {
    expect(await chooseCacheDirectory(process.cwd(), {})).toBe(
      join(process.cwd(), 'node_modules', '.cache', 'sandbox'),
    );
  });

  test("is in the user's cache folder when the project has no node_modules", async () => {
    expect(await chooseCacheDirectory(directory, { XDG_CACHE_HOME: '/cache' })).toBe(
      '/cache/instagram-kafka-producer/sandbox',
    );
  });
});
