import { DeadLetterError, isClassifiedError, StopAccountError } from '../../engine/errors.ts';
import { type Json, type Node, isNode } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { TokenLife } from '../../engine/token-life.ts';
import { readNode } from './response.ts';
import { type RequestTelemetry, networkError, timeoutError, withTelemetry } from './network.ts';
import type { Redact } from '../../engine/redaction.ts';
import { createRedact, proofOf } from './redaction.ts';
import type { OAuthOptions } from '../options.ts';
import { appAdvice } from '../token-advice.ts';
import type { Answer, Transport } from './transport.ts';

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

/**
 * The endpoints that create, exchange and inspect tokens. They accept tokens and secrets only as
 * parameters; their errors contain none of them. They throw as `Graph.get`, and DeadLetterError
 * `graph.bad-body` for an answer without the token.
 */
export class OAuth {
  readonly #options: OAuthOptions;
  readonly #parts: RequestTelemetry & { readonly transport: Transport };

  constructor(options: OAuthOptions, parts: RequestTelemetry & { readonly transport: Transport }) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Returns Meta's facts about a token; Facebook Login only. */
  async inspect(accessToken: string, signal: AbortSignal): Promise<TokenFacts> {
    const call = inspection(this.#options, accessToken);
    try {
      return readTokenFacts(await this.#execute(call, signal));
    } catch (error) {
      // The answer reports on the inspected token; this error rejects the credentials of the app.
      const isApp = call.accessToken !== accessToken;
      if (!isApp || !isClassifiedError(error) || error.code !== 'graph.token') throw error;
      throw new StopAccountError('graph.app-secret', `${call.endpoint}: ${appAdvice}`);
    }
  }

  /** Exchanges a short-lived token (Facebook Login: any valid token) for one of sixty days. */
  exchange(accessToken: string, signal: AbortSignal): Promise<Granted> {
    return this.#renew(renewalCall(this.#options, accessToken, 'exchange'), signal);
  }

  /** Refreshes a long-lived token for sixty days; with Facebook Login this is an exchange. */
  refresh(accessToken: string, signal: AbortSignal): Promise<Granted> {
    return this.#renew(renewalCall(this.#options, accessToken, 'refresh'), signal);
  }

  /** Adds the expiry, which Facebook does not always return with the token. */
  async #renew(call: OAuthCall, signal: AbortSignal): Promise<Granted> {
    const granted = await this.#grant(call, signal);
    if (granted.expiresAtMs !== null || this.#options.login === 'instagram') return granted;
    const { expiresAtMs } = await this.inspect(granted.accessToken, signal);
    return { ...granted, expiresAtMs };
  }

  /** Redeems the code of a login for a short-lived token. */
  redeem(grant: CodeGrant, signal: AbortSignal): Promise<Granted> {
    return this.#grant(redemption(this.#options, grant), signal);
  }

  async #grant(call: OAuthCall, signal: AbortSignal): Promise<Granted> {
    return readGranted(await this.#execute(call, signal), call.endpoint, this.#parts.clock.nowMs());
  }

  #execute(call: OAuthCall, signal: AbortSignal): Promise<Node> {
    const { endpoint } = call;
    return withTelemetry(this.#parts, { endpoint, calls: 1 }, async () => {
      const request: GraphRequest = { endpoint, path: '', query: {}, accountId: null };
      const redact = redactOf(call);
      const answer = await this.#send(call, { request, redact }, signal);
      const { login } = this.#options;
      const nowMs = this.#parts.clock.nowMs();
      // The body contains the new token, so it is not redacted.
      const redactBody = (text: string): string => text;
      return readNode(answer, { request, login, pageId: null, nowMs, redact, redactBody });
    });
  }

  async #send(
    { url, parameters, accessToken, method }: OAuthCall,
    { request, redact }: { readonly request: GraphRequest; readonly redact: Redact },
    signal: AbortSignal,
  ): Promise<Answer> {
    const { transport } = this.#parts;
    const { requestTimeoutMs } = this.#options;
    const { host } = new URL(url);
    const form = new URLSearchParams(parameters);
    const late = AbortSignal.timeout(requestTimeoutMs);
    const any = AbortSignal.any([signal, late]);
    try {
      return await (method === 'POST'
        ? transport.post(url, form, null, any)
        : transport.get(`${url}?${form.toString()}`, accessToken ?? null, any));
    } catch (error) {
      signal.throwIfAborted();
      if (late.aborted) throw timeoutError(requestTimeoutMs, { request, host });
      throw networkError(error, { request, host, redact });
    }
  }
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

/**
 * Creates the call that inspects a token, authorized by the app or, without its secret, by the
 * token.
 */
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

/**
 * Creates the call that exchanges or refreshes a token; with Facebook Login both are the same call.
 */
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

/** Reads an answer of `/debug_token`. @throws DeadLetterError `graph.bad-body` without `data` */
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
