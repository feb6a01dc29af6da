import ky from 'ky';
import { RetryError, StopProcessError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';

/** How the registry is reached. */
export interface RegistryAddress {
  readonly url: string;
  readonly timeoutMs: number;
  readonly username: string | null;
  readonly password: string | null;
}

/** An answer of the registry. */
export interface RegistryAnswer {
  readonly status: number;
  readonly body: Json;
}

/**
 * One request of an endpoint that the client lacks, with a timeout.
 *
 * @returns any answer below 500 but 401, 403 and 429, an error of the request included
 *
 * @throws RetryError `registry.unavailable`, StopProcessError `registry.unauthorized`
 */
export async function call(
  address: RegistryAddress,
  request: { readonly method: 'get' | 'post' | 'put'; readonly path: string; readonly json?: Json },
  signal: AbortSignal,
): Promise<RegistryAnswer> {
  // ky's own timeout ends with the headers; this one is for the body, too.
  const timeout = AbortSignal.timeout(address.timeoutMs);
  const failed = (why: string): RetryError => {
    signal.throwIfAborted();
    return unavailable(address, timeout.aborted ? `nothing within ${address.timeoutMs} ms` : why);
  };
  const response = await ky(`${address.url.replace(/\/$/, '')}${request.path}`, {
    method: request.method,
    ...(request.json === undefined ? {} : { json: request.json }),
    headers: { accept: 'application/vnd.schemaregistry.v1+json', ...authorizationOf(address) },
    retry: 0,
    throwHttpErrors: false,
    timeout: false,
    signal: AbortSignal.any([signal, timeout]),
  }).catch((error: unknown) => {
    throw failed(error instanceof Error ? error.name : 'unknown trouble');
  });
  checkStatus(address, response.status);
  const text = await response.text().catch(() => {
    throw failed('its answer broke off');
  });
  try {
    return { status: response.status, body: JSON.parse(text) as Json };
  } catch {
    throw unavailable(address, `it answered something that is not JSON (HTTP ${response.status})`);
  }
}

/** In UTF-8; `btoa` refuses what is beyond Latin-1. */
function authorizationOf({ username, password }: RegistryAddress): Record<string, string> {
  if (username === null) return {};
  const pair = Buffer.from(`${username}:${password ?? ''}`, 'utf8').toString('base64');
  return { authorization: `Basic ${pair}` };
}

/** @throws when the status says that the registry is away or will not have us */
export function checkStatus(address: RegistryAddress, status: number): void {
  if (status === 401 || status === 403) {
    throw new StopProcessError(
      'registry.unauthorized',
      `the schema registry at ${address.url} refused us (HTTP ${status}): check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD`,
      { exitCode: 3 },
    );
  }
  if (status >= 500 || status === 429) throw unavailable(address, `HTTP ${status}`);
}

/** The registry is away; `why` is free of secrets. */
export function unavailable(address: RegistryAddress, why: string): RetryError {
  return new RetryError(
    'registry.unavailable',
    `the schema registry at ${address.url} is not available (${why}): check SCHEMA_REGISTRY_URL and that it runs`,
  );
}
