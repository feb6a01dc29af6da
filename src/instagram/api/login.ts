import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { OAuthOptions } from '../options.ts';

export interface BegunLogin {
  /** The address that the person opens. */
  readonly url: string;
  readonly state: string;
  /** The verifier of the proof key; null for a login without one. */
  readonly codeVerifier: string | null;
}

/**
 * Starts a login: a random state, and for Facebook Login a proof key (RFC 7636). The configuration of
 * Facebook Login for Business has permissions of its own, and takes the place of `scope`.
 * @see https://developers.facebook.com/docs/facebook-login/facebook-login-for-business (read 2026-11)
 */
export function beginLogin(
  { login, apiVersion, baseUrl }: Pick<OAuthOptions, 'login' | 'apiVersion' | 'baseUrl'>,
  app: {
    readonly clientId: string;
    readonly redirectUri: string;
    readonly scope: readonly string[];
    /** The id of the configuration; null for none. */
    readonly configId: string | null;
  },
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
    client_id: app.clientId,
    redirect_uri: app.redirectUri,
    response_type: 'code',
    ...(app.configId === null ? { scope: app.scope.join(',') } : { config_id: app.configId }),
    state,
    ...(codeVerifier === null ? {} : proofKey(codeVerifier)),
  }).toString();
  return { url: url.toString(), state, codeVerifier };
}

function proofKey(verifier: string): Readonly<Record<string, string>> {
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  return { code_challenge: challenge, code_challenge_method: 'S256' };
}

export type LoginAnswer =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'denied'; readonly reason: string }
  /** The answer of another login. */
  | { readonly kind: 'foreign' }
  /** An address without an answer. */
  | { readonly kind: 'nothing' };

export function readAnswer(address: URL, state: string): LoginAnswer {
  const { searchParams } = address;
  const code = searchParams.get('code');
  const error = searchParams.get('error');
  if (code === null && error === null) return { kind: 'nothing' };
  if (!isSame(searchParams.get('state') ?? '', state)) return { kind: 'foreign' };
  if (code === null) {
    const words = searchParams.get('error_description') ?? searchParams.get('error_reason');
    return { kind: 'denied', reason: printable(words ?? error ?? '') };
  }
  // Instagram appends `#_`; a copied address may hold it encoded.
  return { kind: 'code', code: code.replace(/#_$/, '') };
}

function isSame(actual: string, expected: string): boolean {
  const [one, other] = [actual, expected].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}

/** Returns a text on one line, cut to 200 characters: any web page can open the address in a browser. */
function printable(words: string): string {
  return words.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
