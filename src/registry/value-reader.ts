import avro, { type Schema, type Type } from 'avsc';
import { messageOf } from '../engine/errors.ts';
import { type Json, isNode } from '../engine/json.ts';
import { call, unavailable, type CallContext, type RegistryAddress } from './calls.ts';
import { createJsonForm } from './state-form.ts';
import { checkBounds, splitWireValue } from './wire-format.ts';

/** A decoded value, or the reason why it is unreadable. */
export type ReadValue =
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Decodes values with their writers' schemas. */
export type ValueReader = ReturnType<typeof createValueReader>;

type DecodeValue = (body: Buffer) => Json;

/** Creates a reader that requests each schema once. */
export function createValueReader(address: RegistryAddress) {
  const known = new Map<number, DecodeValue | null>();
  return {
    /** Decodes one value; times become texts, bytes base64. @throws as `call` */
    async read(bytes: Buffer, signal: AbortSignal): Promise<ReadValue> {
      const wire = splitWireValue(bytes);
      if (wire === undefined) return unreadable('it is not an Avro record of a schema registry');
      const { id, body } = wire;
      const cached = known.get(id);
      const decode = cached === undefined ? await fetchDecoder(id, { address, signal }) : cached;
      known.set(id, decode);
      if (decode === null) return unreadable(`the registry knows no Avro schema with id ${id}`);
      try {
        return { kind: 'value', value: decode(body) };
      } catch (error) {
        return unreadable(messageOf(error));
      }
    },
  };
}

function unreadable(reason: string): ReadValue {
  return { kind: 'unreadable', reason };
}

/** Fetches the decoder of a schema; null when the id is unknown or the schema is not Avro. */
async function fetchDecoder(id: number, context: CallContext): Promise<DecodeValue | null> {
  const { status, body } = await call(context, { method: 'get', path: `/schemas/ids/${id}` });
  if (status === 404) return null;
  const text = isNode(body) ? body['schema'] : undefined;
  if (typeof text !== 'string') {
    throw unavailable(context.address, `HTTP ${status} to schema ${id}`);
  }
  let type: Type;
  try {
    type = avro.Type.forSchema(JSON.parse(text) as Schema);
  } catch {
    return null;
  }
  const form = createJsonForm(text);
  return (body) => {
    checkBounds(type, body);
    return form.write(type.fromBuffer(body));
  };
}
