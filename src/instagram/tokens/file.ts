import { readFile } from 'node:fs/promises';
import type { Clock } from '../../engine/ports.ts';
import type { Tokens } from './tokens.ts';

/** What a watched file is read with. */
export interface TokenFile {
  readonly path: string;
  /** The tokens in a file's text; undefined when it holds none, or something else. */
  readonly parse: (text: string) => readonly string[] | undefined;
  /** Is told that tokens were renewed, before they are used: they are secrets from now on. */
  readonly onRenewed: (tokens: readonly string[]) => void;
  /** Is told once of each reason why the file is of no use; the tokens before stay. */
  readonly onTrouble: (reason: string) => void;
}

/** Kubernetes swaps the folder of a secret, which no watch of the file would see; so it is read. */
const lookEveryMs = 2000;

/** Reads the file again and again until aborted; never rejects. */
export async function watchTokenFile(
  file: TokenFile,
  tokens: Tokens,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  let told = '';
  const tell = (reason: string): void => {
    if (reason !== told && reason !== '') file.onTrouble(reason);
    told = reason;
  };
  let seen: string | undefined;
  while (await slept(lookEveryMs, { clock, signal })) {
    const text = await readFile(file.path, 'utf8').catch((error: unknown) => {
      tell(`it cannot be read (${codeOf(error)})`);
      return undefined;
    });
    if (text === undefined || text === seen) continue;
    seen = text;
    const found = file.parse(text);
    if (found === undefined) {
      tell('it holds no token: expected one, or several on lines of their own');
      continue;
    }
    told = '';
    file.onRenewed(found);
    tokens.replace(found);
  }
}

async function slept(
  ms: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch {
    return false;
  }
}

/** The message of a file error holds the path, which may be a secret that was set by mistake. */
function codeOf(error: unknown): string {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error;
  return isCoded ? String(error.code) : 'unknown trouble';
}
