import type { Login } from '../../engine/account.ts';
import { DeadLetterError, isConnectorError, StopAccountError } from '../../engine/errors.ts';
import { type Json, type Node, isNode } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { TokenLife } from '../../engine/token-life.ts';
import { readNode } from './response.ts';
import { type RequestTelemetry, networkError, timeoutError, withTelemetry } from './network.ts';
import { createRedact, proofOf } from './redaction.ts';
import { appAdvice } from '../token-advice.ts';
import type { Answer, Transport } from './transport.ts';

export interface OAuthOptions {
  readonly login: Login;
  /** `v25.0` */
  readonly apiVersion: string;
  /** The base URL of all endpoints, without a trailing slash; null for Meta's hosts. */
  readonly baseUrl: string | null;
  readonly clientId: string | null;
  readonly clientSecret: string | null;
  readonly requestTimeoutMs: number;
}

export interface Granted {
  readonly accessToken: string;
  /** Epoch milliseconds; null when the answer has no expiry. */
  readonly expiresAtMs: number | null;
}

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

export interface CodeGrant {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  readonly code: string;
  /** The verifier of the proof key; null without one. */
  readonly codeVerifier: string | null;
}

/**
 * The endpoints that create, exchange and inspect tokens. They accept tokens and secrets only as
 * parameters; their errors contain none of them. They throw as `Graph.get`, and DeadLetterError
 * `graph.bad-body` for an answer without the token.
 */
export interface OAuth {
  /** Returns Meta's facts about a token; Facebook Login only. */
  inspect(accessToken: string, signal: AbortSignal): Promise<TokenFacts>;
  /** Exchanges a short-lived token (Facebook Login: any valid token) for one of sixty days. */
  exchange(accessToken: string, signal: AbortSignal): Promise<Granted>;
  /** Refreshes a long-lived token for sixty days; with Facebook Login this is an exchange. */
  refresh(accessToken: string, signal: AbortSignal): Promise<Granted>;
  /** Redeems the code of a login for a short-lived token. */
  redeem(grant: CodeGrant, signal: AbortSignal): Promise<Granted>;
}

interface OAuthCall {
  readonly endpoint: string;
  readonly url: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly accessToken?: string;
  readonly method?: 'GET' | 'POST';
}

const graphHosts = {
  facebook: 'https://graph.facebook.com',
  instagram: 'https://graph.instagram.com',
} as const;

export function createOAuth(
  options: OAuthOptions,
  parts: RequestTelemetry & { readonly transport: Transport },
): OAuth {
  const execute = createCaller(options, parts);
  const executeGrant = async (call: OAuthCall, signal: AbortSignal): Promise<Granted> =>
    readGranted(await execute(call, signal), call.endpoint, parts.clock.nowMs());
  /** Adds the expiry, which Facebook does not always return with the token. */
  const renewed = async (call: OAuthCall, signal: AbortSignal): Promise<Granted> => {
    const granted = await executeGrant(call, signal);
    if (granted.expiresAtMs !== null || options.login === 'instagram') return granted;
    const { expiresAtMs } = await oauth.inspect(granted.accessToken, signal);
    return { ...granted, expiresAtMs };
  };
  const oauth: OAuth = {
    async inspect(accessToken, signal) {
      const call = inspection(options, accessToken);
      try {
        return readTokenFacts(await execute(call, signal));
      } catch (error) {
        // The answer reports on the inspected token; this error rejects the credentials of the app.
        const isApp = call.accessToken !== accessToken;
        if (!isApp || !isConnectorError(error) || error.code !== 'graph.token') throw error;
        throw new StopAccountError('graph.app-secret', `${call.endpoint}: ${appAdvice}`);
      }
    },
    exchange: (accessToken, signal) =>
      renewed(renewalCall(options, accessToken, 'exchange'), signal),
    refresh: (accessToken, signal) => renewed(renewalCall(options, accessToken, 'refresh'), signal),
    redeem: (grant, signal) => executeGrant(redemption(options, grant), signal),
  };
  return oauth;
}

/** Returns the base URL of the Graph API, without the version. */
export function graphBase({ baseUrl, login }: Pick<OAuthOptions, 'baseUrl' | 'login'>): string {
  return baseUrl ?? graphHosts[login];
}

function graphOf(options: OAuthOptions): string {
  const { login, apiVersion } = options;
  const host = graphBase(options);
  return login === 'facebook' ? `${host}/${apiVersion}` : host;
}

/** Creates the call that inspects a token: as the app, or without the app's secret as the token itself. */
function inspection(options: OAuthOptions, accessToken: string): OAuthCall {
  const { clientId, clientSecret } = options;
  const asApp = clientId === null || clientSecret === null ? null : `${clientId}|${clientSecret}`;
  const proof = asApp === null ? proofParameter(options, accessToken) : {};
  return {
    endpoint: '/debug_token',
    url: `${graphOf(options)}/debug_token`,
    parameters: { input_token: accessToken, ...proof },
    accessToken: asApp ?? accessToken,
  };
}

