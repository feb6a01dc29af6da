import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  access,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MANIFEST = 'manifest.json';
const LOCK_BEAT_MS = 2_000;
const LOCK_STALE_MS = 20_000;
const LOCK_POLL_MS = 200;
const LEFTOVER_AGE_MS = 3_600_000;

interface Manifest {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

/** A folder of downloads to keep, and the function that fills it. */
export interface CacheEntry {
  /** Folder name, with the version: another version is another folder. */
  readonly name: string;
  /** Fills an empty folder; rejects on failure. */
  readonly fill: (directory: string) => Promise<void>;
}

/** Folder of the downloads, and options of the wait for another process with the same download. */
export interface CacheOptions {
  readonly directory: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Chooses the folder for downloads: `node_modules/.cache/sandbox` of the project or, where that is
 * not writable, the user's cache folder (`XDG_CACHE_HOME`, `~/.cache`).
 */
export async function chooseCacheDirectory(
  projectRoot: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const modules = join(projectRoot, 'node_modules');
  try {
    await access(modules, constants.W_OK);
    return join(modules, '.cache', 'sandbox');
  } catch {
    const base = env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? homedir(), '.cache');
    return join(base, 'instagram-kafka-producer', 'sandbox');
  }
}

/**
 * Returns the folder of an entry and fills it first when it is missing or incomplete.
 * A folder is complete when its manifest, written last, is present and every file has the size in
 * it; otherwise it is downloaded again. The folder is filled under another name and renamed, so
 * that no process sees a partial folder. A lock lets one of several processes download while the
 * others wait.
 *
 * @throws any error of `fill`, and the signal's reason
 */
export async function ensureCached(entry: CacheEntry, options: CacheOptions): Promise<string> {
  const target = join(options.directory, entry.name);
  if (await isWhole(target)) {
    options.log(`${entry.name} is in the cache, ${options.directory}`);
    return target;
  }
  await mkdir(options.directory, { recursive: true });
  const lock = await acquireLock(`${target}.lock`, options);
  try {
    if (!(await isWhole(target))) await fillAnew(entry, options.directory);
  } finally {
    await lock[Symbol.asyncDispose]();
  }
  return target;
}

async function fillAnew(entry: CacheEntry, directory: string): Promise<void> {
  const target = join(directory, entry.name);
  await removeLeftovers(directory, entry.name);
  const draft = `${target}.part-${randomUUID()}`;
  await mkdir(draft);
  try {
    await entry.fill(draft);
    await writeManifest(draft);
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** True when a folder has its manifest and every file of it in the right size; never rejects. */
async function isWhole(directory: string): Promise<boolean> {
  try {
    const text = await readFile(join(directory, MANIFEST), 'utf8');
    const manifest = JSON.parse(text) as Manifest;
    const matches = await Promise.all(
      manifest.files.map(
        async ({ path, bytes }) => (await stat(join(directory, path))).size === bytes,
      ),
    );
    return matches.length > 0 && matches.every(Boolean);
  } catch {
    return false;
  }
}

async function writeManifest(directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const manifest: Manifest = {
    files: await Promise.all(
      files.map(async (file) => {
        const path = join(file.parentPath, file.name);
        return { path: relative(directory, path), bytes: (await stat(path)).size };
      }),
    ),
  };
  await writeFile(join(directory, MANIFEST), JSON.stringify(manifest, null, 1));
}

/** Removes partial folders of a process that was killed during the download of this entry. */
async function removeLeftovers(directory: string, name: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    if (!entry.startsWith(`${name}.part-`)) continue;
    const path = join(directory, entry);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > LEFTOVER_AGE_MS) await rm(path, { recursive: true, force: true });
  }
}

/**
 * Acquires a lock file. The holder touches it every two seconds, so an old lock belongs to a
 * process that has ended. Process ids would be meaningless between containers that share the
 * folder.
 */
async function acquireLock(path: string, options: CacheOptions): Promise<AsyncDisposable> {
  let waiting = false;
  while (!(await createExclusively(path))) {
    options.signal?.throwIfAborted();
    if (await isStale(path)) {
      await rm(path, { force: true });
      continue;
    }
    if (!waiting) options.log(`waiting for another process that fills ${dirname(path)}`);
    waiting = true;
    await sleep(LOCK_POLL_MS);
  }
  const beat = setInterval(() => {
    const now = new Date();
    // A removed lock is no error: the rename at the end is atomic without it.
    utimes(path, now, now).catch(() => undefined);
  }, LOCK_BEAT_MS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(beat);
      await rm(path, { force: true });
    },
  };
}

async function createExclusively(path: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx');
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > LOCK_STALE_MS;
  } catch {
    return false;
  }
}
