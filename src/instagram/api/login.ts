import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { OAuthOptions } from './oauth.ts';

/** A login that is begun, and what tells its answer from another's. */
export interface BegunLogin {
  /** Where the person is to go. */
  readonly url: string;
  readonly state: string;
  /** Of the proof key; null where the login knows none. */
  readonly codeVerifier: string | null;
}

/** What a login is begun with. */
export interface LoginRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scope: readonly string[];
}

/**
 * Begins a login: a state that nobody can guess, and with Facebook Login a proof key (RFC 7636), which
 * Instagram Login does not know.
 */
export function beginLogin(
  { login, apiVersion, baseUrl }: Pick<OAuthOptions, 'login' | 'apiVersion' | 'baseUrl'>,
  { clientId, redirectUri, scope }: LoginRequest,
): BegunLogin {
  const isFacebook = login === 'facebook';
  const state = randomBytes(24).toString('base64url');
  const codeVerifier = isFacebook ? randomBytes(48).toString('base64url') : null;
  const url = new URL(
    isFacebook
      ? `${baseUrl ?? 'https://www.facebook.com'}/${apiVersion}/dialog/oauth`
      : `${baseUrl ?? 'https://www.instagram.com'}/oauth/authorize`,
  );
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: scope.join(','),
    state,
    ...(codeVerifier === null ? {} : proofKey(codeVerifier)),
  }).toString();
  return { url: url.toString(), state, codeVerifier };
}

function proofKey(verifier: string): Readonly<Record<string, string>> {
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  return { code_challenge: challenge, code_challenge_method: 'S256' };
}

/** What the address that a login was led back to says. */
export type LoginAnswer =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'denied'; readonly reason: string }
  /** It is not of this login. */
  | { readonly kind: 'foreign' }
  /** It is no answer at all. */
  | { readonly kind: 'nothing' };

/** Reads the address that a login was led back to. */
export function readAnswer(address: URL, state: string): LoginAnswer {
  const { searchParams } = address;
  const code = searchParams.get('code');
  const error = searchParams.get('error');
  if (code === null && error === null) return { kind: 'nothing' };
  if (!isSame(searchParams.get('state') ?? '', state)) return { kind: 'foreign' };
  if (code === null) {
    const words = searchParams.get('error_description') ?? searchParams.get('error_reason');
    return { kind: 'denied', reason: shown(words ?? error ?? '') };
  }
  // Instagram appends `#_`, which whoever copies an address may have encoded.
  return { kind: 'code', code: code.replace(/#_$/, '') };
}

function isSame(came: string, expected: string): boolean {
  const [one, other] = [came, expected].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}

/** Anybody can lead a browser to the address: what it says is shown on one line, and not much of it. */
function shown(words: string): string {
  return words.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
