/** A refusal as a table has it. */
export interface ErrorRow {
  readonly status: number;
  /** `OAuthException` unless said otherwise. */
  readonly type?: string;
  readonly code: number;
  readonly subcode?: number;
  /** `{0}`, `{1}` stand for the values. */
  readonly message: string;
  readonly title?: string;
  readonly userMessage?: string;
  /** Meta sends the long envelope: `error_data`, `is_transient`. */
  readonly blame?: boolean;
  readonly transient?: boolean;
  /** graph.instagram.com has the message for the user as its message, and no title. */
  readonly plainOnInstagram?: boolean;
  /** graph.instagram.com answers it with the same type as graph.facebook.com. */
  readonly onBothHosts?: boolean;
}
