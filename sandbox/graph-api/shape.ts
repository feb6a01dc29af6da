import { isObject } from './json.ts';

/** What was sent to the simulator's own endpoints has the wrong shape; the message names the place. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';

  constructor(path: string, value: unknown, expected: string) {
    const got = value === undefined ? 'nothing' : JSON.stringify(value);
    super(`${path}: got ${got}, expected ${expected}`);
  }
}

/** Reads a value of a place named by `path`; throws a `ShapeError`. */
export type Reader<T> = (value: unknown, path: string) => T;

/** A text. */
export const readText: Reader<string> = (value, path) => {
  if (typeof value !== 'string') throw new ShapeError(path, value, 'a text');
  return value;
};

/** Yes or no. */
export const readBoolean: Reader<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new ShapeError(path, value, 'true or false');
  return value;
};

/** A whole number of at least `min`. */
export function readInteger(min: number): Reader<number> {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min) {
      throw new ShapeError(path, value, `a whole number of at least ${min}`);
    }
    return value;
  };
}

/** One of some texts. */
export function readOneOf<T extends string>(known: readonly T[]): Reader<T> {
  return (value, path) => {
    const found = known.find((one) => one === value);
    if (found === undefined) throw new ShapeError(path, value, `one of ${known.join(', ')}`);
    return found;
  };
}

/** A list. */
export function readList<T>(read: Reader<T>): Reader<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new ShapeError(path, value, 'a list');
    return value.map((one: unknown, index) => read(one, `${path}[${index}]`));
  };
}

/** An object whose values are all of one kind. */
export function readMap<T>(read: Reader<T>): Reader<Record<string, T>> {
  return (value, path) => {
    if (!isObject(value)) throw new ShapeError(path, value, 'an object');
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, read(one, `${path}.${key}`)]),
    );
  };
}

/** An object with these members and no others; each may be left out. */
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
