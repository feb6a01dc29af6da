import { isObject } from './json.ts';

/** An error of a malformed request to the admin API; the message names the path. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';

  constructor(path: string, value: unknown, expected: string) {
    const got = value === undefined ? 'nothing' : JSON.stringify(value);
    super(`${path}: got ${got}, expected ${expected}`);
  }
}

/** Reads a value at `path`; throws a `ShapeError`. */
export type Reader<T> = (value: unknown, path: string) => T;

/** Reads a text. */
export const readText: Reader<string> = (value, path) => {
  if (typeof value !== 'string') throw new ShapeError(path, value, 'a text');
  return value;
};

/** Reads a boolean. */
export const readBoolean: Reader<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new ShapeError(path, value, 'true or false');
  return value;
};

/** Reads a whole number of at least `min`. */
export function readInteger(min: number): Reader<number> {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min) {
      throw new ShapeError(path, value, `a whole number of at least ${min}`);
    }
    return value;
  };
}

/** Reads one of the known texts. */
export function readOneOf<T extends string>(known: readonly T[]): Reader<T> {
  return (value, path) => {
    const found = known.find((one) => one === value);
    if (found === undefined) throw new ShapeError(path, value, `one of ${known.join(', ')}`);
    return found;
  };
}

/** Reads a list. */
export function readList<T>(read: Reader<T>): Reader<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new ShapeError(path, value, 'a list');
    return value.map((one: unknown, index) => read(one, `${path}[${index}]`));
  };
}

/** Reads an object whose values are all of one kind. */
export function readMap<T>(read: Reader<T>): Reader<Record<string, T>> {
  return (value, path) => {
    if (!isObject(value)) throw new ShapeError(path, value, 'an object');
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, read(one, `${path}.${key}`)]),
    );
  };
}

/** Reads an object with these members and no others; each may be absent. */
export function readMembers<T extends object>(readers: {
  readonly [K in keyof T]-?: Reader<Exclude<T[K], undefined>>;
}): Reader<Partial<T>> {
  const known: Readonly<Record<string, Reader<unknown>>> = readers;
  return (value, path) => {
    if (!isObject(value)) throw new ShapeError(path, value, 'an object');
    const entries = Object.entries(value).map(([key, one]) => {
      const read = known[key];
      if (read === undefined) {
        throw new ShapeError(path, key, `one of ${Object.keys(known).join(', ')}`);
      }
      return [key, read(one, path === '' ? key : `${path}.${key}`)] as const;
    });
    return Object.fromEntries(entries) as Partial<T>;
  };
}
