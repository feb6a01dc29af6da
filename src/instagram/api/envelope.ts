import { type Json, isNode } from '../../engine/json.ts';

/** Meta's error, as far as it came in the right types. */
export interface ErrorEnvelope {
  /** English whatever the caller's locale, unlike `error_user_title` and `error_user_msg`. */
  readonly message: string;
  readonly code: number | null;
  readonly subcode: number | null;
  readonly transient: boolean;
  /** Meta's name for this very answer, for its support. */
  readonly traceId: string | null;
}

const nothing: ErrorEnvelope = {
  message: '',
  code: null,
  subcode: null,
  transient: false,
  traceId: null,
};

/**
 * Reads `{"error": {…}}` without trusting it: a member of the wrong type counts as absent.
 * A text in place of the object, and the `error_message` of Instagram's login, are its message.
 */
export function readEnvelope(body: Json): ErrorEnvelope {
  if (!isNode(body)) return nothing;
  const error = body['error'];
  if (!isNode(error))
    return { ...nothing, message: text(error) ?? text(body['error_message']) ?? '' };
  return {
    message: text(error['message']) ?? '',
    code: integer(error['code']),
    subcode: integer(error['error_subcode']),
    transient: error['is_transient'] === true,
    traceId: text(error['fbtrace_id']),
  };
}

function text(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function integer(value: Json | undefined): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null;
}
