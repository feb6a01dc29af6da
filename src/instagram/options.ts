import type { Login } from '../engine/account.ts';

export interface InstagramOptions {
  /** Secrets; each is sent in the `Authorization` header only. */
  readonly accessTokens: readonly string[];
  /** `v25.0` */
  readonly apiVersion: string;
  /** `https://graph.facebook.com`, without a trailing slash. */
  readonly baseUrl: string;
  readonly login: Login;
  readonly clientId: string | null;
  /** The app's secret, for the proof in every request; null when unknown. */
  readonly clientSecret: string | null;
  /** Ids of the only accounts to poll; empty for all that the token reaches. */
  readonly accounts: readonly string[];
  /** The timeout of one request, its body included. */
  readonly requestTimeoutMs: number;
  readonly pageSize: number;
}
