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
  const literals = [...new Set([accessToken, encodeURIComponent(accessToken)])].filter(
    (literal) => literal !== '',
  );
  return (text) => {
    let clean = text;
    for (const literal of literals) clean = clean.replaceAll(literal, replacement);
    return clean
      .replace(secretMember, `$1${replacement}`)
      .replace(bearer, `$1${replacement}`)
      .replace(metaToken, replacement);
  };
}

/**
 * Makes the redaction for bodies that are kept: Meta repeats the token in the URLs of `paging`, and
 * nothing else of a body may change, so only `access_token=` with this very token is replaced.
 */
export function createBodyRedact(accessToken: string): Redact {
  return (text) => text.replaceAll(`access_token=${accessToken}`, `access_token=${replacement}`);
}
