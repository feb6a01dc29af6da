import { readFileSync } from 'node:fs';
import type { RecordShape, Shape } from '../engine/field-rules.ts';
import type { InstagramStreamName } from '../instagram/streams/index.ts';

/** The part of Avro's schema language that `avro/` uses. */
type SchemaNode =
  | string
  | readonly SchemaNode[]
  | { readonly type: 'array'; readonly items: SchemaNode }
  | { readonly type: 'map' }
  | { readonly type: 'long' }
  | RecordSchema;

interface RecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly type: SchemaNode }[];
}

/** Reads the shape of a stream's records from `avro/`, beside both `src/` and `dist/`. */
export function readRecordShape(stream: InstagramStreamName): RecordShape {
  const text = readFileSync(new URL(`../../avro/${stream}.avsc`, import.meta.url), 'utf8');
  return fieldsOf(JSON.parse(text) as RecordSchema, new Map());
}

/** Records by their names: Avro defines a record once and refers to it by name afterwards. */
type NamedShapes = Map<string, Shape>;

function fieldsOf({ fields }: RecordSchema, named: NamedShapes): RecordShape {
  return new Map(
    fields.map(({ name, type }) => {
      const isNullable = Array.isArray(type) && type.includes('null');
      return [name, { shape: shapeOf(type, named), isNullable }];
    }),
  );
}

function shapeOf(type: SchemaNode, named: NamedShapes): Shape {
  if (typeof type === 'string') {
    return named.get(type) ?? { kind: type === 'string' ? 'text' : 'scalar' };
  }
  if (isUnion(type)) return shapeOf(type.find((one) => one !== 'null') ?? 'null', named);
  switch (type.type) {
    case 'record': {
      const shape: Shape = { kind: 'record', fields: fieldsOf(type, named) };
      named.set(type.name, shape);
      return shape;
    }
    case 'array':
      return { kind: 'list', entry: shapeOf(type.items, named) };
    case 'map':
      return { kind: 'map' };
    case 'long':
      return { kind: 'scalar' };
  }
}

function isUnion(type: SchemaNode): type is readonly SchemaNode[] {
  return Array.isArray(type);
}
