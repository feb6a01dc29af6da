import type { Login } from '../../engine/account.ts';
import { DeadLetterError, isConnectorError, StopAccountError } from '../../engine/errors.ts';
import { type Json, type Node, isNode } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import { judge } from './response.ts';
import { networkError, timeoutError } from './network.ts';
import { proofOf } from './proof.ts';
import { createRedact } from './redaction.ts';
import { reported, type Reporting } from './reported.ts';
import { appAdvice } from '../token-advice.ts';
import { type TokenFacts, readTokenFacts } from './token-facts.ts';
import type { Answer, Transport } from './transport.ts';

/** Where tokens are made and in whose name. */
export interface OAuthOptions {
  readonly login: Login;
  /** `v25.0` */
  readonly apiVersion: string;
  /** Null: the hosts of Meta. Everything is there otherwise, without a slash at the end. */
  readonly baseUrl: string | null;
  readonly clientId: string | null;
  readonly clientSecret: string | null;
  readonly requestTimeoutMs: number;
}

/** A token that was handed out. */
export interface Granted {
  readonly accessToken: string;
  /** Epoch milliseconds; null when the answer does not say. */
  readonly expiresAtMs: number | null;
}

/** What a login hands out a token for. */
export interface CodeGrant {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  readonly code: string;
  /** Of the proof key; null without one. */
  readonly codeVerifier: string | null;
}

/**
 * The endpoints that make, change and tell of tokens. They take tokens and secrets as parameters and
 * no other way; what they throw holds none of them. Besides the errors of `Graph.get`: DeadLetterError
 * `graph.bad-body` for an answer without the token.
 */
export interface OAuth {
  /** Facebook Login only: what Meta knows of a token. */
  inspect(accessToken: string, signal: AbortSignal): Promise<TokenFacts>;
  /** A short-lived token, or with Facebook Login any that is good, for one of sixty days. */
  exchange(accessToken: string, signal: AbortSignal): Promise<Granted>;
  /** A long-lived token for one of sixty days; with Facebook Login that is an exchange. */
  refresh(accessToken: string, signal: AbortSignal): Promise<Granted>;
  /** The code of a login for a short-lived token. */
  redeem(grant: CodeGrant, signal: AbortSignal): Promise<Granted>;
}

/** One call: where, with what, and what of it must not be seen. */
interface Call {
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

/** Makes the calls; nothing is asked before one of them is. */
export function createOAuth(
  options: OAuthOptions,
  parts: Reporting & { readonly transport: Transport },
): OAuth {
  const ask = createAsk(options, parts);
  const granted = async (call: Call, signal: AbortSignal): Promise<Granted> =>
    readGranted(await ask(call, signal), call.endpoint, parts.clock.nowMs());
  const isFacebook = options.login === 'facebook';
  return {
    async inspect(accessToken, signal) {
      const call = inspection(options, accessToken);
      try {
        return readTokenFacts(await ask(call, signal));
      } catch (error) {
        // Of the token itself the answer tells; what is refused is whoever asks.
        const isApp = call.accessToken !== accessToken;
        if (!isApp || !isConnectorError(error) || error.code !== 'graph.token') throw error;
        throw new StopAccountError('graph.app-secret', `${call.endpoint}: ${appAdvice}`);
      }
    },
    exchange(accessToken, signal) {
      const exchange = isFacebook ? facebookExchange : instagramExchange;
      return granted(exchange(options, accessToken), signal);
    },
    refresh(accessToken, signal) {
      const refresh = isFacebook ? facebookExchange : instagramRefresh;
      return granted(refresh(options, accessToken), signal);
    },
    redeem: (grant, signal) => granted(redemption(options, grant), signal),
  };
}

/** Where the Graph API is, without the version. */
export function graphBase({ baseUrl, login }: Pick<OAuthOptions, 'baseUrl' | 'login'>): string {
  return baseUrl ?? graphHosts[login];
}

function graphOf(options: OAuthOptions): string {
  const { login, apiVersion } = options;
  const host = graphBase(options);
  return login === 'facebook' ? `${host}/${apiVersion}` : host;
}

/** The app may ask of each of its tokens; without its secret a token may ask of itself. */
function inspection(options: OAuthOptions, accessToken: string): Call {
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

function facebookExchange(options: OAuthOptions, accessToken: string): Call {
  return {
    endpoint: '/oauth/access_token',
    url: `${graphOf(options)}/oauth/access_token`,
    parameters: {
      grant_type: 'fb_exchange_token',
      client_id: options.clientId ?? '',
      client_secret: options.clientSecret ?? '',
      fb_exchange_token: accessToken,
    },
  };
}

function instagramExchange(options: OAuthOptions, accessToken: string): Call {
  return {
    endpoint: '/access_token',
    url: `${graphOf(options)}/access_token`,
    parameters: {
      grant_type: 'ig_exchange_token',
      client_secret: options.clientSecret ?? '',
      access_token: accessToken,
    },
  };
}

function instagramRefresh(options: OAuthOptions, accessToken: string): Call {
  return {
    endpoint: '/refresh_access_token',
    url: `${graphOf(options)}/refresh_access_token`,
    parameters: {
      grant_type: 'ig_refresh_token',
      access_token: accessToken,
      ...proofParameter(options, accessToken),
    },
  };
}

/** Instagram hands out its first token at a host of its own, to a form. */
function redemption({ login, apiVersion, baseUrl }: OAuthOptions, grant: CodeGrant): Call {
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

function createAsk(
  { login, requestTimeoutMs }: OAuthOptions,
  parts: Reporting & { readonly transport: Transport },
) {
  const { transport, clock } = parts;
  const ask = async (call: Call, signal: AbortSignal): Promise<Node> => {
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
    // The token that is wanted is in the body.
    return judge(answer, { ...context, redactBody: (text) => text });
  };
  return (call: Call, signal: AbortSignal): Promise<Node> =>
    reported(parts, { endpoint: call.endpoint, calls: 1 }, () => ask(call, signal));
}

function send(
  { url, parameters, accessToken, method }: Call,
  transport: Transport,
  signal: AbortSignal,
) {
  const form = new URLSearchParams(parameters);
  return method === 'POST'
    ? transport.post(url, form, null, signal)
    : transport.get(`${url}?${form.toString()}`, accessToken ?? null, signal);
}

const open = new Set(['grant_type', 'client_id', 'redirect_uri']);

/** Takes out everything that was sent and is a secret. */
function redactOf({ parameters, accessToken = '' }: Call): (text: string) => string {
  const secrets = Object.entries(parameters).filter(([name]) => !open.has(name));
  const redacts = [accessToken, ...secrets.map(([, value]) => value)].map(createRedact);
  return (text) => redacts.reduce((clean, redact) => redact(clean), text);
}

/** Flat, or as Instagram documents it in a list of one. */
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
