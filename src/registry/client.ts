import { COMPATIBILITY, SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import errorMiddleware from '@kafkajs/confluent-schema-registry/dist/api/middleware/errorMiddleware.js';
import type { Type } from 'avsc';
import { isConnectorError } from '../core/errors.ts';
import { codeOf } from '../core/tls.ts';
import { agentOf, authorizationOf } from './access.ts';
import type { RegistryAddress } from './access.ts';
import { connectionError, unavailable } from './calls.ts';

/** The registry's client, with what it lacks: a timeout, and errors that can always be caught. */
export interface RegistryClient {
  /**
   * Registers an Avro schema, or finds it registered already; never touches the subject's level.
   *
   * @param level - the subject's own, since the client refuses any other; null when it has none
   * @returns its id
   * @throws RegistryRefusal, RetryError `registry.unavailable`, and what the client throws of its own
   */
  register(subject: string, schemaText: string, level: string | null): Promise<number>;
  /** The type of a schema; asked for once. @throws as `register` */
  typeOf(id: number): Promise<Type>;
}

/** An answer that is an error. */
export class RegistryRefusal extends Error {
  override readonly name = 'RegistryRefusal';
  /** The client itself looks at it. */
  readonly status: number;
  readonly body: unknown;
  constructor(status: number, body: unknown) {
    super(`HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** The client's response; what else might come is no answer at all. */
function asAnswer(response: unknown): { readonly status: number; readonly data: unknown } {
  const { status, data, error } = response as {
    status?: () => number;
    data?: () => unknown;
    error?: () => unknown;
  };
  // What no connection came about for has a status all the same.
  const failure = error?.call(response);
  if (failure !== null && failure !== undefined) throw failure as Error;
  if (typeof status !== 'function' || typeof data !== 'function') throw response;
  return { status: status.call(response), data: data.call(response) };
}

/**
 * The client's own reads a field off the body where nobody can catch what that throws: a body of
 * `null` would end the process. It is looked up at each use, so that this one takes its place.
 */
(errorMiddleware as unknown as { default: unknown }).default = () => ({
  response: (next: () => Promise<unknown>) =>
    next().catch((response: unknown) => {
      const { status, data } = asAnswer(response);
      throw new RegistryRefusal(status, data);
    }),
});

/** Opens the client; nothing connects yet. */
export function openClient(address: RegistryAddress): RegistryClient {
  const client = new SchemaRegistry({
    host: address.url.replace(/\/$/, ''),
    // Waiting and trying again are the start's business; one retry layer a hop.
    retry: { retries: 0 },
    agent: agentOf(address),
    middlewares: [
      () => ({
        prepareRequest: async (next) =>
          (await next()).enhance({ headers: authorizationOf(address.login) }),
      }),
    ],
  });
  return {
    async register(subject, schemaText, level) {
      const schema = JSON.parse(schemaText) as Parameters<SchemaRegistry['register']>[0];
      const compatibility = COMPATIBILITY[(level ?? 'NONE') as keyof typeof COMPATIBILITY];
      const options = { subject, compatibility, updateConfig: false };
      const { id } = await bounded(address, client.register(schema, options));
      return id;
    },
    typeOf: async (id) => (await bounded(address, client.getSchema(id))) as Type,
  };
}

/** Bounds a call of the client, which has no timeout of its own. */
async function bounded<T>(address: RegistryAddress, work: Promise<T>): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    timeout.reject(unavailable(address, `nothing within ${address.timeoutMs} ms`));
  }, address.timeoutMs);
  try {
    return await Promise.race([work, timeout.promise]);
  } catch (error) {
    const isOurs = isConnectorError(error) || codeOf(error) === undefined;
    throw isOurs ? error : connectionError(address, error);
  } finally {
    clearTimeout(timer);
  }
}
