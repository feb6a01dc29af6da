/**
 * What a node's fields are. A stream lists them once; the mapping, the request's `fields=` and the
 * conformance suite read that list.
 */
export type Field =
  | { readonly kind: 'id' | 'text' | 'long' | 'double' | 'flag' | 'time' }
  | { readonly kind: 'counts' }
  | { readonly kind: 'url'; readonly without: readonly string[] }
  | { readonly kind: 'object'; readonly fields: Fields }
  | { readonly kind: 'list'; readonly fields: Fields };

/** Fields by the Graph API's name; the value says what they hold and whether they must be there. */
export type Fields = Readonly<Record<string, Declared>>;

interface Declared {
  readonly field: Field;
  readonly required: boolean;
  /** A metric of a wrong type is dead-lettered by itself; any other field takes its node along. */
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

/** A signed URL, less the query parameters named, which change on every call. */
export const url = (...without: string[]): Declared => optional({ kind: 'url', without });
export const object = (fields: Fields): Declared => optional({ kind: 'object', fields });
/** An edge expanded in place: `{data: [...]}`. */
export const list = (fields: Fields): Declared => optional({ kind: 'list', fields });

/** The same field, but a node without it is a dead letter. */
export const required = (declared: Declared): Declared => ({ ...declared, required: true });

/** The same fields, as metrics: each is null where its value is rejected, and the record stays. */
export function metrics(fields: Fields): Fields {
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.map(([name, declared]) => [name, { ...declared, isMetric: true }]),
  );
}

/**
 * The `fields=` parameter that asks for exactly these: `id,owner,children{id,…}`.
 *
 * @param without - fields to leave out; one of a list by its path, as `children.owner`
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

/** The paths at which a field of this name is requested, those within lists first. */
export function pathsOf(name: string, fields: Fields): readonly string[] {
  const nested = Object.entries(fields).flatMap(([list, { field }]) =>
    field.kind === 'list' ? pathsOf(name, field.fields).map((path) => `${list}.${path}`) : [],
  );
  return name in fields ? [...nested, name] : nested;
}

/**
 * The paths to leave out after the API has rejected a field by its name alone. Where the name is
 * requested at two places, each is left out by itself before both are: the other may be accepted.
 *
 * @param refused - the paths that the rejected request left out
 * @returns undefined where nothing more can be left out
 */
export function refusedAfter(
  name: string,
  paths: readonly string[],
  refused: ReadonlySet<string>,
): ReadonlySet<string> | undefined {
  const places = paths.length === 0 ? [name] : paths;
  const out = places.filter((path) => refused.has(path));
  if (out.length === places.length) return undefined;
  const others = [...refused].filter((path) => !places.includes(path));
  const [only] = out;
  if (only === undefined) return new Set([...others, ...places.slice(0, 1)]);
  const next = places[places.indexOf(only) + 1];
  const isByItself = out.length === 1 && next !== undefined;
  return new Set([...others, ...(isByItself ? [next] : places)]);
}
