import { RetryError, StopProcessError } from '../engine/errors.ts';
import { isNode, type Json, type Node } from '../engine/json.ts';
import { readBounded } from '../engine/read-bounded.ts';
import { codeOf } from '../engine/tls.ts';
import type { OauthToken } from './options.ts';

/** A client of the OAuth 2.0 client credentials grant. */
export interface ClientCredentials {
  readonly tokenEndpointUrl: string;
  readonly clientId: string;
  /** Called for each token request. */
  readonly clientSecret: () => string;
  readonly scope: string | null;
  readonly extensions: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Called with each token before its first use, so that logs can redact it. */
  readonly onToken: (token: string) => void;
}

/** A source of tokens; each token is used for four fifths of its lifetime. */
export type OauthTokens = ReturnType<typeof createOauthTokens>;

/** Lifetime of a token without `expires_in`. */
const unknownLifeMs = 60_000;
const usedFraction = 0.8;
const maxBodyBytes = 65_536;

/** Creates the source, which requests its first token on demand. */
export function createOauthTokens(
  client: ClientCredentials,
  nowMs: () => number = () => performance.now(),
) {
  let cached: { readonly token: OauthToken; readonly untilMs: number } | undefined;
  let pending: Promise<OauthToken> | undefined;
  const renew = async (): Promise<OauthToken> => {
    const sentMs = nowMs();
    const { value, lifeMs } = await requestToken(client);
    client.onToken(value);
    const token = { value, extensions: client.extensions };
    cached = { token, untilMs: sentMs + lifeMs * usedFraction };
    return token;
  };
  return {
    /**
     * @throws RetryError `kafka.unavailable` while the endpoint is unavailable, StopProcessError
     * `kafka.unauthenticated` when it rejects the client
     */
    async token(): Promise<OauthToken> {
      if (cached !== undefined && nowMs() < cached.untilMs) return cached.token;
      pending ??= renew().finally(() => {
        pending = undefined;
      });
      return pending;
    },
    /** Returns the subject of the last token; undefined unless it is a JWT with a subject. */
    subject(): string | undefined {
      const payload = cached?.token.value.split('.')[1] ?? '';
      const subject = parse(Buffer.from(payload, 'base64url').toString('utf8'))['sub'];
      return typeof subject === 'string' ? subject : undefined;
    },
  };
}

async function requestToken(
  client: ClientCredentials,
): Promise<{ readonly value: string; readonly lifeMs: number }> {
  const response = await fetch(client.tokenEndpointUrl, requestOf(client)).catch(
    (error: unknown) => {
      throw unavailable(client, nameOf(error));
    },
  );
  const bytes = await readBounded(response.body, maxBodyBytes).catch(() => {
    throw unavailable(client, 'its answer broke off');
  });
  if (bytes === null) throw unavailable(client, `its answer exceeds ${maxBodyBytes} bytes`);
  const { status } = response;
  const body = parse(Buffer.from(bytes).toString('utf8'));
  const isRejection = status >= 400 && status < 500 && status !== 429;
  if (isRejection) throw rejected(client, status, body['error']);
  if (status !== 200) throw unavailable(client, `HTTP ${status}`);
  const value = body['access_token'];
  // An invalid token would fail the login with an unclear error.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw unavailable(client, 'its answer holds no access_token');
  }
  const seconds = Number(body['expires_in']);
  return { value, lifeMs: seconds > 0 ? seconds * 1000 : unknownLifeMs };
}

/** Returns the request of RFC 6749, 4.4.2, with HTTP basic authentication as in 2.3.1. */
function requestOf(client: ClientCredentials): RequestInit {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (client.scope !== null) form.set('scope', client.scope);
  const pair = [client.clientId, client.clientSecret()].map(formEncoded).join(':');
  return {
    method: 'POST',
    body: form,
    headers: {
      accept: 'application/json',
      authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`,
    },
    // A redirect would send the secret elsewhere.
    redirect: 'manual',
    signal: AbortSignal.timeout(client.timeoutMs),
  };
}

function formEncoded(text: string): string {
  return new URLSearchParams({ s: text }).toString().slice(2);
}

/** Parses a JSON object; returns an empty one for any other text. */
function parse(text: string): Node {
  try {
    const json = JSON.parse(text) as Json;
    return isNode(json) ? json : {};
  } catch {
    return {};
  }
}

/** Returns the name of a failure; `fetch` puts a code such as `ECONNREFUSED` in the cause. */
function nameOf(error: unknown): string {
  const { name, cause } = error as { readonly name?: string; readonly cause?: unknown };
  return codeOf(cause) ?? name ?? 'unknown error';
}

function unavailable({ tokenEndpointUrl }: ClientCredentials, reason: string): RetryError {
  return withoutRetry(
    new RetryError(
      'kafka.unavailable',
      `No token for Kafka: ${tokenEndpointUrl} is not available (${reason}). Check ` +
        'KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL, and that it runs; a redirect is not followed.',
    ),
  );
}

function rejected(
  { tokenEndpointUrl, clientId }: ClientCredentials,
  status: number,
  error: unknown,
): StopProcessError {
  // RFC 6749, 5.2 defines a few words; other texts may be an HTML page.
  const detail = typeof error === 'string' && /^[\w.-]{1,60}$/.test(error) ? `, ${error}` : '';
  return withoutRetry(
    new StopProcessError(
      'kafka.unauthenticated',
      `No token for Kafka: ${tokenEndpointUrl} refused the client ${clientId} (HTTP ${status}${detail}). ` +
        'Check KAFKA_SASL_OAUTHBEARER_CLIENT_ID, …_CLIENT_SECRET and …_SCOPE.',
      { exitCode: 3 },
    ),
  );
}

/** Marks an error so that kafkajs does not repeat the request several times at once. */
function withoutRetry<E extends Error>(error: E): E {
  return Object.assign(error, { retriable: false });
}
