import type { Login } from '../engine/account.ts';

/** What the adapter is set up with. */
export interface InstagramOptions {
  /** Secrets; each travels in the `Authorization` header only. */
  readonly accessTokens: readonly string[];
  /** `v25.0` */
  readonly apiVersion: string;
  /** `https://graph.facebook.com`, without a slash at the end. */
  readonly baseUrl: string;
  readonly login: Login;
  /** The app's id; null when it is not known. */
  readonly clientId: string | null;
  /** With it every request proves that the app itself asks; null when it is not known. */
  readonly clientSecret: string | null;
  /** Ids of the only accounts to poll; empty for all that the token reaches. */
  readonly accounts: readonly string[];
  /** For one request, its body included. */
  readonly requestTimeoutMs: number;
  /** Items asked for on a page of a list. */
  readonly pageSize: number;
}
