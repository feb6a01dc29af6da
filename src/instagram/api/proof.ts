import { createHmac } from 'node:crypto';

/** Returns the `appsecret_proof` of a token; it proves that the sender has the app's secret too. */
export function proofOf(accessToken: string, appSecret: string): string {
  return createHmac('sha256', appSecret).update(accessToken).digest('hex');
}

/** Returns every secret to redact: the tokens, their proofs and the secret of their app. */
export function secretsOf(accessTokens: readonly string[], appSecret: string | null): string[] {
  if (appSecret === null) return [...accessTokens];
  return [...accessTokens, ...accessTokens.map((token) => proofOf(token, appSecret)), appSecret];
}
