import { createHash } from 'node:crypto';
import { graphError } from '../errors.ts';
import type { World } from '../world/model.ts';
import { knownScopes, type LoginConfiguration } from './app.ts';
import type { TokenAnswer, TokenRequest } from './endpoints.ts';
import { checkClient, required } from './parameters.ts';
import type { Code, TokenOwner } from './store.ts';

const HOUR_MS = 3_600_000;

/**
 * Answers a person's login, which consents at once unless `decision` is `deny`; `login_hint`
 * selects the account. A browser gets `loginPage` first.
 */
export function authorize({ parsed, nowMs }: TokenRequest, world: World): TokenAnswer {
  const { segments, parameters } = parsed;
  const redirectUri = required(parameters, 'redirect_uri');
  checkClient(parameters, world);
  const instagram = segments[0] === 'oauth';
  const location = new URL(redirectUri);
  if (parameters.get('decision') === 'deny') {
    for (const [name, value] of DENIED) location.searchParams.set(name, value);
  } else {
    const owner: TokenOwner = instagram ? loggedIn(parameters, world) : { kind: 'user' };
    const code = world.tokens.issueCode({
      owner,
      redirectUri,
      expiresAtMs: nowMs + HOUR_MS,
      ...grantOf(parameters, owner, world),
    });
    location.searchParams.set('code', code);
  }
  const state = parameters.get('state');
  if (state !== undefined) location.searchParams.set('state', state);
  const Location = `${location.toString()}${instagram ? '#_' : ''}`;
  return { status: 302, body: {}, headers: { Location } };
}

const DENIED = [
  ['error', 'access_denied'],
  ['error_code', '200'],
  ['error_description', 'Permissions error'],
  ['error_reason', 'user_denied'],
] as const;

function loggedIn(parameters: ReadonlyMap<string, string>, world: World): TokenOwner {
  const hint = parameters.get('login_hint');
  const account = world.accounts.find(
    ({ id, user }) => hint === undefined || hint === id || hint === user['username'],
  );
  if (account === undefined) throw graphError('no-object', hint ?? '');
  return { kind: 'account', accountId: account.id };
}

/** Returns what a login grants: permissions, and with Facebook Login a proof key and a configuration. */
function grantOf(
  parameters: ReadonlyMap<string, string>,
  owner: TokenOwner,
  world: World,
): Pick<Code, 'scopes' | 'challenge' | 'configuration'> {
  const challenge = challengeOf(parameters);
  const configuration = owner.kind === 'user' ? configurationOf(parameters, world) : undefined;
  return {
    scopes: configuration?.scopes ?? grantedScopes(parameters, owner),
    ...(configuration === undefined ? {} : { configuration }),
    ...(challenge === undefined ? {} : { challenge }),
  };
}

/** Returns the configuration that the login names in place of permissions. */
function configurationOf(
  parameters: ReadonlyMap<string, string>,
  { app }: World,
): LoginConfiguration | undefined {
  const id = parameters.get('config_id');
  if (id === undefined) return undefined;
  const configuration = app.configurations[id];
  if (configuration === undefined) throw graphError('bad-configuration', id);
  return configuration;
}

/** Returns the requested permissions that the login knows; all of them where none is requested. */
function grantedScopes(
  parameters: ReadonlyMap<string, string>,
  owner: TokenOwner,
): readonly string[] {
  const known = knownScopes(owner);
  const requested = parameters.get('scope')?.split(/[\s,]+/);
  return requested === undefined ? known : known.filter((scope) => requested.includes(scope));
}

/** Returns the proof key; Facebook Login supports it, Instagram Login ignores it. */
function challengeOf(parameters: ReadonlyMap<string, string>): string | undefined {
  const challenge = parameters.get('code_challenge');
  if (challenge === undefined) return undefined;
  const method = parameters.get('code_challenge_method') ?? 'plain';
  if (method !== 'S256') throw graphError('bad-challenge', method);
  return challenge;
}

/** True when the verifier matches the login of the code. */
export function isVerified(code: Code, verifier: string | undefined): boolean {
  const { challenge, owner, configuration } = code;
  if (challenge === undefined || owner.kind === 'account') return true;
  if (configuration?.ignoresProofKey === true) return true;
  return (
    createHash('sha256')
      .update(verifier ?? '')
      .digest('base64url') === challenge
  );
}

/** Returns the page of an undecided login; undefined for any other request. */
export function loginPage(url: URL, accept: string): string | undefined {
  const path = /^(?:\/v\d+\.\d+)?\/(?:dialog\/oauth|oauth\/authorize)$/;
  const decided = url.searchParams.has('decision');
  if (!path.test(url.pathname) || decided || !accept.includes('text/html')) return undefined;
  const fields = [...url.searchParams].map(
    ([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`,
  );
  const scopes = (url.searchParams.get('scope') ?? '').split(/[\s,]+/).filter(Boolean);
  return `<!doctype html>
<html lang="en">
<title>Log in to the sandbox</title>
<h1>The sandbox's app asks for access</h1>
<ul>${scopes.map((scope) => `<li>${escape(scope)}</li>`).join('')}</ul>
<form>
${fields.join('\n')}
<button name="decision" value="allow">Continue</button>
<button name="decision" value="deny">Cancel</button>
</form>
</html>
`;
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
}
