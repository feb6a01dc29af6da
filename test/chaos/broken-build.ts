import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A place in the program's sources and what stands there in a broken build. */
export interface Patch {
  /** Below `src/`. */
  readonly file: string;
  /** Must stand there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A copy of the program; disposing it removes it. */
export interface Build extends AsyncDisposable {
  /** The file to run. */
  readonly main: string;
}

const ROOT = join(import.meta.dirname, '..', '..');

/**
 * Copies the program's sources and breaks the copy, to see that the breach is noticed.
 *
 * @throws Error when a patch does not fit any more: the sources have moved on, and it must follow
 */
export async function breakBuild(patches: readonly Patch[]): Promise<Build> {
  const directory = await mkdtemp(join(tmpdir(), 'chaos-build-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    await cp(join(ROOT, 'src'), join(directory, 'src'), { recursive: true });
    for (const name of await readdir(ROOT)) {
      if (name !== 'src') await symlink(join(ROOT, name), join(directory, name));
    }
    for (const patch of patches) await apply(patch, join(directory, 'src', patch.file));
  } catch (error) {
    await remove();
    throw error;
  }
  return { main: join(directory, 'src', 'main.ts'), [Symbol.asyncDispose]: remove };
}

async function apply({ file, find, replace }: Patch, path: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  const count = text.split(find).length - 1;
  if (count !== 1) {
    throw new Error(`src/${file}: expected once, found ${count} times:\n${find}`);
  }
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
}
