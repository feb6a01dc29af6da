import { type Redact, mask } from '../../engine/redaction.ts';

/** The length from which a token is unmistakable in a body. Meta's tokens have over a hundred characters. */
const shortestUnmistakable = 16;

/**
 * Creates the redaction for stored bodies (Invariant 9). It replaces only this token, because nothing
 * else in a body may change: in clear, percent-encoded, and with slashes escaped as in PHP's JSON.
 * Meta repeats the token in the URLs of `paging`; a proxy could repeat it anywhere.
 */
export function createBodyRedact(accessToken: string): Redact {
  if (accessToken.length < shortestUnmistakable) {
    return (text) => text.replaceAll(`access_token=${accessToken}`, `access_token=${mask}`);
  }
  const escaped = accessToken.replaceAll('/', '\\/');
  const spellings = [accessToken, encodeURIComponent(accessToken), escaped];
  return (text) => spellings.reduce((clean, one) => clean.replaceAll(one, mask), text);
}
