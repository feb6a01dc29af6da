import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import { RetryError, StopProcessError } from '../engine/errors.ts';
import { isNode, type Json } from '../engine/json.ts';
import { readBounded } from '../engine/read-bounded.ts';
import { codeOf, isTlsCode, tlsAdvice, type TlsMaterial } from '../engine/tls.ts';

/** The login at the registry; each request reads its secret again, because the file may change. */
export type RegistryLogin =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: () => string }
  | { readonly kind: 'bearer'; readonly token: () => string };

/** The registry's address, timeout, login and TLS material. */
export interface RegistryAddress {
  readonly url: string;
  readonly timeoutMs: number;
  readonly login: RegistryLogin;
  /** Called for each connection; null uses the platform's default trust store. */
  readonly tls: (() => TlsMaterial) | null;
}

/** The registry of a request and the signal that ends it. */
export interface CallContext {
  readonly address: RegistryAddress;
  readonly signal: AbortSignal;
}

/** A response of the registry, or of another server at its address. */
export interface RegistryAnswer<Body = Json> {
  readonly status: number;
  readonly body: Body;
}

export interface RegistryRequest {
  readonly method: 'get' | 'post' | 'put';
  readonly path: string;
  readonly json?: Json;
}

/**
 * Sends one request and checks the status; returns any below 500, except 401, 403, 429 and
 * redirects.
 * @throws RetryError `registry.unavailable`, StopProcessError `registry.unauthorized`, `registry.tls`
 */
export async function call(
  context: CallContext,
  request: RegistryRequest,
): Promise<RegistryAnswer> {
  const { address } = context;
  const answer = await exchange(context, request);
  checkStatus(address, request, answer);
  const { status, body } = answer;
  if (body !== undefined) return { status, body };
  throw unavailable(address, `it answered something that is not JSON (HTTP ${status})`);
}

/** Sends one request with a timeout; the body is undefined when it is not JSON. Checks no status. */
export async function exchange(
  { address, signal }: CallContext,
  request: RegistryRequest,
): Promise<RegistryAnswer<Json | undefined>> {
  const timeout = AbortSignal.timeout(address.timeoutMs);
  const failed = (error: unknown, why?: string): Error => {
    signal.throwIfAborted();
    if (timeout.aborted) return unavailable(address, `nothing within ${address.timeoutMs} ms`);
    return why === undefined ? connectionError(address, error) : unavailable(address, why);
  };
  const both = AbortSignal.any([signal, timeout]);
  const response = await send(address, request, both).catch((error: unknown) => {
    throw failed(error);
  });
  const body = await readBounded(response, maxAnswerBytes).catch((error: unknown) => {
    throw failed(error, 'its answer broke off');
  });
  if (body === null) {
    throw unavailable(address, `its answer to ${describeRequest(request)} exceeds 4 MB`);
  }
  return { status: response.statusCode ?? 0, body: parse(Buffer.from(body).toString('utf8')) };
}

/**
 * Like `exchange`, but checks every status except 403: the caller does not need that permission.
 */
export async function callUnlessDenied(
  context: CallContext,
  request: RegistryRequest,
): Promise<RegistryAnswer<Json | undefined>> {
  const answer = await exchange(context, request);
  if (answer.status !== 403) checkStatus(context.address, request, answer);
  return answer;
}

/** Parses a text; returns undefined when it is not JSON. */
export function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** An error response in one line: its status and the registry's message, at most 300 characters. */
export function describeAnswer({ status, body }: RegistryAnswer<Json | undefined>): string {
  const message = isNode(body) ? body['message'] : undefined;
  if (typeof message !== 'string' || message === '') return `HTTP ${status}`;
  return `HTTP ${status}: ${message.replaceAll(/\s+/g, ' ').slice(0, 300)}`;
}

export function describeRequest({ method, path }: RegistryRequest): string {
  return `${method.toUpperCase()} ${path}`;
}

/** A schema has some kilobytes; a larger body does not come from a registry (Invariant 10). */
const maxAnswerBytes = 4 * 1024 * 1024;

/** Sends the request by Node's own client: `fetch` accepts no TLS material. Follows no redirect. */
function send(
  address: RegistryAddress,
  { method, path, json }: RegistryRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const body = json === undefined ? undefined : JSON.stringify(json);
  const isTls = address.url.startsWith('https:');
  const open = isTls ? requestTls : requestPlain;
  return new Promise((resolve, reject) => {
    const pending = open(`${address.url.replace(/\/$/, '')}${path}`, {
      method,
      // A connection of its own, with the current content of the TLS files.
      agent: false,
      ...(isTls && address.tls?.()),
      signal,
      headers: {
        accept: 'application/vnd.schemaregistry.v1+json',
        ...authorizationOf(address.login),
        ...(body !== undefined && {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
        }),
      },
    });
    pending.once('response', resolve);
    pending.on('error', reject);
    pending.end(body);
  });
}

function authorizationOf(login: RegistryLogin): { readonly authorization?: string } {
  if (login.kind === 'none') return {};
  if (login.kind === 'bearer') return { authorization: `Bearer ${login.token()}` };
  // Encoded as UTF-8: `btoa` rejects characters beyond Latin-1.
  const pair = Buffer.from(`${login.username}:${login.password()}`, 'utf8').toString('base64');
  return { authorization: `Basic ${pair}` };
}

function connectionError(address: RegistryAddress, error: unknown): Error {
  const code = codeOf(error);
  if (code === undefined || !isTlsCode(code)) {
    return unavailable(address, code ?? 'unknown error');
  }
  const reason = (error as Error).message.trim();
  return new StopProcessError(
    'registry.tls',
    `TLS with the schema registry at ${address.url} failed (${code}): ${reason}. To fix it: ` +
      `${tlsAdvice('SCHEMA_REGISTRY', code, reason)}.`,
    { exitCode: 3 },
  );
}

/** @throws when the status means that the registry is unavailable or rejects this login */
function checkStatus(
  address: RegistryAddress,
  request: RegistryRequest,
  answer: RegistryAnswer<Json | undefined>,
): void {
  const { status } = answer;
  if (status === 401 || status === 403) {
    const login = loginAdvice[address.login.kind];
    const [verb, advice] =
      status === 401
        ? ['rejected the login at', login]
        : ['does not permit', `grant the login this permission, or ${login}`];
    throw new StopProcessError(
      'registry.unauthorized',
      `the schema registry at ${address.url} ${verb} ${describeRequest(request)} ` +
        `(${describeAnswer(answer)}): ${advice}`,
      { exitCode: 3 },
    );
  }
  if (status >= 300 && status < 400) {
    throw unavailable(address, `HTTP ${status}, a redirect, which is not followed`);
  }
  if (status >= 500 || status === 429) throw unavailable(address, `HTTP ${status}`);
}

const loginAdvice = {
  none: 'set SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD, or SCHEMA_REGISTRY_BEARER_TOKEN',
  basic: 'check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD',
  bearer: 'check SCHEMA_REGISTRY_BEARER_TOKEN',
} as const;

/** The error of an unavailable registry; `why` contains no secrets. */
export function unavailable(address: RegistryAddress, why: string): RetryError {
  return new RetryError(
    'registry.unavailable',
    `the schema registry at ${address.url} is not available (${why}): check SCHEMA_REGISTRY_URL and that it runs`,
  );
}
