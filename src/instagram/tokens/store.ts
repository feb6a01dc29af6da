import { createHash, randomUUID } from 'node:crypto';
import { open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Granted } from '../api/oauth.ts';

/** The issue and expiry times of a token, which the token file does not contain. */
interface TokenMetadata {
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** The error of an unwritable file. Its message has no path, which may be a secret set by mistake. */
export class TokenFileError extends Error {
  override readonly name = 'TokenFileError';
}

/**
 * Replaces one token in a file of one or several, as `writeSecret`; the rest stays.
 * @returns false when the old token is no longer in the file
 */
export async function replaceInFile(path: string, old: string, renewed: string): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    const before = await versionOf(path);
    const changed = withReplaced(await readFile(path, 'utf8'), old, renewed);
    if (changed === undefined) return false;
    // A file that a person has replaced meanwhile takes precedence.
    const isSame = async (): Promise<boolean> => (await versionOf(path)) === before;
    if (await writeSecret(path, changed, isSame)) return true;
    if (tries === 3) throw new TokenFileError('it changes all the time');
  }
}

async function versionOf(path: string): Promise<string> {
  const { ino, mtimeMs, size } = await stat(path);
  return `${ino} ${mtimeMs} ${size}`;
}

function withReplaced(text: string, old: string, renewed: string): string | undefined {
  // The separators and the white space around a token are kept.
  const parts = text.split(/([,\r\n])/);
  const isOld = (part: string): boolean => part.trim() === old;
  if (!parts.some(isOld)) return undefined;
  return parts.map((part) => (isOld(part) ? part.replace(old, () => renewed) : part)).join('');
}

/**
 * Writes a file atomically, readable by its owner alone (mode 0600): the previous owner, or for a
 * new file the process's user. `isWanted` is called just before the replacement; false prevents it.
 * @returns true when the file was written
 * @throws TokenFileError when it cannot be written
 */
export async function writeSecret(
  path: string,
  text: string,
  isWanted: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<boolean> {
  // A link is kept; its target is replaced.
  const target = await realpath(path).catch(() => path);
  const temporary = join(dirname(target), `.token-${randomUUID()}`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await keepOwner(file, target);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    const isStillWanted = await isWanted();
    await (isStillWanted ? rename(temporary, target) : unlink(temporary));
    return isStillWanted;
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error instanceof TokenFileError ? error : new TokenFileError(describe(error));
  }
}

type FileHandle = Awaited<ReturnType<typeof open>>;

async function keepOwner(file: FileHandle, target: string): Promise<void> {
  const [made, before] = await Promise.all([file.stat(), stat(target).catch(() => undefined)]);
  if (before === undefined || made.uid === before.uid) return;
  await file.chown(before.uid, before.gid).catch(() => {
    throw new TokenFileError(
      `it belongs to another user (${before.uid}, the program runs as ${made.uid}): give it to the program's user`,
    );
  });
}

const advice: Readonly<Record<string, string>> = {
  EROFS: 'its folder is read-only: mount it writable',
  EACCES: "the program's user may not write into its folder: allow it",
  EPERM: "the program's user may not write into its folder: allow it",
  EBUSY: 'it is mounted by itself and cannot be replaced: mount its folder',
  ENOENT: 'its folder is not there: make it',
  ENOSPC: 'the disk is full: make room',
};

function describe(error: unknown): string {
  const code = codeOf(error);
  return `it cannot be written (${code}${advice[code] === undefined ? '' : `; ${advice[code]}`})`;
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}

/** The age from which the lock of a dead process is removed. */
const lockEndsMs = 120_000;

/**
 * Runs an operation with an exclusive lock on a file that instances may share.
 * @returns undefined when another process has the lock
 * @throws TokenFileError when the lock cannot be written beside the file; the errors of `operation`
 */
export async function withFileLock<T>(
  path: string,
  nowMs: number,
  operation: () => Promise<T>,
): Promise<T | undefined> {
  const lock = `${await realpath(path).catch(() => path)}.lock`;
  if (!(await tryLock(lock))) {
    const lockFile = await stat(lock).catch(() => undefined);
    if (lockFile !== undefined && nowMs - lockFile.mtimeMs < lockEndsMs) return undefined;
    await unlink(lock).catch(() => undefined);
    if (!(await tryLock(lock))) return undefined;
  }
  try {
    return await operation();
  } finally {
    await unlink(lock).catch(() => undefined);
  }
}

async function tryLock(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new TokenFileError(describe(error));
  }
}

/** Returns the path of the metadata file beside the token file; its keys are hashes of tokens. */
function metadataPathOf(path: string): string {
  return `${path}.json`;
}

const maxEntries = 100;

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 16);
}

/** Reads the metadata of a token; undefined when it is missing or unreadable. */
export async function readTokenMetadata(
  path: string,
  token: string,
): Promise<TokenMetadata | undefined> {
  const metadata = (await readAllMetadata(path))[hashOf(token)];
  return isMetadata(metadata) ? metadata : undefined;
}

/** Writes the metadata of a token whose end is known; call it before the token itself is written. */
export async function writeTokenMetadata(
  path: string,
  token: string,
  { issuedAtMs, expiresAtMs }: Pick<TokenMetadata, 'issuedAtMs'> & Pick<Granted, 'expiresAtMs'>,
): Promise<void> {
  if (expiresAtMs === null) return;
  const entries = Object.entries(await readAllMetadata(path)).filter(([, one]) => isMetadata(one));
  const all = [...entries.slice(1 - maxEntries), [hashOf(token), { issuedAtMs, expiresAtMs }]];
  await writeSecret(metadataPathOf(path), `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
}

async function readAllMetadata(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const parsed: unknown = JSON.parse(await readFile(metadataPathOf(path), 'utf8'));
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

function isMetadata(value: unknown): value is TokenMetadata {
  if (typeof value !== 'object' || value === null) return false;
  const { issuedAtMs, expiresAtMs } = value as Partial<Record<keyof TokenMetadata, unknown>>;
  return Number.isSafeInteger(issuedAtMs) && Number.isSafeInteger(expiresAtMs);
}
