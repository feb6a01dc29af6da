import { once } from 'node:events';
import { StopProcessError } from '../../engine/errors.ts';
import { linkSignals } from '../api/linked-signal.ts';
import { type Redact, createBodyRedact, createRedact, secretsOf } from '../api/redaction.ts';

/**
 * The tokens in use. Each has a name by its position, which a renewal keeps: `1`, `2` …, or an
 * empty name for a single token.
 */
export interface Tokens {
  readonly names: () => readonly string[];
  /** Returns the token of a name; the first token for an unknown name. */
  readonly text: (name: string) => string;
  /**
   * Replaces the tokens by renewed ones and resolves all pending `changed` promises.
   * @returns true when a token changed
   * @throws StopProcessError `config.invalid` for a token that is invalid in an HTTP header;
   * nothing changes
   */
  replace(tokens: readonly string[]): boolean;
  /** Resolves at the next change; rejects with the signal's reason. */
  changed(signal: AbortSignal): Promise<void>;
  /** Replace every current and former token, its proof and the app's secret. */
  readonly redact: Redact;
  readonly redactBody: Redact;
}

/** Returns the name of a token for events and people. */
export function shownName(name: string): string {
  return name === '' ? 'default' : name;
}

/**
 * Creates the tokens in use.
 * @param appSecret - the secret of the tokens' app; null when unknown
 * @throws StopProcessError `config.invalid` for a token that is invalid in an HTTP header
 */
export function createTokens(first: readonly string[], appSecret: string | null = null): Tokens {
  first.forEach(validate);
  let current = first;
  /** Every secret since the start: an old token may still appear in an answer or an error. */
  const secrets = new Set(secretsOf(first, appSecret));
  let redacts = redactsOf(secrets);
  /** Aborted by the next change. */
  let change = new AbortController();
  const names = (): readonly string[] =>
    current.length === 1 ? [''] : current.map((_, index) => String(index + 1));
  return {
    names,
    text: (name) => current[name === '' ? 0 : Number(name) - 1] ?? current[0] ?? '',
    replace(tokens) {
      if (tokens.length === 0 || tokens.join('\n') === current.join('\n')) return false;
      tokens.forEach(validate);
      current = tokens;
      for (const secret of secretsOf(tokens, appSecret)) secrets.add(secret);
      redacts = redactsOf(secrets);
      change.abort();
      change = new AbortController();
      return true;
    },
    async changed(signal) {
      const linked = linkSignals([signal, change.signal]);
      if (!linked.signal.aborted) await once(linked.signal, 'abort');
      linked.unlink();
      signal.throwIfAborted();
    },
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

function validate(token: string): void {
  try {
    new Headers({ authorization: `Bearer ${token}` });
  } catch {
    // The error is not kept as cause: its message quotes the token.
    throw new StopProcessError(
      'config.invalid',
      'INSTAGRAM_ACCESS_TOKEN holds a character that no HTTP header may (a line break, or one beyond Latin-1): paste the token again, on one line',
      { exitCode: 2 },
    );
  }
}
