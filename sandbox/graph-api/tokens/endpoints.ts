import type { GraphRequest } from '../respond.ts';
import { checkToken } from '../callers.ts';
import type { GraphError } from '../errors.ts';
import { graphError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { World } from '../world/model.ts';
import { appToken, INSTAGRAM_SCOPES } from './app.ts';
import { debugToken } from './debug-token.ts';
import type { Code, Owner } from './store.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LONG_S = 60 * 86_400;
const SHORT_S = 3600;

/** A request that needs no token of its own. */
export interface TokenQuestion {
  readonly request: Pick<GraphRequest, 'method'>;
  readonly question: {
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

/** Answers what makes, changes and tells of tokens; undefined for every other path. */
export function answerTokens(asking: TokenQuestion, world: World): TokenAnswer | undefined {
  const path = `${asking.request.method} /${asking.question.segments.join('/')}`;
  switch (path) {
    case 'GET /debug_token':
      return { status: 200, body: debugToken(asking, world) };
    case 'GET /oauth/authorize':
    case 'GET /dialog/oauth':
      return authorize(asking, world);
    case 'GET /oauth/access_token':
    case 'POST /oauth/access_token':
      return exchange(asking, world);
    case 'GET /access_token':
      return { status: 200, body: exchangeInstagram(asking, world) };
    case 'GET /refresh_access_token':
      return { status: 200, body: refreshInstagram(asking, world) };
    default:
      return undefined;
  }
}

/** The login of a person who says yes at once; `login_hint` says which account it is. */
function authorize({ question, nowMs }: TokenQuestion, world: World): TokenAnswer {
  const { segments, parameters } = question;
  const redirectUri = required(parameters, 'redirect_uri');
  checkClient(parameters, world);
  const instagram = segments[0] === 'oauth';
  const location = new URL(redirectUri);
  const code = world.tokens.issueCode({
    owner: instagram ? loggedIn(parameters, world) : { kind: 'user' },
    redirectUri,
    expiresAtMs: nowMs + HOUR_MS,
  });
  location.searchParams.set('code', code);
  const state = parameters.get('state');
  if (state !== undefined) location.searchParams.set('state', state);
  const Location = `${location.toString()}${instagram ? '#_' : ''}`;
  return { status: 302, body: {}, headers: { Location } };
}

function loggedIn(parameters: ReadonlyMap<string, string>, world: World): Owner {
  const hint = parameters.get('login_hint');
  const account = world.accounts.find(
    ({ id, user }) => hint === undefined || hint === id || hint === user['username'],
  );
  if (account === undefined) throw graphError('no-object', hint ?? '');
  return { kind: 'account', accountId: account.id };
}

/** What both hosts call by one name; a code says by which login it was made. */
function exchange(asking: TokenQuestion, world: World): TokenAnswer {
  const { parameters } = asking.question;
  const grantType = parameters.get('grant_type') ?? 'authorization_code';
  switch (grantType) {
    case 'client_credentials':
      checkApp(parameters, world);
      return { status: 200, body: { access_token: appToken(world.app), token_type: 'bearer' } };
    case 'fb_exchange_token':
      return { status: 200, body: exchangeFacebook(asking, world) };
    case 'authorization_code':
      return exchangeCode(asking, world);
    default:
      throw graphError('bad-grant', grantType);
  }
}

function exchangeFacebook({ question, nowMs }: TokenQuestion, world: World): Json {
  checkApp(question.parameters, world);
  const given = required(question.parameters, 'fb_exchange_token');
  checkToken(given, world, nowMs);
  const owner = world.tokens.find(given)?.owner;
  if (owner === undefined || owner.kind === 'account') throw graphError('bad-token');
  return { access_token: longLived(owner, world, nowMs), token_type: 'bearer', expires_in: LONG_S };
}

function exchangeCode({ request, question, nowMs }: TokenQuestion, world: World): TokenAnswer {
  const { parameters } = question;
  checkApp(parameters, world);
  // Instagram hands out codes with a `#_` that belongs to no code, which clients may leave there.
  const code = world.tokens.findCode(required(parameters, 'code').replace(/#_$/, ''));
  const forInstagram =
    code === undefined ? request.method === 'POST' : code.owner.kind === 'account';
  const trouble = troubleOf(code, required(parameters, 'redirect_uri'), nowMs);
  if (code === undefined || trouble !== undefined) {
    if (forInstagram) return REJECTED;
    throw trouble ?? graphError('code-unknown');
  }
  code.used = true;
  const token = world.tokens.issue({
    owner: code.owner,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + SHORT_S * 1000,
    shortLived: true,
  });
  return { status: 200, body: codeAnswer(token, code, world) };
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

function troubleOf(
  code: Code | undefined,
  redirectUri: string,
  nowMs: number,
): GraphError | undefined {
  if (code === undefined) return undefined;
  if (code.used) return graphError('code-used');
  if (code.expiresAtMs <= nowMs) return graphError('code-expired');
  return code.redirectUri === redirectUri ? undefined : graphError('redirect-differs');
}

function codeAnswer(token: string, { owner }: Code, world: World): Json {
  if (owner.kind !== 'account') {
    return { access_token: token, token_type: 'bearer', expires_in: SHORT_S };
  }
  const account = world.accounts.find(({ id }) => id === owner.accountId);
  const userId = account?.appScopedId ?? owner.accountId;
  return world.app.codeShape === 'flat'
    ? { access_token: token, user_id: userId, permissions: [...INSTAGRAM_SCOPES] }
    : {
        data: [{ access_token: token, user_id: userId, permissions: INSTAGRAM_SCOPES.join(',') }],
      };
}

function exchangeInstagram({ question, token, nowMs }: TokenQuestion, world: World): Json {
  checkGrantType(question.parameters, 'ig_exchange_token');
  checkSecret(question.parameters, world);
  const owner = instagramOwner(token, world, nowMs);
  return { access_token: longLived(owner, world, nowMs), token_type: 'bearer', expires_in: LONG_S };
}

function refreshInstagram({ question, token, nowMs }: TokenQuestion, world: World): Json {
  checkGrantType(question.parameters, 'ig_refresh_token');
  const owner = instagramOwner(token, world, nowMs);
  const grant = world.tokens.find(token);
  if (grant?.shortLived === true) throw graphError('not-long-lived');
  if (grant !== undefined && nowMs - grant.issuedAtMs < DAY_MS) throw graphError('too-young');
  return { access_token: longLived(owner, world, nowMs), token_type: 'bearer', expires_in: LONG_S };
}

function instagramOwner(token: string, world: World, nowMs: number): Owner {
  if (token === '') throw graphError('no-token');
  checkToken(token, world, nowMs);
  const owner = world.tokens.find(token)?.owner;
  if (owner?.kind !== 'account') throw graphError('bad-token');
  return owner;
}

/** A token for sixty days; a page's for ever, as long as its user's is renewed. */
function longLived(owner: Owner, world: World, nowMs: number): string {
  return world.tokens.issue({
    owner,
    issuedAtMs: nowMs,
    expiresAtMs: owner.kind === 'page' ? null : nowMs + LONG_S * 1000,
    shortLived: false,
  });
}

function required(parameters: ReadonlyMap<string, string>, name: string): string {
  const value = parameters.get(name);
  if (value === undefined || value === '') throw graphError('missing-parameter', name);
  return value;
}

function checkGrantType(parameters: ReadonlyMap<string, string>, expected: string): void {
  const given = required(parameters, 'grant_type');
  if (given !== expected) throw graphError('bad-grant', given);
}

function checkClient(parameters: ReadonlyMap<string, string>, { app }: World): void {
  if (required(parameters, 'client_id') !== app.clientId) throw graphError('no-app');
}

function checkSecret(parameters: ReadonlyMap<string, string>, { app }: World): void {
  if (required(parameters, 'client_secret') !== app.clientSecret) throw graphError('bad-secret');
}

function checkApp(parameters: ReadonlyMap<string, string>, world: World): void {
  checkClient(parameters, world);
  checkSecret(parameters, world);
}
