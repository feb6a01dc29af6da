import { StopProcessError } from '../../engine/errors.ts';
import { secretsOf } from '../api/proof.ts';
import { type Redact, createBodyRedact, createRedact } from '../api/redaction.ts';

/**
 * The tokens in use. Each has a name by its place, which stays when it is renewed: `1`, `2` …, or
 * nothing when it is the only one.
 */
export interface Tokens {
  readonly names: () => readonly string[];
  /** The token of a name; of one that is gone, the first. */
  readonly text: (name: string) => string;
  /**
   * Takes renewed tokens in the place of those before, and wakes who waits.
   *
   * @returns whether anything changed
   * @throws StopProcessError `config.invalid` for a token that no HTTP header may hold; nothing changes
   */
  replace(tokens: readonly string[]): boolean;
  /** Resolves at the next change; rejects with the signal's reason. */
  changed(signal: AbortSignal): Promise<void>;
  /** Take out every token that is or was in use, and what proves the app's secret. */
  readonly redact: Redact;
  readonly redactBody: Redact;
}

/** The name of a token as events and people have it. */
export function shownName(name: string): string {
  return name === '' ? 'default' : name;
}

/**
 * @param appSecret - of the app that they were made for, when it is known
 * @throws StopProcessError `config.invalid` for a token that no HTTP header may hold
 */
export function createTokens(first: readonly string[], appSecret: string | null = null): Tokens {
  first.forEach(check);
  let current = first;
  /** An old token may still be in an answer or an error. */
  const ever = new Set(secretsOf(first, appSecret));
  let redacts = redactsOf(ever);
  const waiting = new Set<() => void>();
  const names = (): readonly string[] =>
    current.length === 1 ? [''] : current.map((_, index) => String(index + 1));
  return {
    names,
    text: (name) => current[name === '' ? 0 : Number(name) - 1] ?? current[0] ?? '',
    replace(tokens) {
      if (tokens.length === 0 || tokens.join('\n') === current.join('\n')) return false;
      tokens.forEach(check);
      current = tokens;
      for (const secret of secretsOf(tokens, appSecret)) ever.add(secret);
      redacts = redactsOf(ever);
      for (const wake of [...waiting]) wake();
      return true;
    },
    changed: (signal) =>
      new Promise((resolve, reject) => {
        const settle = (end: () => void) => () => {
          waiting.delete(wake);
          signal.removeEventListener('abort', abort);
          end();
        };
        const wake = settle(resolve);
        const abort = settle(() => {
          reject(signal.reason as Error);
        });
        if (signal.aborted) {
          reject(signal.reason as Error);
          return;
        }
        waiting.add(wake);
        signal.addEventListener('abort', abort, { once: true });
      }),
    redact: (text) => redacts.whole(text),
    redactBody: (text) => redacts.body(text),
  };
}

function redactsOf(tokens: ReadonlySet<string>): { readonly whole: Redact; readonly body: Redact } {
  const all = (make: (token: string) => Redact): Redact => {
    const each = [...tokens].map(make);
    return (text) => each.reduce((clean, redact) => redact(clean), text);
  };
  return { whole: all(createRedact), body: all(createBodyRedact) };
}

function check(token: string): void {
  try {
    new Headers({ authorization: `Bearer ${token}` });
  } catch {
    // Not kept as cause: the platform's message quotes the token.
    throw new StopProcessError(
      'config.invalid',
      'INSTAGRAM_ACCESS_TOKEN holds a character that no HTTP header may (a line break, or one beyond Latin-1): paste the token again, on one line',
      { exitCode: 2 },
    );
  }
}
