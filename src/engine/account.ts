/** An Instagram professional account. */
export interface Account {
  /** `business_account_id`: the id that the Graph API's paths take. */
  readonly id: string;
  /** The Facebook page through which the API serves it; null with Instagram Login. */
  readonly pageId: string | null;
  readonly username: string | null;
  /** The name of the token that reaches it; absent when there is only one token. */
  readonly token?: string;
}

/** The login that issued the token; it decides the API host and its dialect. */
export type Login = 'facebook' | 'instagram';
