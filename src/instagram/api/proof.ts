import { createHmac } from 'node:crypto';

/** What `appsecret_proof` is with a token: who sends it has the app's secret and not only the token. */
export function proofOf(accessToken: string, appSecret: string): string {
  return createHmac('sha256', appSecret).update(accessToken).digest('hex');
}

/** Everything that must not be seen of tokens and of the app that they were made for. */
export function secretsOf(accessTokens: readonly string[], appSecret: string | null): string[] {
  if (appSecret === null) return [...accessTokens];
  return [...accessTokens, ...accessTokens.map((token) => proofOf(token, appSecret)), appSecret];
}
