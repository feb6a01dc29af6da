import { checkToken, endOf } from '../callers.ts';
import { GraphError, graphError } from '../errors.ts';
import { type Json, type JsonObject, isObject } from '../json.ts';
import { USER_ID } from '../nodes/me-node.ts';
import type { World } from '../world/model.ts';
import { appToken, scopesOf } from './app.ts';
import type { TokenRequest } from './endpoints.ts';
import type { Grant, TokenOwner } from './store.ts';

/** Access to the data expires this long after the last login. */
const DATA_ACCESS_S = 90 * 86_400;

/** Answers `/debug_token`, requested with the app's own token or one of its users'. */
export function debugToken({ parsed, token, nowMs }: TokenRequest, world: World): Json {
  const input = parsed.parameters.get('input_token');
  if (token === '') throw graphError('no-token');
  if (token !== appToken(world.app)) checkToken(token, world, nowMs);
  if (input === undefined || input === '') throw graphError('required', 'input_token');
  const error = errorOf(input, world, nowMs);
  const grant = world.tokens.find(input);
  if (grant === undefined) {
    return { data: { ...error, is_valid: false, scopes: [] } };
  }
  return { data: describe(grant, { error, world, expiresAtMs: endOf(input, world, nowMs) }) };
}

interface Described {
  readonly error: JsonObject;
  readonly world: World;
  readonly expiresAtMs: number | null;
}

function describe(grant: Grant, { error, world, expiresAtMs }: Described): Json {
  const { owner, issuedAtMs, systemUser = false } = grant;
  const scopes = [...scopesOf(grant)];
  const issuedAt = Math.floor(issuedAtMs / 1000);
  return {
    app_id: world.app.clientId,
    type: owner.kind === 'page' ? 'PAGE' : systemUser ? 'SYSTEM_USER' : 'USER',
    application: world.app.name,
    data_access_expires_at: systemUser ? 0 : issuedAt + DATA_ACCESS_S,
    ...error,
    expires_at: expiresAtMs === null ? 0 : Math.floor(expiresAtMs / 1000),
    is_valid: Object.keys(error).length === 0,
    issued_at: issuedAt,
    ...(owner.kind === 'page' ? { profile_id: owner.pageId } : {}),
    scopes,
    granular_scopes: scopes.map((scope) => granular(scope, owner, world)),
    user_id: owner.kind === 'account' ? owner.accountId : USER_ID,
  };
}

function granular(scope: string, owner: TokenOwner, { accounts }: World): JsonObject {
  if (!scope.startsWith('instagram_')) return { scope };
  const ids = accounts
    .filter(({ id, pageId }) => {
      if (owner.kind === 'account') return id === owner.accountId;
      return owner.kind === 'user' || pageId === owner.pageId;
    })
    .map(({ id }) => id);
  return { scope, target_ids: ids };
}

/** Returns the `error` of an invalid token, or nothing. */
function errorOf(token: string, world: World, nowMs: number): JsonObject {
  try {
    checkToken(token, world, nowMs);
    return {};
  } catch (error) {
    if (!(error instanceof GraphError) || !isObject(error.error)) throw error;
    const { code, message, error_subcode: subcode } = error.error;
    return {
      error: {
        code: code ?? 190,
        message: message ?? '',
        ...(subcode === undefined ? {} : { subcode }),
      },
    };
  }
}
