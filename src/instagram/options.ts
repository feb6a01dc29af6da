import type { Login } from '../engine/account.ts';

export interface OAuthOptions {
  readonly login: Login;
  /** `v25.0` */
  readonly apiVersion: string;
  /** The base URL of all endpoints, without a trailing slash; null for Meta's hosts. */
  readonly baseUrl: string | null;
  readonly clientId: string | null;
  /** The app's secret, for the proof in every request; null when unknown. */
  readonly clientSecret: string | null;
  /** The timeout of one request, its body included. */
  readonly requestTimeoutMs: number;
}

export interface InstagramOptions extends OAuthOptions {
  /** Secrets; each is sent in the `Authorization` header only. */
  readonly accessTokens: readonly string[];
  readonly baseUrl: string;
  /** Ids of the only accounts to poll; empty for all that the token reaches. */
  readonly accounts: readonly string[];
  readonly pageSize: number;
}
