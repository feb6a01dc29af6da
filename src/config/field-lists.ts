import { createHmac } from 'node:crypto';
import {
  createFieldRules,
  type FieldRules,
  type FieldShape,
  type RecordShape,
  type Treatment,
  treatments,
} from '../engine/field-rules.ts';
import { type InstagramStreamName, streamNames, streams } from '../instagram/streams/index.ts';
import type { ConfigProblem } from './config-error.ts';
import type { Config } from './config.ts';
import { nearestName } from '../engine/nearest-name.ts';
import { showValue } from './redaction.ts';
import { readRecordShape } from './record-shape.ts';

/** Compiles the rules of each stream that excludes, masks or hashes fields. */
export function fieldRulesOf(config: Config): Readonly<Record<string, FieldRules>> {
  const hash = fieldHash(config);
  const compiled = streamNames.flatMap((name) => {
    const paths = treatments.flatMap((treatment) =>
      config.streams[name][treatment].map((path) => [path, treatment] as const),
    );
    if (paths.length === 0) return [];
    return [[name, createFieldRules(readRecordShape(name), new Map(paths), hash)] as const];
  });
  return Object.fromEntries(compiled);
}

/** Returns the hash of the fields that `STREAM_<NAME>_HASH` names. */
export function fieldHash({ fields }: Pick<Config, 'fields'>): (text: string) => string {
  const secret = fields.hashSecret?.text ?? '';
  return (text) => createHmac('sha256', secret).update(text).digest('hex');
}

/** A stream with its lists and the shape of its records. */
interface StreamLists {
  readonly name: InstagramStreamName;
  readonly lists: readonly (readonly [treatment: Treatment, paths: readonly string[]])[];
  readonly known: ReadonlyMap<string, FieldShape>;
}

/** The problems of the lists of fields, each checked against the schema of its stream. */
export function fieldListProblems(
  values: ReadonlyMap<string, unknown>,
): readonly Omit<ConfigProblem, 'env'>[] {
  const listed = streamNames.flatMap((name): readonly StreamLists[] => {
    const lists = treatments.map((treatment) => {
      // A rejected list is missing here; it is reported already.
      const paths = values.get(pathOf(name, treatment)) as readonly string[] | undefined;
      return [treatment, [...new Set(paths)]] as const;
    });
    if (lists.every(([, paths]) => paths.length === 0)) return [];
    return [{ name, lists, known: knownFields(readRecordShape(name)) }];
  });
  const problems = listed.flatMap((stream) =>
    stream.lists.flatMap(([treatment, paths]) =>
      paths.flatMap((path) => {
        const problem = problemOf(path, treatment, stream);
        return problem === undefined ? [] : [{ path: pathOf(stream.name, treatment), ...problem }];
      }),
    ),
  );
  return [...problems, ...secretProblems(listed, values.get('fields.hashSecret'))];
}

function pathOf(stream: string, treatment: Treatment): string {
  return `streams.${stream}.${treatment}`;
}

function variableOf(stream: string, treatment: Treatment): string {
  return `STREAM_${stream}_${treatment}`.toUpperCase();
}

/** Returns every field by its path; a list's entries have the path of the list. */
function knownFields(fields: RecordShape, prefix = ''): ReadonlyMap<string, FieldShape> {
  const known = new Map<string, FieldShape>();
  for (const [name, field] of fields) {
    const path = `${prefix}${name}`;
    known.set(path, field);
    const { shape } = field;
    const inner = shape.kind === 'list' ? shape.entry : shape;
    if (inner.kind !== 'record') continue;
    for (const [below, one] of knownFields(inner.fields, `${path}.`)) known.set(below, one);
  }
  return known;
}

type Problem = Pick<ConfigProblem, 'received' | 'expected' | 'action'>;

/** The origin, which the headers of a record and the fields of a dead letter repeat. */
const originFields = ['business_account_id', 'page_id', 'polled_at'];

function problemOf(path: string, treatment: Treatment, stream: StreamLists): Problem | undefined {
  const field = stream.known.get(path);
  if (field === undefined) return unknownField(path, stream);
  if (originFields.includes(path) || streams[stream.name].key.includes(path)) {
    const expected = `fields outside the key and the origin (${originFields.join(', ')})`;
    return { received: `"${path}", which identifies the record`, expected, action: 'remove it' };
  }
  return listedTwice(path, treatment, stream) ?? unfitField(path, treatment, field);
}

function unknownField(path: string, { name, known }: StreamLists): Problem {
  const nearest = nearestName(path, [...known.keys()]);
  return {
    received: `${showValue(path, false)}, which no record of ${name} has`,
    expected: `fields of ${name} in docs/streams.md, nested ones as owner.id`,
    action: `remove or correct it${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
  };
}

/** The problem of a field that an earlier list has too, or that is within a listed one. */
function listedTwice(path: string, treatment: Treatment, stream: StreamLists): Problem | undefined {
  for (const [other, paths] of stream.lists) {
    const isEarlier = treatments.indexOf(other) < treatments.indexOf(treatment);
    const found = paths.find((one) => path.startsWith(`${one}.`) || (isEarlier && one === path));
    if (found === undefined) continue;
    const variable = variableOf(stream.name, other);
    return {
      received: `"${path}", and "${found}" in ${variable}`,
      expected: 'each field in one list, without the fields within it',
      action: `remove "${path}" here, or "${found}" from ${variable}`,
    };
  }
  return undefined;
}

function unfitField(
  path: string,
  treatment: Treatment,
  { shape, isNullable }: FieldShape,
): Problem | undefined {
  const isText = shape.kind === 'text';
  if (treatment === 'exclude') {
    if (isNullable) return undefined;
    const outer = path.includes('.')
      ? `, or exclude "${path.slice(0, path.lastIndexOf('.'))}"`
      : '';
    return {
      received: `"${path}", which is never null`,
      expected: 'fields that may be null',
      action: `remove it${outer}${isText ? ', or mask or hash it' : ''}`,
    };
  }
  if (isText) return undefined;
  return {
    received: `"${path}", which is no text`,
    expected: 'text fields',
    action: `remove it${isNullable ? ', or exclude it' : ''}`,
  };
}

function secretProblems(listed: readonly StreamLists[], secret: unknown) {
  const hashing = listed.find(({ lists }) =>
    lists.some(([treatment, paths]) => treatment === 'hash' && paths.length > 0),
  );
  // Undefined is a secret that is reported already.
  if (hashing === undefined || secret !== null) return [];
  return [
    {
      path: 'fields.hashSecret',
      received: `nothing, and ${variableOf(hashing.name, 'hash')} lists fields`,
      expected: 'the key of the hashes',
      action: 'set FIELDS_HASH_SECRET, or FIELDS_HASH_SECRET_FILE to the name of its file',
    },
  ];
}
