import { once } from 'node:events';
import { StopProcessError } from '../../engine/errors.ts';
import { linkSignals } from '../../engine/linked-signal.ts';
import type { Redact } from '../../engine/redaction.ts';
import { createBodyRedact, createRedact, secretsOf } from '../api/redaction.ts';

export function shownName(name: string): string {
  return name === '' ? 'default' : name;
}

/** The tokens in use, named by position, which a renewal keeps: `1`, `2` …; empty for one token. */
export class Tokens {
  readonly #appSecret: string | null;
  #current: readonly string[];
  /** Every secret since the start: an old token may still appear in an answer or an error. */
  readonly #secrets: Set<string>;
  #redacts: ReturnType<typeof redactsOf>;
  /** Aborted by the next change. */
  #change = new AbortController();

  /**
   * @param appSecret - the secret of the tokens' app; null when unknown
   * @throws StopProcessError `config.invalid` for a token that is invalid in an HTTP header
   */
  constructor(first: readonly string[], appSecret: string | null = null) {
    first.forEach(validate);
    this.#appSecret = appSecret;
    this.#current = first;
    this.#secrets = new Set(secretsOf(first, appSecret));
    this.#redacts = redactsOf(this.#secrets);
  }

  names(): readonly string[] {
    return this.#current.length === 1 ? [''] : this.#current.map((_, index) => String(index + 1));
  }

  /** Returns the token of a name; the first token for an unknown name. */
  text(name: string): string {
    return this.#current[name === '' ? 0 : Number(name) - 1] ?? this.#current[0] ?? '';
  }

  /**
   * Replaces the tokens by renewed ones and resolves all pending `changed` promises.
   * @returns true when a token changed
   * @throws as the constructor; nothing changes
   */
  replace(tokens: readonly string[]): boolean {
    if (tokens.length === 0 || tokens.join('\n') === this.#current.join('\n')) return false;
    tokens.forEach(validate);
    this.#current = tokens;
    for (const secret of secretsOf(tokens, this.#appSecret)) this.#secrets.add(secret);
    this.#redacts = redactsOf(this.#secrets);
    this.#change.abort();
    this.#change = new AbortController();
    return true;
  }

  /** Resolves at the next change; rejects with the signal's reason. */
  async changed(signal: AbortSignal): Promise<void> {
    const linked = linkSignals([signal, this.#change.signal]);
    if (!linked.signal.aborted) await once(linked.signal, 'abort');
    linked.unlink();
    signal.throwIfAborted();
  }

  /** Replaces every current and former token, its proof and the app's secret. */
  readonly redact: Redact = (text) => this.#redacts.whole(text);
  readonly redactBody: Redact = (text) => this.#redacts.body(text);
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
