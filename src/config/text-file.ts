import { readFileSync } from 'node:fs';

/** A file's content, or an error code such as `ENOENT`. */
export type TextFile =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

/** Reads a whole file as UTF-8; never throws. */
export function readTextFile(file: string): TextFile {
  try {
    return { ok: true, text: readFileSync(file, 'utf8') };
  } catch (error) {
    return { ok: false, reason: (error as NodeJS.ErrnoException).code ?? 'unreadable' };
  }
}
