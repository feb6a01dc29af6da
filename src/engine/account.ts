import type { StreamName } from './stream-name.ts';

/** An Instagram professional account. */
export interface Account {
  /** `business_account_id`: the id that the Graph API's paths take. */
  readonly id: string;
  /** The Facebook page through which the API serves it; null with Instagram Login. */
  readonly pageId: string | null;
  readonly username: string | null;
  /** The name of the token that reaches it; absent when there is only one token. */
  readonly token?: string;
  /** Its streams and intervals; absent for those of all accounts. */
  readonly polling?: AccountPolling;
}

/** The streams of an account, and the intervals that replace those of the streams. */
export interface AccountPolling {
  readonly streams: readonly StreamName[];
  readonly intervalsMs: Readonly<Record<StreamName, number>>;
}

/** The streams and intervals of the accounts that have their own, and of the others. */
export interface PollingChoice {
  /** By id, or `@` and user name in lower case. */
  readonly byAccount: Readonly<Record<string, AccountPolling>>;
  readonly others: AccountPolling;
}

/** The login that issued the token; it decides the API host and its dialect. */
export type Login = 'facebook' | 'instagram';

/** True when a stream, if it is enabled, is polled for an account. */
export function isPolled(
  { polling }: { readonly polling?: AccountPolling | undefined },
  stream: StreamName,
): boolean {
  return polling === undefined || polling.streams.includes(stream);
}
