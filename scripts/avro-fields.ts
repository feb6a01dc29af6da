import { readFileSync } from 'node:fs';

/** A field of a record, flattened: `children[].id`. */
export interface AvroField {
  readonly path: string;
  /** For a person: `string`, `long or null`, `list of MediaChild or null`. */
  readonly type: string;
  readonly doc: string;
}

/** What a topic's schema says of its records. */
export interface AvroRecord {
  /** Namespace and name. */
  readonly name: string;
  readonly doc: string;
  readonly fields: readonly AvroField[];
}

/** As much of Avro's schemas as those of `avro/` use. */
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

interface Place {
  readonly prefix: string;
  /** The records defined so far: Avro writes one out once and names it afterwards. */
  readonly named: Map<string, RecordType>;
}

function flatten(record: RecordType, { prefix, named }: Place): readonly AvroField[] {
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
  /** What the path takes on the way: `[]` for a list. */
  readonly mark: string;
}

function innerRecord(type: AvroType, named: Place['named']): InnerRecord | undefined {
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
  // Null stands first in the schema, for its default; people look for the type.
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
