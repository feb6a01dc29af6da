import { readFileSync } from 'node:fs';
// avsc is CommonJS: Node finds no named exports in it.
import avro, { type Schema, type Type } from 'avsc';
import type { Json, Value } from '../engine/json.ts';
import type { TopicRole } from '../engine/stream-name.ts';

/** The schema of a topic's values or keys. */
export interface TopicSchema {
  readonly role: TopicRole;
  readonly part: 'value' | 'key';
  /** The text that is registered. */
  readonly text: string;
  readonly type: Type;
}

/** The fields of each topic's key, in order. A topic without fields has texts as keys. */
export type KeyFields = Readonly<Record<TopicRole, readonly string[]>>;

/** The parts of a record schema from which a key's schema is derived. */
interface SchemaFile {
  readonly namespace: string;
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly type: Json }[];
}

/** The part of avsc's record type that a key needs. */
interface KeyType {
  readonly fields: readonly { readonly name: string; readonly type: Type }[];
}

/** Reads `avro/<role>.avsc`; the folder lies beside both `src/` and `dist/`. */
export function readSchema(role: TopicRole): TopicSchema {
  return schemaOf(role, 'value', readFile(role));
}

/** Derives the schema of a topic's keys: the key's fields, as the schema of the values has them. */
export function readKeySchema(role: TopicRole, key: readonly string[]): TopicSchema {
  const { namespace, name, fields } = readFile(role);
  const doc = `The key of ${name}.`;
  const own = key.map((field) => fields.find((one) => one.name === field) ?? { name: field });
  return schemaOf(role, 'key', { type: 'record', namespace, name: `${name}Key`, doc, fields: own });
}

/** Returns a key's fields from its text; the inverse of `recordKey`, to the second. */
export function parseKey(type: Type, key: string): Value {
  const { fields } = type as unknown as KeyType;
  const parts = key.split('/');
  return Object.fromEntries(
    fields.map(({ name, type: { typeName } }, index) => {
      const part = parts[index] ?? '';
      return [name, typeName === 'string' ? part : Date.parse(part)];
    }),
  );
}

/** Names a schema in an error message. */
export function schemaName({ role, part }: Pick<TopicSchema, 'role' | 'part'>): string {
  return part === 'value' ? `avro/${role}.avsc` : `of the keys of ${role}`;
}

function readFile(role: TopicRole): SchemaFile {
  const text = readFileSync(new URL(`../../avro/${role}.avsc`, import.meta.url), 'utf8');
  return JSON.parse(text) as SchemaFile;
}

function schemaOf(role: TopicRole, part: TopicSchema['part'], schema: object): TopicSchema {
  // Timestamps stay epoch milliseconds in memory: no logical types.
  const type = avro.Type.forSchema(schema as Schema);
  return { role, part, text: JSON.stringify(schema), type };
}
