import { DeadLetterError } from '../../engine/errors.ts';
import { type Json, type Node, isNode } from '../../engine/json.ts';
import type { TokenLife } from '../../engine/token-life.ts';

/** Meta's facts about a token of Facebook Login. */
export interface TokenFacts extends TokenLife {
  readonly isValid: boolean;
  /** Meta's reason for an invalid token; null for a valid one. */
  readonly reason: string | null;
  /** True when Meta knows the token; it reports no other facts about an unknown token. */
  readonly isKnown: boolean;
  /** `USER`, `PAGE` or `SYSTEM_USER`; null when Meta does not report it. */
  readonly type: string | null;
  readonly appId: string | null;
  readonly application: string | null;
  readonly userId: string | null;
  readonly scopes: readonly string[];
  /** The accounts that `instagram_basic` was granted for; empty for all. */
  readonly accountIds: readonly string[];
}

/**
 * Reads and validates an answer of `/debug_token`.
 *
 * @throws DeadLetterError `graph.bad-body` for an answer without `data`
 */
export function readTokenFacts(body: Node): TokenFacts {
  const data = body['data'];
  if (!isNode(data)) {
    const message = '/debug_token: expected an object "data", and the answer has none';
    throw new DeadLetterError('graph.bad-body', message, { path: 'data', raw: '' });
  }
  const error = data['error'];
  return {
    isValid: data['is_valid'] === true,
    isKnown: typeof data['expires_at'] === 'number',
    reason: isNode(error) ? text(error['message']) : null,
    type: text(data['type']),
    appId: text(data['app_id']),
    application: text(data['application']),
    userId: text(data['user_id']),
    issuedAtMs: time(data['issued_at']),
    expiresAtMs: time(data['expires_at']),
    dataAccessUntilMs: time(data['data_access_expires_at']),
    scopes: texts(data['scopes']),
    accountIds: accountsOf(data['granular_scopes']),
  };
}

function text(value: Json | undefined): string | null {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value : null;
}

/** Converts seconds to epoch milliseconds; null for 0, which means never. */
function time(value: Json | undefined): number | null {
  return typeof value === 'number' && value > 0 ? Math.floor(value) * 1000 : null;
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function accountsOf(granular: Json | undefined): readonly string[] {
  const entries = Array.isArray(granular) ? granular.filter(isNode) : [];
  return texts(entries.find(({ scope }) => scope === 'instagram_basic')?.['target_ids']);
}
