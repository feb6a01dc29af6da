/** An error of the API, as a row of a table. */
export interface ErrorRow {
  readonly status: number;
  /** `OAuthException` by default. */
  readonly type?: string;
  readonly code: number;
  readonly subcode?: number;
  /** `{0}`, `{1}` are placeholders for the values. */
  readonly message: string;
  readonly title?: string;
  readonly userMessage?: string;
  /** True when Meta sends the long envelope: `error_data`, `is_transient`. */
  readonly blame?: boolean;
  readonly transient?: boolean;
  /** True when graph.instagram.com uses the user's message as its message, without a title. */
  readonly plainOnInstagram?: boolean;
  /** True when graph.instagram.com uses the same type as graph.facebook.com. */
  readonly onBothHosts?: boolean;
}
