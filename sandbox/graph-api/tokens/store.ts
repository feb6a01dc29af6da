import { createHash } from 'node:crypto';
import type { LoginConfiguration } from './app.ts';

/** The owner of a token. */
export type TokenOwner =
  | { readonly kind: 'user' }
  | { readonly kind: 'page'; readonly pageId: string }
  | { readonly kind: 'account'; readonly accountId: string };

/** A token's owner, end and permissions. */
export interface Grant {
  readonly owner: TokenOwner;
  readonly issuedAtMs: number;
  /** Null: never. */
  readonly expiresAtMs: number | null;
  /** True for a token of a code: it lasts an hour and cannot be refreshed. */
  readonly shortLived: boolean;
  /** The granted permissions; absent: all that its login knows. */
  readonly scopes?: readonly string[];
  /** True for a token of a business's system user: no person logs in with it. */
  readonly systemUser?: boolean;
}

/** A code that a login has issued, to be exchanged once. */
export interface Code {
  readonly owner: TokenOwner;
  readonly redirectUri: string;
  readonly expiresAtMs: number;
  readonly scopes: readonly string[];
  /** The S256 hash of the exchange's `code_verifier`; absent: none is required. */
  readonly challenge?: string;
  /** The configuration of Facebook Login for Business that the login named. */
  readonly configuration?: LoginConfiguration;
  used: boolean;
}

/** Every token and code of a world. */
export interface TokenStore {
  find(token: string): Grant | undefined;
  /** Issues a new token; the same calls issue the same tokens. */
  issue(grant: Grant): string;
  /** Changes or adds the properties of a token. */
  set(token: string, changes: Partial<Grant>): void;
  /** Reverts every change of `set`; tokens of logins and exchanges stay. */
  reset(): void;
  findCode(code: string): Code | undefined;
  issueCode(code: Omit<Code, 'used'>): string;
}

const UNKNOWN: Grant = {
  owner: { kind: 'user' },
  issuedAtMs: 0,
  expiresAtMs: null,
  shortLived: false,
};

/** Creates a store with initial tokens. */
export function createTokenStore(initial: ReadonlyMap<string, Grant>): TokenStore {
  const grants = new Map(initial);
  /** The tokens that `set` has changed, with their previous values; undefined: unknown before. */
  const before = new Map<string, Grant | undefined>();
  const codes = new Map<string, Code>();
  let made = 0;
  const next = (prefix: string): string => {
    made += 1;
    const seed = `${[...initial.keys()][0] ?? ''}/${made}`;
    return `${prefix}${createHash('sha512').update(seed).digest('hex')}`;
  };
  return {
    find: (token) => grants.get(token),
    issue: (grant) => {
      const token = next(grant.owner.kind === 'account' ? 'IGAA' : 'EAAG');
      grants.set(token, grant);
      return token;
    },
    set: (token, changes) => {
      if (!before.has(token)) before.set(token, grants.get(token));
      grants.set(token, { ...(grants.get(token) ?? UNKNOWN), ...changes });
    },
    reset: () => {
      for (const [token, grant] of before) {
        if (grant === undefined) grants.delete(token);
        else grants.set(token, grant);
      }
      before.clear();
    },
    findCode: (code) => codes.get(code),
    issueCode: (code) => {
      const text = next('AQ');
      codes.set(text, { ...code, used: false });
      return text;
    },
  };
}
