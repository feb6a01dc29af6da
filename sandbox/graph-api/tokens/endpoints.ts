import type { GraphRequest } from '../respond.ts';
import { checkToken } from '../callers.ts';
import { type GraphError, graphError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { World } from '../world/model.ts';
import { appToken, scopesOf } from './app.ts';
import { debugToken } from './debug-token.ts';
import { authorize, isVerified } from './login.ts';
import { checkApp, checkSecret, required } from './parameters.ts';
import type { Code, Grant } from './store.ts';

const DAY_MS = 86_400_000;
const LONG_S = 60 * 86_400;
const SHORT_S = 3600;

/** A request that needs no token of its own. */
export interface TokenRequest {
  readonly request: Pick<GraphRequest, 'method'>;
  readonly parsed: {
    readonly segments: readonly string[];
    readonly parameters: ReadonlyMap<string, string>;
  };
  readonly token: string;
  readonly nowMs: number;
}

/** An answer about tokens. */
export interface TokenAnswer {
  readonly status: number;
  readonly code?: number;
  readonly body: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers requests that create, change and inspect tokens; undefined for every other path. */
export function answerTokens(incoming: TokenRequest, world: World): TokenAnswer | undefined {
  const path = `${incoming.request.method} /${incoming.parsed.segments.join('/')}`;
  switch (path) {
    case 'GET /debug_token':
      return { status: 200, body: debugToken(incoming, world) };
    case 'GET /oauth/authorize':
    case 'GET /dialog/oauth':
      return authorize(incoming, world);
    case 'GET /oauth/access_token':
    case 'POST /oauth/access_token':
      return exchange(incoming, world);
    case 'GET /access_token':
      return { status: 200, body: exchangeInstagram(incoming, world) };
    case 'GET /refresh_access_token':
      return { status: 200, body: refreshInstagram(incoming, world) };
    default:
      return undefined;
  }
}

/** Answers the endpoint that both hosts share; a code identifies the login that issued it. */
function exchange(incoming: TokenRequest, world: World): TokenAnswer {
  const { parameters } = incoming.parsed;
  const grantType = parameters.get('grant_type') ?? 'authorization_code';
  switch (grantType) {
    case 'client_credentials':
      checkApp(parameters, world);
      return { status: 200, body: { access_token: appToken(world.app), token_type: 'bearer' } };
    case 'fb_exchange_token':
      return { status: 200, body: exchangeFacebook(incoming, world) };
    case 'authorization_code':
      return exchangeCode(incoming, world);
    default:
      throw graphError('bad-grant', grantType);
  }
}

function exchangeFacebook({ parsed, nowMs }: TokenRequest, world: World): Json {
  checkApp(parsed.parameters, world);
  const value = required(parsed.parameters, 'fb_exchange_token');
  checkToken(value, world, nowMs);
  const grant = world.tokens.find(value);
  if (grant === undefined || grant.owner.kind === 'account') throw graphError('bad-token');
  return { access_token: longLived(grant, world, nowMs), token_type: 'bearer', expires_in: LONG_S };
}

function exchangeCode({ request, parsed, nowMs }: TokenRequest, world: World): TokenAnswer {
  const { parameters } = parsed;
  checkApp(parameters, world);
  // Instagram appends `#_` to codes, which is not part of the code and which clients may send.
  const code = world.tokens.findCode(required(parameters, 'code').replace(/#_$/, ''));
  const forInstagram =
    code === undefined ? request.method === 'POST' : code.owner.kind === 'account';
  const error = errorOf(code, parameters, nowMs);
  if (code === undefined || error !== undefined) {
    if (forInstagram) return REJECTED;
    throw error ?? graphError('code-unknown');
  }
  code.used = true;
  const lifeS = lifeOf(code);
  const token = world.tokens.issue({
    owner: code.owner,
    issuedAtMs: nowMs,
    expiresAtMs: lifeS === null ? null : nowMs + lifeS * 1000,
    shortLived: lifeS === SHORT_S,
    scopes: code.scopes,
    systemUser: code.configuration?.tokenType === 'system-user',
  });
  return { status: 200, body: codeAnswer(token, { code, lifeS }, world) };
}

/**
 * Returns the lifetime of a code's token in seconds: an hour, or that of a system user's
 * configuration; null for a token that never expires.
 */
function lifeOf({ configuration }: Code): number | null {
  if (configuration?.tokenType !== 'system-user') return SHORT_S;
  const { expiresInDays } = configuration;
  return expiresInDays === undefined ? null : (expiresInDays * DAY_MS) / 1000;
}

const REJECTED: TokenAnswer = {
  status: 400,
  code: 400,
  body: {
    error_type: 'OAuthException',
    code: 400,
    error_message: 'Matching code was not found or was already used',
  },
};

function errorOf(
  code: Code | undefined,
  parameters: ReadonlyMap<string, string>,
  nowMs: number,
): GraphError | undefined {
  const redirectUri = required(parameters, 'redirect_uri');
  if (code === undefined) return undefined;
  if (code.used) return graphError('code-used');
  if (code.expiresAtMs <= nowMs) return graphError('code-expired');
  if (code.redirectUri !== redirectUri) return graphError('redirect-differs');
  const verified = isVerified(code, parameters.get('code_verifier'));
  return verified ? undefined : graphError('verifier-differs');
}

function codeAnswer(
  token: string,
  { code, lifeS }: { readonly code: Code; readonly lifeS: number | null },
  world: World,
): Json {
  const { owner, scopes } = code;
  if (owner.kind !== 'account') {
    const life = lifeS === null ? {} : { expires_in: lifeS };
    return { access_token: token, token_type: 'bearer', ...life };
  }
  const account = world.accounts.find(({ id }) => id === owner.accountId);
  const userId = account?.appScopedId ?? owner.accountId;
  return world.app.codeShape === 'flat'
    ? { access_token: token, user_id: userId, permissions: [...scopes] }
    : {
        data: [{ access_token: token, user_id: userId, permissions: scopes.join(',') }],
      };
}

function exchangeInstagram({ parsed, token, nowMs }: TokenRequest, world: World): Json {
  checkGrantType(parsed.parameters, 'ig_exchange_token');
  checkSecret(parsed.parameters, world);
  const grant = instagramGrant(token, world, nowMs);
  return { access_token: longLived(grant, world, nowMs), token_type: 'bearer', expires_in: LONG_S };
}

function refreshInstagram({ parsed, token, nowMs }: TokenRequest, world: World): Json {
  checkGrantType(parsed.parameters, 'ig_refresh_token');
  const grant = instagramGrant(token, world, nowMs);
  if (grant.shortLived) throw graphError('not-long-lived');
  if (nowMs - grant.issuedAtMs < DAY_MS) throw graphError('too-young');
  return { access_token: longLived(grant, world, nowMs), token_type: 'bearer', expires_in: LONG_S };
}

function instagramGrant(token: string, world: World, nowMs: number): Grant {
  if (token === '') throw graphError('no-token');
  checkToken(token, world, nowMs);
  const grant = world.tokens.find(token);
  if (grant?.owner.kind !== 'account') throw graphError('bad-token');
  return grant;
}

/** Issues a token for sixty days; a page's token never ends, as long as its user's is renewed. */
function longLived(grant: Grant, world: World, nowMs: number): string {
  return world.tokens.issue({
    owner: grant.owner,
    issuedAtMs: nowMs,
    expiresAtMs: grant.owner.kind === 'page' ? null : nowMs + LONG_S * 1000,
    shortLived: false,
    scopes: scopesOf(grant),
  });
}

function checkGrantType(parameters: ReadonlyMap<string, string>, expected: string): void {
  const value = required(parameters, 'grant_type');
  if (value !== expected) throw graphError('bad-grant', value);
}
