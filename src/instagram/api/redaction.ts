import { createHmac } from 'node:crypto';
import * as engine from '../../engine/redaction.ts';

/** Creates the redaction of one token, and of whatever looks like a secret (Invariant 9). */
export function createRedact(accessToken: string): engine.Redact {
  return engine.createRedact([accessToken]);
}

/** The length from which a token is unmistakable in a body. Meta's tokens have over a hundred characters. */
const shortestUnmistakable = 16;

/**
 * Creates the redaction for stored bodies. It replaces only this token, because nothing else in a
 * body may change. Meta repeats the token in the URLs of `paging`; a proxy could repeat it
 * anywhere.
 */
export function createBodyRedact(accessToken: string): engine.Redact {
  if (accessToken.length >= shortestUnmistakable) return createLiteralRedact(accessToken);
  return (text) => text.replaceAll(`access_token=${accessToken}`, `access_token=${engine.mask}`);
}

/** Creates the redaction of the token in clear, percent-encoded, and with slashes escaped as in PHP's JSON. */
function createLiteralRedact(accessToken: string): engine.Redact {
  const spellings = [
    accessToken,
    encodeURIComponent(accessToken),
    accessToken.replaceAll('/', '\\/'),
  ].filter((spelling) => spelling !== '');
  return (text) =>
    [...new Set(spellings)].reduce((clean, one) => clean.replaceAll(one, engine.mask), text);
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
