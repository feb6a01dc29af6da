import type { DecodedRecord } from '../../sandbox/topics.ts';

/** A table's row, or the row that a record must become: times in milliseconds, maps of numbers. */
export type Row = Readonly<Record<string, unknown>>;

const times = ['polled_at', 'timestamp', 'date', 'measured_at'];
const isMap = (name: string): boolean =>
  /^(?:online_followers|value)$|_actions$|_by_\w+_type$/.test(name);
const nested: Readonly<Record<string, readonly string[]>> = {
  owner: ['id'],
  from: ['id', 'username'],
};

/** Returns the row that a record must become. */
export function expectedRow(value: NonNullable<DecodedRecord['value']>): Row {
  const columns = Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    if (name === 'children') return [];
    const below = nested[name];
    if (below === undefined) return [[name, inner]];
    const record = (inner ?? {}) as Row;
    return below.map((field) => [`${name}_${field}`, record[field] ?? null]);
  });
  return Object.fromEntries(columns);
}

/** Returns a row of PostgreSQL's JSON in the form of {@link expectedRow}. */
export function actualRow(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (value === null) return [name, value];
      if (times.includes(name)) return [name, Date.parse(`${value as string}Z`)];
      return [name, isMap(name) ? numbersOf(value as Row) : value];
    }),
  );
}

/** The values of an `hstore` are texts. */
function numbersOf(map: Row): Row {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, Number(value)]));
}

/** Returns the last record of each key; a tombstone removes its key. */
export function newestByKey(
  records: readonly DecodedRecord[],
): ReadonlyMap<string, NonNullable<DecodedRecord['value']>> {
  const newest = new Map<string, NonNullable<DecodedRecord['value']>>();
  for (const { key, value } of records) {
    if (value === null) newest.delete(key);
    else newest.set(key, value);
  }
  return newest;
}
