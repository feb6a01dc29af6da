import { readFileSync } from 'node:fs';

/** A field of a record, flattened: `children[].id`. */
export interface AvroField {
  readonly path: string;
  /** Type for a person: `string`, `long or null`, `list of MediaChild or null`. */
  readonly type: string;
  readonly doc: string;
}

/** The fields and names of a topic's schema. */
export interface AvroRecord {
  /** Namespace and name. */
  readonly name: string;
  readonly doc: string;
  readonly fields: readonly AvroField[];
}

/** The subset of Avro's schema language that `avro/` uses. */
type AvroType =
  | string
  | readonly AvroType[]
  | { readonly type: 'array'; readonly items: AvroType }
  | { readonly type: 'map'; readonly values: AvroType }
  | RecordType
  | { readonly type: 'long'; readonly logicalType: string };

interface RecordType {
  readonly type: 'record';
  readonly name: string;
  readonly namespace?: string;
  readonly doc: string;
  readonly fields: readonly {
    readonly name: string;
    readonly type: AvroType;
    readonly doc: string;
  }[];
}

/** Reads `avro/<role>.avsc`. */
export function readAvroRecord(role: string): AvroRecord {
  const file = new URL(`../avro/${role}.avsc`, import.meta.url);
  const schema = JSON.parse(readFileSync(file, 'utf8')) as RecordType;
  const name = [schema.namespace, schema.name].filter(Boolean).join('.');
  return { name, doc: schema.doc, fields: flatten(schema, { prefix: '', named: new Map() }) };
}

interface FieldPlace {
  readonly prefix: string;
  /** The records defined so far: Avro defines a record once and refers to it by name afterwards. */
  readonly named: Map<string, RecordType>;
}

function flatten(record: RecordType, { prefix, named }: FieldPlace): readonly AvroField[] {
  return record.fields.flatMap(({ name, type, doc }) => {
    const path = `${prefix}${name}`;
    const inner = innerRecord(type, named);
    const below =
      inner === undefined ? [] : flatten(inner.record, { prefix: `${path}${inner.mark}.`, named });
    return [{ path, type: describe(type), doc }, ...below];
  });
}

interface InnerRecord {
  readonly record: RecordType;
  /** Suffix of the path: `[]` for a list. */
  readonly mark: string;
}

function innerRecord(type: AvroType, named: FieldPlace['named']): InnerRecord | undefined {
  if (typeof type === 'string') {
    const record = named.get(type);
    return record && { record, mark: '' };
  }
  if (isUnion(type)) {
    return type.map((one) => innerRecord(one, named)).find((found) => found !== undefined);
  }
  if (type.type === 'record') {
    named.set(type.name, type);
    return { record: type, mark: '' };
  }
  if (type.type !== 'array') return undefined;
  const item = innerRecord(type.items, named);
  return item && { record: item.record, mark: `[]${item.mark}` };
}

function describe(type: AvroType): string {
  if (typeof type === 'string') return type;
  // Null is first in the schema, for its default; people look for the type.
  if (isUnion(type)) {
    const [first, ...rest] = type;
    const ordered = first === 'null' ? [...rest, first] : type;
    return ordered.map(describe).join(' or ');
  }
  if (type.type === 'array') return `list of ${describe(type.items)}`;
  if (type.type === 'map') return `map of ${describe(type.values)}`;
  return type.type === 'record' ? type.name : type.logicalType;
}

function isUnion(type: AvroType): type is readonly AvroType[] {
  return Array.isArray(type);
}
