import { createPrivateKey, type webcrypto } from 'node:crypto';
import * as oauth from 'oauth4webapi';
import { messageOf, RetryError, StopProcessError } from '../../engine/errors.ts';
import { readBounded } from '../../engine/read-bounded.ts';
import { codeOf } from '../../engine/tls.ts';
import { parseObject, type IssuedToken } from './tokens.ts';

/** A client of the OAuth 2.0 client credentials grant. */
export interface ClientCredentials {
  readonly tokenEndpointUrl: string;
  readonly clientId: string;
  readonly authentication: ClientAuthentication;
  readonly scope: string | null;
  readonly timeoutMs: number;
}

/** The authentication at the token endpoint; `secret` and `key` are called for each request. */
export type ClientAuthentication =
  | {
      readonly method: 'client_secret_basic' | 'client_secret_post';
      readonly secret: () => string;
    }
  | {
      readonly method: 'private_key_jwt';
      readonly key: () => { readonly pem: string; readonly password: string | null };
      /** A signature algorithm of JWS, such as `RS256`. */
      readonly algorithm: string;
      readonly keyId: string | null;
      /** The assertion's audience; null for the URL of the token endpoint. */
      readonly audience: string | null;
    };

/** Lifetime of a token without `expires_in`. */
const unknownLifeMs = 60_000;
const maxBodyBytes = 65_536;

/**
 * Requests a token. A redirect is not followed: it would take the secret elsewhere.
 * @throws RetryError `kafka.unavailable` while the endpoint is unavailable, StopProcessError
 * `kafka.unauthenticated` when it rejects the client
 */
export async function requestClientToken(client: ClientCredentials): Promise<IssuedToken> {
  const response = await sendRequest(client);
  const bytes = await readBounded(response.body, maxBodyBytes).catch(() => {
    throw unavailable(client, 'its answer broke off');
  });
  if (bytes === null) throw unavailable(client, `its answer exceeds ${maxBodyBytes} bytes`);
  const { status } = response;
  // The library would also validate an id token, which names an issuer that is not configured.
  const body = parseObject(Buffer.from(bytes).toString('utf8'));
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

async function sendRequest(client: ClientCredentials): Promise<Response> {
  const { tokenEndpointUrl, clientId, authentication, scope, timeoutMs } = client;
  const authenticate = clientAuthOf(authentication);
  const audience = authentication.method === 'private_key_jwt' ? authentication.audience : null;
  return oauth
    .clientCredentialsGrantRequest(
      // The library puts the issuer into the assertion as its audience.
      { issuer: audience ?? tokenEndpointUrl, token_endpoint: tokenEndpointUrl },
      { client_id: clientId },
      authenticate,
      scope === null ? {} : { scope },
      {
        signal: AbortSignal.timeout(timeoutMs),
        // The configuration allows http for this machine only.
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked to make it stand out
        [oauth.allowInsecureRequests]: true,
      },
    )
    .catch((error: unknown) => {
      throw unavailable(client, nameOf(error));
    });
}

function clientAuthOf(authentication: ClientAuthentication): oauth.ClientAuth {
  if ('secret' in authentication) {
    const secret = authentication.secret();
    return authentication.method === 'client_secret_basic'
      ? oauth.ClientSecretBasic(secret)
      : oauth.ClientSecretPost(secret);
  }
  const { algorithm, keyId } = authentication;
  try {
    const { pem, password } = authentication.key();
    const parsed = createPrivateKey({
      key: pem,
      ...(password !== null && { passphrase: password }),
    });
    const key = parsed.toCryptoKey(webCryptoOf(algorithm), false, ['sign']);
    return oauth.PrivateKeyJwt(keyId === null ? key : { key, kid: keyId });
  } catch (error) {
    throw new RetryError(
      'kafka.unavailable',
      `No token for Kafka: the private key cannot sign with ${algorithm} (${messageOf(error)}). ` +
        'Check the file of KAFKA_SASL_OAUTHBEARER_KEY_LOCATION; it is read again for each token.',
    );
  }
}

/** Returns Web Crypto's name of a JWS algorithm of RFC 7518, 3.1. */
function webCryptoOf(
  algorithm: string,
): webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams {
  const bits = algorithm.slice(2);
  const hash = `SHA-${bits}`;
  if (algorithm.startsWith('ES')) {
    return { name: 'ECDSA', namedCurve: bits === '512' ? 'P-521' : `P-${bits}` };
  }
  return { name: algorithm.startsWith('PS') ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash };
}

/** Returns the name of a failure; `fetch` puts a code such as `ECONNREFUSED` in the cause. */
function nameOf(error: unknown): string {
  const { name, cause } = error as { readonly name?: string; readonly cause?: unknown };
  return codeOf(cause) ?? name ?? 'unknown error';
}

function unavailable({ tokenEndpointUrl }: ClientCredentials, reason: string): RetryError {
  return new RetryError(
    'kafka.unavailable',
    `No token for Kafka: ${tokenEndpointUrl} is not available (${reason}). Check ` +
      'KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL, and that it runs; a redirect is not followed.',
  );
}

const credentialsOf = {
  client_secret_basic: '…_CLIENT_SECRET',
  client_secret_post: '…_CLIENT_SECRET',
  private_key_jwt: '…_KEY_LOCATION, …_KEY_ALGORITHM, …_KEY_ID, …_ASSERTION_AUDIENCE',
} as const;

function rejected(
  { tokenEndpointUrl, clientId, authentication }: ClientCredentials,
  status: number,
  error: unknown,
): StopProcessError {
  // RFC 6749, 5.2 defines a few words; other texts may be an HTML page.
  const detail = typeof error === 'string' && /^[\w.-]{1,60}$/.test(error) ? `, ${error}` : '';
  return new StopProcessError(
    'kafka.unauthenticated',
    `No token for Kafka: ${tokenEndpointUrl} refused the client ${clientId} (HTTP ${status}${detail}). ` +
      'Check KAFKA_SASL_OAUTHBEARER_CLIENT_ID, …_CLIENT_AUTHENTICATION, ' +
      `${credentialsOf[authentication.method]} and …_SCOPE.`,
    { exitCode: 3 },
  );
}
