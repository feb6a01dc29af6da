import { RetryError, StopProcessError } from '../engine/errors.ts';
import { readBounded } from '../engine/read-bounded.ts';
import { codeOf } from '../engine/tls.ts';
import type { OauthToken } from './options.ts';

/** A client that gets its tokens by the OAuth 2.0 client credentials grant. */
export interface ClientCredentials {
  readonly tokenEndpointUrl: string;
  readonly clientId: string;
  /** Asked for each token. */
  readonly clientSecret: () => string;
  readonly scope: string | null;
  readonly extensions: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Is told of each token before it is used: it is a secret from now on. */
  readonly onToken: (token: string) => void;
}

/** Tokens, each used until four fifths of its life are over. */
export interface OauthTokens {
  /**
   * @throws RetryError `kafka.unavailable` while the endpoint is away, StopProcessError
   * `kafka.unauthenticated` when it refuses the client
   */
  token(): Promise<OauthToken>;
  /** The subject of the last token, where it is a JWT that says one. */
  subject(): string | undefined;
}

interface Held {
  readonly value: string;
  readonly untilMs: number;
}

/** A token that says nothing of its life. */
const unknownLifeMs = 60_000;
const usedShare = 0.8;
const maxBodyBytes = 65_536;

/** Asks for nothing yet. */
export function createOauthTokens(
  client: ClientCredentials,
  nowMs: () => number = () => performance.now(),
): OauthTokens {
  let held: Held | undefined;
  let asking: Promise<Held> | undefined;
  const renewed = async (): Promise<Held> => {
    const sentMs = nowMs();
    const { value, lifeMs } = await requestToken(client);
    client.onToken(value);
    return (held = { value, untilMs: sentMs + lifeMs * usedShare });
  };
  return {
    async token() {
      if (held !== undefined && nowMs() < held.untilMs) return tokenOf(held, client);
      asking ??= renewed().finally(() => {
        asking = undefined;
      });
      return tokenOf(await asking, client);
    },
    subject: () => (held === undefined ? undefined : subjectOf(held.value)),
  };
}

function tokenOf({ value }: Held, { extensions }: ClientCredentials): OauthToken {
  return { value, extensions };
}

async function requestToken(
  client: ClientCredentials,
): Promise<{ readonly value: string; readonly lifeMs: number }> {
  const response = await fetch(client.tokenEndpointUrl, requestOf(client)).catch(
    (error: unknown) => {
      throw away(client, nameOf(error));
    },
  );
  const bytes = await readBounded(response.body, maxBodyBytes).catch(() => {
    throw away(client, 'its answer broke off');
  });
  if (bytes === null) throw away(client, `its answer exceeds ${maxBodyBytes} bytes`);
  const body = parse(Buffer.from(bytes).toString('utf8'));
  checkStatus(client, response.status, body?.['error']);
  const value = body?.['access_token'];
  // What is no token would end the login in a way that nobody understands.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw away(client, 'its answer holds no access_token');
  }
  const seconds = Number(body?.['expires_in']);
  return { value, lifeMs: seconds > 0 ? seconds * 1000 : unknownLifeMs };
}

function checkStatus(client: ClientCredentials, status: number, error: unknown): void {
  if (status === 200) return;
  const isRefusal = status >= 400 && status < 500 && status !== 429;
  throw isRefusal ? refused(client, status, error) : away(client, `HTTP ${status}`);
}

/** RFC 6749, 4.4.2, the client by HTTP basic authentication as 2.3.1 has it. */
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
    // The secret goes nowhere else.
    redirect: 'manual',
    signal: AbortSignal.timeout(client.timeoutMs),
  };
}

function formEncoded(text: string): string {
  return new URLSearchParams({ s: text }).toString().slice(2);
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null
      ? (json as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** fetch says what went wrong in the cause, as `ECONNREFUSED`. */
function nameOf(error: unknown): string {
  const { name, cause } = error as { readonly name?: string; readonly cause?: unknown };
  return codeOf(cause) ?? name ?? 'unknown trouble';
}

function away({ tokenEndpointUrl }: ClientCredentials, why: string): RetryError {
  return once(
    new RetryError(
      'kafka.unavailable',
      `No token for Kafka: ${tokenEndpointUrl} is not available (${why}). Check ` +
        'KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL, and that it runs; a redirect is not followed.',
    ),
  );
}

function refused(
  { tokenEndpointUrl, clientId }: ClientCredentials,
  status: number,
  error: unknown,
): StopProcessError {
  // RFC 6749, 5.2: one of a few words; anything else may be a page.
  const said = typeof error === 'string' && /^[\w.-]{1,60}$/.test(error) ? `, ${error}` : '';
  return once(
    new StopProcessError(
      'kafka.unauthenticated',
      `No token for Kafka: ${tokenEndpointUrl} refused the client ${clientId} (HTTP ${status}${said}). ` +
        'Check KAFKA_SASL_OAUTHBEARER_CLIENT_ID, …_CLIENT_SECRET and …_SCOPE.',
      { exitCode: 3 },
    ),
  );
}

/** kafkajs would ask again at once, several times. */
function once<E extends Error>(error: E): E {
  return Object.assign(error, { retriable: false });
}

function subjectOf(token: string): string | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  const subject = parse(Buffer.from(payload, 'base64url').toString('utf8'))?.['sub'];
  return typeof subject === 'string' ? subject : undefined;
}
