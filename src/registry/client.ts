import { COMPATIBILITY, SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import type { Type } from 'avsc';
import type { Json } from '../engine/json.ts';
import { call, type RegistryAddress } from './calls.ts';

/** The registry's client library, over this program's own transport. */
export type RegistryClient = ReturnType<typeof openClient>;

export class RegistryErrorResponse extends Error {
  override readonly name = 'RegistryErrorResponse';
  /** Read by the library. */
  readonly status: number;
  readonly body: Json;
  constructor(status: number, body: Json) {
    super(`HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

type Middleware = NonNullable<
  ConstructorParameters<typeof SchemaRegistry>[0]['middlewares']
>[number];

/**
 * Sends the library's requests by `call`, which bounds time and size. As the last middleware that
 * does not call `next`, it replaces the library's transport, its retries and its error middleware.
 * The latter throws an uncaught error when a body is `null`.
 */
function transportTo(address: RegistryAddress): Middleware {
  return () => ({
    async response(_next, _renew, request) {
      const method = request.method() === 'get' ? 'get' : 'post';
      const text = request.body() as string | undefined;
      const json = text === undefined ? {} : { json: JSON.parse(text) as Json };
      const context = { address, signal: new AbortController().signal };
      const { status, body } = await call(context, { method, path: request.path(), ...json });
      if (status >= 400) throw new RegistryErrorResponse(status, body);
      // The library reads only `data` of a response.
      return { data: () => body } as unknown as Awaited<ReturnType<typeof _next>>;
    },
  });
}

/** Creates the client; it connects with the first request. */
export function openClient(address: RegistryAddress) {
  const client = new SchemaRegistry({ host: address.url, middlewares: [transportTo(address)] });
  return {
    /**
     * Registers an Avro schema, or finds the registered one, and returns its id; never changes the
     * level. `level` is the subject's own, because the client rejects any other; null without one.
     * @throws RegistryErrorResponse, the errors of `call`, and the library's own errors
     */
    async register(subject: string, schemaText: string, level: string | null): Promise<number> {
      const schema = JSON.parse(schemaText) as Parameters<SchemaRegistry['register']>[0];
      const compatibility = COMPATIBILITY[(level ?? 'NONE') as keyof typeof COMPATIBILITY];
      const options = { subject, compatibility, updateConfig: false };
      const { id } = await client.register(schema, options);
      return id;
    },
    /** The type of a schema, requested once. @throws as `register` */
    typeOf: async (id: number) => (await client.getSchema(id)) as Type,
  };
}
