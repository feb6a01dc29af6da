import { COMPATIBILITY, SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import type { Type } from 'avsc';
import type { Json } from '../engine/json.ts';
import type { RegistryAddress } from './access.ts';
import { call } from './calls.ts';

/** The registry's client library, over this program's own transport. */
export interface RegistryClient {
  /**
   * Registers an Avro schema, or finds it registered already; never touches the subject's level.
   *
   * @param level - the subject's own, since the client refuses any other; null when it has none
   * @returns its id
   * @throws RegistryRefusal, what `call` throws, and what the library throws of its own
   */
  register(subject: string, schemaText: string, level: string | null): Promise<number>;
  /** The type of a schema; asked for once. @throws as `register` */
  typeOf(id: number): Promise<Type>;
}

/** An answer that is an error. */
export class RegistryRefusal extends Error {
  override readonly name = 'RegistryRefusal';
  /** The library itself reads it. */
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
 * Sends the library's requests by `call`, which bounds time and size. A middleware that is last in the
 * list and does not call `next` replaces the library's own transport, its retries and its error
 * middleware, which throws where nobody can catch it when a body is `null`.
 */
function transportTo(address: RegistryAddress): Middleware {
  return () => ({
    async response(_next, _renew, request) {
      const method = request.method() === 'get' ? 'get' : 'post';
      const text = request.body() as string | undefined;
      const json = text === undefined ? {} : { json: JSON.parse(text) as Json };
      const never = new AbortController().signal;
      const { status, body } = await call(
        address,
        { method, path: request.path(), ...json },
        never,
      );
      if (status >= 400) throw new RegistryRefusal(status, body);
      // The library reads nothing else of a response.
      return { data: () => body } as unknown as Awaited<ReturnType<typeof _next>>;
    },
  });
}

/** Opens the client; nothing connects yet. */
export function openClient(address: RegistryAddress): RegistryClient {
  const client = new SchemaRegistry({ host: address.url, middlewares: [transportTo(address)] });
  return {
    async register(subject, schemaText, level) {
      const schema = JSON.parse(schemaText) as Parameters<SchemaRegistry['register']>[0];
      const compatibility = COMPATIBILITY[(level ?? 'NONE') as keyof typeof COMPATIBILITY];
      const options = { subject, compatibility, updateConfig: false };
      const { id } = await client.register(schema, options);
      return id;
    },
    typeOf: async (id) => (await client.getSchema(id)) as Type,
  };
}