function proofParameter({ clientSecret }: OAuthOptions, accessToken: string) {
  return clientSecret === null ? {} : { appsecret_proof: proofOf(accessToken, clientSecret) };
}

/** Creates the call that exchanges a token, or refreshes it; with Facebook Login both are one. */
function renewalCall(
  options: OAuthOptions,
  accessToken: string,
  kind: 'exchange' | 'refresh',
): OAuthCall {
  const { login, clientId } = options;
  const client_secret = options.clientSecret ?? '';
  const callOf = (endpoint: string, parameters: OAuthCall['parameters']): OAuthCall => ({
    endpoint,
    url: `${graphOf(options)}${endpoint}`,
    parameters,
  });
  if (login === 'facebook') {
    return callOf('/oauth/access_token', {
      grant_type: 'fb_exchange_token',
      client_id: clientId ?? '',
      client_secret,
      fb_exchange_token: accessToken,
    });
  }
  const token = { access_token: accessToken };
  if (kind === 'exchange')
    return callOf('/access_token', { grant_type: 'ig_exchange_token', client_secret, ...token });
  const proof = proofParameter(options, accessToken);
  return callOf('/refresh_access_token', { grant_type: 'ig_refresh_token', ...token, ...proof });
}

/** Creates the call that redeems a code. Instagram Login has a separate host for it and expects a form. */
function redemption({ login, apiVersion, baseUrl }: OAuthOptions, grant: CodeGrant): OAuthCall {
  const isFacebook = login === 'facebook';
  const host = baseUrl ?? (isFacebook ? graphHosts.facebook : 'https://api.instagram.com');
  return {
    endpoint: '/oauth/access_token',
    url: `${host}${isFacebook ? `/${apiVersion}` : ''}/oauth/access_token`,
    method: isFacebook ? 'GET' : 'POST',
    parameters: {
      client_id: grant.clientId,
      client_secret: grant.clientSecret,
      grant_type: 'authorization_code',
      redirect_uri: grant.redirectUri,
      code: grant.code,
      ...(grant.codeVerifier === null ? {} : { code_verifier: grant.codeVerifier }),
    },
  };
}

function createCaller(
  { login, requestTimeoutMs }: OAuthOptions,
  parts: RequestTelemetry & { readonly transport: Transport },
) {
  const { transport, clock } = parts;
  const execute = async (call: OAuthCall, signal: AbortSignal): Promise<Node> => {
    const { endpoint, url } = call;
    const request: GraphRequest = { endpoint, path: '', query: {}, accountId: null };
    const redact = redactOf(call);
    const { host } = new URL(url);
    const late = AbortSignal.timeout(requestTimeoutMs);
    let answer: Answer;
    try {
      answer = await send(call, transport, AbortSignal.any([signal, late]));
    } catch (error) {
      signal.throwIfAborted();
      if (late.aborted) throw timeoutError(requestTimeoutMs, { request, host });
      throw networkError(error, { request, host, redact });
    }
    const context = { request, login, pageId: null, nowMs: clock.nowMs(), redact };
    // The body contains the new token, so it is not redacted.
    return readNode(answer, { ...context, redactBody: (text) => text });
  };
  return (call: OAuthCall, signal: AbortSignal): Promise<Node> =>
    withTelemetry(parts, { endpoint: call.endpoint, calls: 1 }, () => execute(call, signal));
}

function send(
  { url, parameters, accessToken, method }: OAuthCall,
  transport: Transport,
  signal: AbortSignal,
) {
  const form = new URLSearchParams(parameters);
  return method === 'POST'
    ? transport.post(url, form, null, signal)
    : transport.get(`${url}?${form.toString()}`, accessToken ?? null, signal);
}

const publicParameters = new Set(['grant_type', 'client_id', 'redirect_uri']);

function redactOf({ parameters, accessToken = '' }: OAuthCall): (text: string) => string {
  const secrets = Object.entries(parameters).filter(([name]) => !publicParameters.has(name));
  const redacts = [accessToken, ...secrets.map(([, value]) => value)].map(createRedact);
  return (text) => redacts.reduce((clean, redact) => redact(clean), text);
}

/** Reads a token: a flat object or, as Instagram documents it, a list of one. */
function readGranted(body: Node, endpoint: string, nowMs: number): Granted {
  const { data } = body;
  const first = Array.isArray(data) ? (data as readonly Json[])[0] : body;
  const token = first !== undefined && isNode(first) ? first['access_token'] : undefined;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    const message = `${endpoint}: expected a token, and the answer has none`;
    throw new DeadLetterError('graph.bad-body', message, { path: 'access_token', raw: '' });
  }
  const seconds = body['expires_in'];
  const expiresAtMs =
    typeof seconds === 'number' && seconds > 0 ? nowMs + Math.floor(seconds) * 1000 : null;
  return { accessToken: token, expiresAtMs };
}

/**
 * Reads and validates an answer of `/debug_token`.
 * @throws DeadLetterError `graph.bad-body` for an answer without `data`
 */
function readTokenFacts(body: Node): TokenFacts {
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
