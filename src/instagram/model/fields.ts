/** A field's type; the mapping, the request's `fields=` and the conformance suite read it. */
export type Field =
  | { readonly kind: 'id' | 'text' | 'long' | 'double' | 'flag' | 'time' }
  | { readonly kind: 'counts' }
  | { readonly kind: 'url'; readonly without: readonly string[] }
  | { readonly kind: 'object'; readonly fields: Fields }
  | { readonly kind: 'list'; readonly fields: Fields };

/** Declared fields by the Graph API's name. */
export type Fields = Readonly<Record<string, Declared>>;

interface Declared {
  readonly field: Field;
  readonly required: boolean;
  /** True for a metric: a wrong type dead-letters the metric alone, not the node. */
  readonly isMetric?: boolean;
}

const optional = (field: Field): Declared => ({ field, required: false });

/** A Graph id: a text of digits, or an exact whole number (`ig_id` of users), kept as text. */
export const id: Declared = optional({ kind: 'id' });
export const text: Declared = optional({ kind: 'text' });
/** A whole number within ±2^53. */
export const long: Declared = optional({ kind: 'long' });
export const double: Declared = optional({ kind: 'double' });
export const flag: Declared = optional({ kind: 'flag' });
/** Meta's `2026-05-12T05:26:06+0000`; epoch milliseconds in the record. */
export const time: Declared = optional({ kind: 'time' });
/** An open object of whole numbers. */
export const counts: Declared = optional({ kind: 'counts' });

/** A signed URL, without the named query parameters, which change on every call. */
export const url = (...without: string[]): Declared => optional({ kind: 'url', without });
export const object = (fields: Fields): Declared => optional({ kind: 'object', fields });
/** An edge expanded in place: `{data: [...]}`. */
export const list = (fields: Fields): Declared => optional({ kind: 'list', fields });

/** Makes a field required: a node without it is a dead letter. */
export const required = (declared: Declared): Declared => ({ ...declared, required: true });

/** Declares fields as metrics: a rejected value becomes null, and the record is published. */
export function metrics(fields: Fields): Fields {
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.map(([name, declared]) => [name, { ...declared, isMetric: true }]),
  );
}

/**
 * Returns the `fields=` parameter that requests exactly these fields: `id,owner,children{id,…}`.
 * @param without - fields to omit; a field within a list by its path, as `children.owner`
 */
export function fieldsParameter(fields: Fields, without: ReadonlySet<string> = new Set()): string {
  return Object.entries(fields)
    .filter(([name]) => !without.has(name))
    .map(([name, { field }]) =>
      field.kind === 'list'
        ? `${name}{${fieldsParameter(field.fields, within(name, without))}}`
        : name,
    )
    .join(',');
}

function within(list: string, paths: ReadonlySet<string>): ReadonlySet<string> {
  const prefix = `${list}.`;
  return new Set(
    [...paths].filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length)),
  );
}

/** Returns the paths at which a field of this name is requested, those within lists first. */
export function pathsOf(name: string, fields: Fields): readonly string[] {
  const nested = Object.entries(fields).flatMap(([list, { field }]) =>
    field.kind === 'list' ? pathsOf(name, field.fields).map((path) => `${list}.${path}`) : [],
  );
  return name in fields ? [...nested, name] : nested;
}

/**
 * Returns the paths to omit after a rejection of a field by name; undefined for no further path. A
 * name at two paths is omitted at each by itself before it is omitted at both: the other may be
 * accepted.
 */
export function rejectedAfter(
  name: string,
  paths: readonly string[],
  excluded: ReadonlySet<string>,
): ReadonlySet<string> | undefined {
  const places = paths.length === 0 ? [name] : paths;
  const omitted = places.filter((path) => excluded.has(path));
  if (omitted.length === places.length) return undefined;
  const others = [...excluded].filter((path) => !places.includes(path));
  const [onlyOmitted] = omitted;
  if (onlyOmitted === undefined) return new Set([...others, ...places.slice(0, 1)]);
  const next = places[places.indexOf(onlyOmitted) + 1];
  const isByItself = omitted.length === 1 && next !== undefined;
  return new Set([...others, ...(isByItself ? [next] : places)]);
}
