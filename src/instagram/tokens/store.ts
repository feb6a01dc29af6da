import { createHash, randomUUID } from 'node:crypto';
import { open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What a token file does not say: when one of its tokens was made and when it ends. */
export interface TokenNote {
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** Why a file cannot be written, for a person; it holds no path, which may be a secret by mistake. */
export class TokenFileError extends Error {
  override readonly name = 'TokenFileError';
}

/**
 * Puts a token in the place of another in a file that holds one or several; all else in it stays. The
 * file is replaced as a whole, for its owner alone to read (mode 0600).
 *
 * @returns false when the other token is not in the file any more
 * @throws TokenFileError when it cannot be written
 */
export async function replaceInFile(path: string, old: string, renewed: string): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    const before = await versionOf(path);
    const changed = withAnother(await readFile(path, 'utf8'), old, renewed);
    if (changed === undefined) return false;
    // A person may have replaced the file meanwhile, with what counts more.
    const isSame = async (): Promise<boolean> => (await versionOf(path)) === before;
    if (await writeSecret(path, changed, isSame)) return true;
    if (tries === 3) throw new TokenFileError('it changes all the time');
  }
}

async function versionOf(path: string): Promise<string> {
  const { ino, mtimeMs, size } = await stat(path);
  return `${ino} ${mtimeMs} ${size}`;
}

function withAnother(text: string, old: string, renewed: string): string | undefined {
  // The separators are kept, the white space around a token too.
  const parts = text.split(/([,\r\n])/);
  const isOld = (part: string): boolean => part.trim() === old;
  if (!parts.some(isOld)) return undefined;
  return parts.map((part) => (isOld(part) ? part.replace(old, () => renewed) : part)).join('');
}

/**
 * Writes a file whole or not at all, readable by its owner alone: the one it had, or else the process's.
 *
 * @param isWanted - asked last of all; it is not written where the answer is no
 * @returns whether it was written
 * @throws TokenFileError
 */
export async function writeSecret(
  path: string,
  text: string,
  isWanted: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<boolean> {
  // A link goes on to name the file.
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
    const wanted = await isWanted();
    await (wanted ? rename(temporary, target) : unlink(temporary));
    return wanted;
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error instanceof TokenFileError ? error : new TokenFileError(describe(error));
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

async function keepOwner(file: Handle, target: string): Promise<void> {
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

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown trouble';
}

/** A lock of a process that died is broken after this long. */
const lockEndsMs = 120_000;

/**
 * Works on a file while no other process that asks the same does: instances may share it.
 *
 * @returns undefined when another one is at it
 * @throws TokenFileError when the lock cannot be written beside the file; what `work` throws
 */
export async function whileLocked<T>(
  path: string,
  nowMs: number,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const lock = `${await realpath(path).catch(() => path)}.lock`;
  if (!(await take(lock))) {
    const held = await stat(lock).catch(() => undefined);
    if (held !== undefined && nowMs - held.mtimeMs < lockEndsMs) return undefined;
    await unlink(lock).catch(() => undefined);
    if (!(await take(lock))) return undefined;
  }
  try {
    return await work();
  } finally {
    await unlink(lock).catch(() => undefined);
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new TokenFileError(describe(error));
  }
}

/** Beside the tokens: what they do not say of themselves, by what a token hashes to. */
function notesOf(path: string): string {
  return `${path}.json`;
}

const keptNotes = 100;

function nameOf(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 16);
}

/** What was noted of a token; undefined when nothing was, or cannot be read. */
export async function readNote(path: string, token: string): Promise<TokenNote | undefined> {
  const note = (await readNotes(path))[nameOf(token)];
  return isNote(note) ? note : undefined;
}

/** Notes when a token ends; to be done before the token itself is written. */
export async function writeNote(path: string, token: string, note: TokenNote): Promise<void> {
  const kept = Object.entries(await readNotes(path)).filter(([, one]) => isNote(one));
  const { issuedAtMs, expiresAtMs } = note;
  const all = [...kept.slice(1 - keptNotes), [nameOf(token), { issuedAtMs, expiresAtMs }]];
  await writeSecret(notesOf(path), `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
}

async function readNotes(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const found: unknown = JSON.parse(await readFile(notesOf(path), 'utf8'));
    return typeof found === 'object' && found !== null ? { ...found } : {};
  } catch {
    return {};
  }
}

function isNote(value: unknown): value is TokenNote {
  if (typeof value !== 'object' || value === null) return false;
  const { issuedAtMs, expiresAtMs } = value as Partial<Record<keyof TokenNote, unknown>>;
  return Number.isSafeInteger(issuedAtMs) && Number.isSafeInteger(expiresAtMs);
}
