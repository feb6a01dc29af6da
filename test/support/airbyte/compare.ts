import { isDeepStrictEqual } from 'node:util';
import type { Json, Node } from './api.ts';
import type { Difference } from './differences.ts';

/** What a comparison found. */
export interface Comparison {
  /** Where the two differ in another way than they are meant to. */
  readonly surprises: readonly string[];
  /** The fields of the differences that were really met. */
  readonly met: ReadonlySet<string>;
}

/** Compares records that stand for the same, field by field; absent and null are the same. */
export function compare(
  stream: string,
  pairs: readonly { readonly theirs: Node; readonly ours: Node }[],
  differences: readonly Difference[],
): Comparison {
  const surprises: string[] = [];
  const met = new Set<string>();
  const byField = new Map(differences.map((difference) => [difference.field, difference]));
  const visit = (path: string, theirs: Json, ours: Json): void => {
    if (isDeepStrictEqual(comparable(path, theirs), comparable(path, ours))) return;
    const known = byField.get(`${stream}.${path}`) ?? byField.get(`*.${path}`);
    if (known?.holds(theirs, ours) === true) {
      met.add(known.field);
      return;
    }
    const inner = innerPairs(path, theirs, ours);
    if (inner === undefined) surprises.push(describe(`${stream}.${path}`, theirs, ours));
    else for (const pair of inner) visit(...pair);
  };
  for (const { theirs, ours } of pairs) visit('', theirs, ours);
  return { surprises, met };
}

type Pair = readonly [path: string, theirs: Json, ours: Json];

/** What two lists or two objects hold, side by side; undefined for anything else. */
function innerPairs(path: string, theirs: Json, ours: Json): readonly Pair[] | undefined {
  if (isList(theirs) && isList(ours) && theirs.length === ours.length) {
    return theirs.map((item, index) => [`${path}[]`, item, ours[index] ?? null]);
  }
  if (!isObject(theirs) || !isObject(ours)) return undefined;
  const names = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])];
  return names.map((name) => [
    path === '' ? name : `${path}.${name}`,
    theirs[name] ?? null,
    ours[name] ?? null,
  ]);
}

function describe(path: string, theirs: Json, ours: Json): string {
  return `${path}: ${JSON.stringify(theirs)} and ${JSON.stringify(ours)}`;
}

/** A link is signed anew at every call: where it leads and what its parameters are called stays. */
function comparable(path: string, value: Json): Json {
  if (typeof value !== 'string' || !path.endsWith('_url')) return value;
  const url = new URL(value);
  return `${url.origin}${url.pathname} ${[...url.searchParams.keys()].sort().join(',')}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is Node {
  return typeof value === 'object' && value !== null && !isList(value);
}
