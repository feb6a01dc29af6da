/** Takes every secret out of a text that came from, or goes to, the outside. */
export type Redact = (text: string) => string;

const replacement = '[redacted]';

/**
 * Parameters and JSON members whose value is a secret, as URLs and bodies hold them: `name=…`,
 * `name%3D…`, `"name":"…"`, and both once more escaped inside a JSON text.
 */
const secretMember =
  /((?:access_token|input_token|fb_exchange_token|appsecret_proof|client_secret)(?:=|%3D|\\u003d|\\?"\s*:\s*\\?"))[^&\s"'\\<>]+/gi;

/** `Authorization: Bearer …`, quoted by whoever had it in hand. */
const bearer = /(Bearer )[^\s"'\\]+/gi;

/** What Meta's tokens look like: `EAA…` of Facebook Login, `IG…` of Instagram Login. */
const metaToken = /\b(?:EAA|IGAA|IGQ)[A-Za-z0-9_-]{20,}/g;

/**
 * Makes the redaction for one token: the token itself, in clear and percent-encoded, and anything
 * that looks like a token, a page's own included (Invariant 9).
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

/** Shorter ones are words, which a body may hold for its own reasons; Meta's are over a hundred long. */
const shortestUnmistakable = 16;

/**
 * Makes the redaction for bodies that are kept: only this very token is replaced, since nothing else
 * of a body may change. Meta repeats it in the URLs of `paging`; whoever stands between could anywhere.
 */
export function createBodyRedact(accessToken: string): Redact {
  if (accessToken.length >= shortestUnmistakable) return createLiteralRedact(accessToken);
  return (text) => text.replaceAll(`access_token=${accessToken}`, `access_token=${replacement}`);
}

/** Takes out the token itself, in clear, percent-encoded, and with slashes as PHP writes them in JSON. */
function createLiteralRedact(accessToken: string): Redact {
  const spellings = [
    accessToken,
    encodeURIComponent(accessToken),
    accessToken.replaceAll('/', '\\/'),
  ].filter((spelling) => spelling !== '');
  return (text) =>
    [...new Set(spellings)].reduce((clean, one) => clean.replaceAll(one, replacement), text);
}
