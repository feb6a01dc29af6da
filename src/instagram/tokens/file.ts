import { readFile } from 'node:fs/promises';
import { slept } from '../../engine/clock.ts';
import type { Clock } from '../../engine/ports.ts';
import { codeOf } from './store.ts';
import type { Tokens } from './tokens.ts';

export interface TokenFile {
  readonly path: string;
  /** Parses the tokens in a file's text; undefined when there are none or the text is invalid. */
  readonly parse: (text: string) => readonly string[] | undefined;
  /** Called with renewed tokens before their first use, so that they are redacted as secrets. */
  readonly onRenewed: (tokens: readonly string[]) => void;
  /** Called once for each reason that makes the file invalid; the previous tokens stay in use. */
  readonly onInvalid: (reason: string) => void;
}

/** The file is polled: Kubernetes replaces the folder of a secret, which a watch of the file misses. */
const readEveryMs = 2000;

/** Polls the file until aborted; never rejects. */
export async function watchTokenFile(
  file: TokenFile,
  tokens: Tokens,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  let reportedReason = '';
  const reportError = (reason: string): void => {
    if (reason !== reportedReason && reason !== '') file.onInvalid(reason);
    reportedReason = reason;
  };
  let lastText: string | undefined;
  while (await slept(readEveryMs, clock, signal)) {
    const text = await readFile(file.path, 'utf8').catch((error: unknown) => {
      // The code only: the message contains the path, which may be a secret set by mistake.
      reportError(`it cannot be read (${codeOf(error)})`);
      return undefined;
    });
    if (text === undefined || text === lastText) continue;
    lastText = text;
    const found = file.parse(text);
    if (found === undefined) {
      reportError('it holds no token: expected one, or several on lines of their own');
      continue;
    }
    reportedReason = '';
    file.onRenewed(found);
    tokens.replace(found);
  }
}
