/** An Instagram professional account. */
export interface Account {
  /** `business_account_id`: the id that the Graph API's paths take. */
  readonly id: string;
  /** The Facebook page that it is reached through; null with Instagram Login. */
  readonly pageId: string | null;
  readonly username: string | null;
  /** Which of several tokens reaches it, by its name; absent when there is but one. */
  readonly token?: string;
}

/** Which of Meta's two logins the token came from, and so which host and dialect answer. */
export type Login = 'facebook' | 'instagram';
