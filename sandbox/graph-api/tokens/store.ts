import { createHash } from 'node:crypto';

/** Whose token it is. */
export type Owner =
  | { readonly kind: 'user' }
  | { readonly kind: 'page'; readonly pageId: string }
  | { readonly kind: 'account'; readonly accountId: string };

/** A token and what it is good for. */
export interface Grant {
  readonly owner: Owner;
  readonly issuedAtMs: number;
  /** Null: never. */
  readonly expiresAtMs: number | null;
  /** Made of a code, good for an hour; not to be refreshed. */
  readonly shortLived: boolean;
  /** The permissions that it was granted; absent: all that its login knows. */
  readonly scopes?: readonly string[];
  /** Made for a system user of a business: it stands for no person who logs in. */
  readonly systemUser?: boolean;
}

/** A code that a login has handed out, to be exchanged once. */
export interface Code {
  readonly owner: Owner;
  readonly redirectUri: string;
  readonly expiresAtMs: number;
  readonly scopes: readonly string[];
  /** What the `code_verifier` of its exchange must hash to (S256); absent: none is asked for. */
  readonly challenge?: string;
  used: boolean;
}

/** Every token and code of a world. */
export interface TokenStore {
  find(token: string): Grant | undefined;
  /** Makes a token that nobody had before; the same calls make the same tokens. */
  issue(grant: Grant): string;
  /** Changes what is known of a token, or makes it known. */
  set(token: string, changes: Partial<Grant>): void;
  /** Takes back every change of `set`; what logins and exchanges have issued stays. */
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

/** Creates a store of tokens that are there from the start. */
export function createTokenStore(initial: ReadonlyMap<string, Grant>): TokenStore {
  const grants = new Map(initial);
  /** The tokens that `set` has changed, as they were before; undefined: not known. */
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
