import { type Json, isNode } from '../../engine/json.ts';

/** The members of Meta's error that have the right type. */
export interface ErrorEnvelope {
  /** Always English; `error_user_title` and `error_user_msg` follow the caller's locale. */
  readonly message: string;
  readonly code: number | null;
  readonly subcode: number | null;
  readonly transient: boolean;
  /** Meta's id of this answer; Meta's support requests it. */
  readonly traceId: string | null;
}

const emptyEnvelope: ErrorEnvelope = {
  message: '',
  code: null,
  subcode: null,
  transient: false,
  traceId: null,
};

/**
 * Reads `{"error": {…}}` with validation: a member of the wrong type counts as absent. A text in place
 * of the object, or the `error_message` of Instagram's login, becomes the message.
 */
export function readEnvelope(body: Json): ErrorEnvelope {
  if (!isNode(body)) return emptyEnvelope;
  const error = body['error'];
  if (!isNode(error))
    return { ...emptyEnvelope, message: text(error) ?? text(body['error_message']) ?? '' };
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
