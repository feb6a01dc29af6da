import avro, { type Schema, type Type } from 'avsc';
import { messageOf } from '../engine/errors.ts';
import { type Json, isNode } from '../engine/json.ts';
import { staysWithin } from './body-bounds.ts';
import type { RegistryAddress } from './access.ts';
import { call, unavailable } from './calls.ts';
import { wireHeaderBytes } from './encoder.ts';
import { createJsonForm } from './state-form.ts';

/** A decoded value, or the reason why it is unreadable. */
export type ReadValue =
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Decodes values with their writers' schemas. */
export interface ValueReader {
  /**
   * Decodes one value; times become texts, bytes base64.
   *
   * @throws StopProcessError `registry.unauthorized`, RetryError `registry.unavailable`
   */
  read(bytes: Buffer, signal: AbortSignal): Promise<ReadValue>;
}

type DecodeValue = (body: Buffer) => Json;

/** Creates a reader that requests each schema once. */
export function createValueReader(address: RegistryAddress): ValueReader {
  const known = new Map<number, DecodeValue | null>();
  return {
    async read(bytes, signal) {
      if (bytes.length <= wireHeaderBytes || bytes[0] !== 0) {
        return unreadable('it is not an Avro record of a schema registry');
      }
      const id = bytes.readInt32BE(1);
      const decode = known.has(id) ? known.get(id) : await fetchDecoder(id, address, signal);
      known.set(id, decode ?? null);
      if (decode === null || decode === undefined) {
        return unreadable(`the registry knows no Avro schema with id ${id}`);
      }
      try {
        return { kind: 'value', value: decode(bytes.subarray(wireHeaderBytes)) };
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
async function fetchDecoder(
  id: number,
  address: RegistryAddress,
  signal: AbortSignal,
): Promise<DecodeValue | null> {
  const path = `/schemas/ids/${id}`;
  const { status, body } = await call(address, { method: 'get', path }, signal);
  if (status === 404) return null;
  const text = isNode(body) ? body['schema'] : undefined;
  if (typeof text !== 'string') throw unavailable(address, `HTTP ${status} to schema ${id}`);
  return decoderOf(text);
}

function decoderOf(text: string): DecodeValue | null {
  let type: Type;
  try {
    type = avro.Type.forSchema(JSON.parse(text) as Schema);
  } catch {
    return null;
  }
  const form = createJsonForm(text);
  return (body) => {
    if (!staysWithin(type, body)) throw new Error('its bytes end before it does');
    return form.write(type.fromBuffer(body));
  };
}
