import type { Login } from '../engine/account.ts';
import type { AccountChoice } from './account-choice.ts';

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

export interface GraphOptions extends OAuthOptions {
  readonly baseUrl: string;
}

export interface InstagramOptions extends GraphOptions, AccountChoice {
  /** Secrets; each is sent in the `Authorization` header only. */
  readonly accessTokens: readonly string[];
  /** Ids of businesses whose accounts are listed; `all` stands for those of each token. */
  readonly businesses: readonly string[];
  readonly pageSize: number;
}
