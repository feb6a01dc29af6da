import { createHmac } from 'node:crypto';

/** Replaces every secret in a text that enters or leaves the program. */
export type Redact = (text: string) => string;

const replacement = '[redacted]';

/**
 * Parameters and JSON members with a secret value, as in URLs and bodies: `name=…`, `name%3D…`,
 * `"name":"…"`, and the same escaped inside a JSON text.
 */
const secretMember =
  /((?:access_token|input_token|fb_exchange_token|appsecret_proof|client_secret)(?:=|%3D|\\u003d|\\?"\s*:\s*\\?"))[^&\s"'\\<>]+/gi;

/** `Authorization: Bearer …`, as an error may quote it. */
const bearer = /(Bearer )[^\s"'\\]+/gi;

/** The form of Meta's tokens: `EAA…` of Facebook Login, `IG…` of Instagram Login. */
const metaToken = /\b(?:EAA|IGAA|IGQ)[A-Za-z0-9_-]{20,}/g;

/**
 * Creates the redaction for one token. It replaces the token, in clear and percent-encoded, and
 * anything that looks like a token, a page's token included (Invariant 9).
 */
export function createRedact(accessToken: string): Redact {
  const withoutToken = createLiteralRedact(accessToken);
  return (text) => {
    return withoutToken(text)
      .replace(secretMember, `$1${replacement}`)
      .replace(bearer, `$1${replacement}`)
      .replace(metaToken, replacement);
  };
}

/** The length from which a token is unmistakable in a body. Meta's tokens have over a hundred characters. */
const shortestUnmistakable = 16;

/**
 * Creates the redaction for stored bodies. It replaces only this token, because nothing else in a
 * body may change. Meta repeats the token in the URLs of `paging`; a proxy could repeat it
 * anywhere.
 */
export function createBodyRedact(accessToken: string): Redact {
  if (accessToken.length >= shortestUnmistakable) return createLiteralRedact(accessToken);
  return (text) => text.replaceAll(`access_token=${accessToken}`, `access_token=${replacement}`);
}

/** Creates the redaction of the token in clear, percent-encoded, and with slashes escaped as in PHP's JSON. */
function createLiteralRedact(accessToken: string): Redact {
  const spellings = [
    accessToken,
    encodeURIComponent(accessToken),
    accessToken.replaceAll('/', '\\/'),
  ].filter((spelling) => spelling !== '');
  return (text) =>
    [...new Set(spellings)].reduce((clean, one) => clean.replaceAll(one, replacement), text);
}

/** Returns the `appsecret_proof` of a token; it proves that the sender has the app's secret too. */
export function proofOf(accessToken: string, appSecret: string): string {
  return createHmac('sha256', appSecret).update(accessToken).digest('hex');
}

/** Returns every secret to redact: the tokens, their proofs and the secret of their app. */
export function secretsOf(accessTokens: readonly string[], appSecret: string | null): string[] {
  if (appSecret === null) return [...accessTokens];
  return [...accessTokens, ...accessTokens.map((token) => proofOf(token, appSecret)), appSecret];
}
