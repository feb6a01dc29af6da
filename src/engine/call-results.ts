import type { Value } from './json.ts';

/** The ages of a requested object; `none` for a call that requests no single object, as a list. */
export const callAges = ['new', 'recent', 'old', 'none'] as const;
export type CallAge = (typeof callAges)[number];

/** The objects that were requested for a page, one call each. */
export interface RequestedObjects {
  /** The record field with the id of the object. */
  readonly field: string;
  readonly ages: ReadonlyMap<string, Exclude<CallAge, 'none'>>;
}

/** Calls by their result: `found` led to a published record, `nothing` did not. */
export interface CallResult {
  readonly found: number;
  readonly nothing: number;
}

/** Results of calls by the age of what they requested. */
export type CallResults = Readonly<Partial<Record<CallAge, CallResult>>>;

/** The calls for a page, and what was published of it. */
export interface PageCalls {
  /** All calls, those for the objects included. */
  readonly calls: number;
  readonly requested: RequestedObjects | undefined;
  readonly records: readonly Value[];
  /** The number of entries that are deleted. */
  readonly gone: number;
}

/**
 * Attributes the calls for a page to what was published of it: a call for an object by the records
 * of that object, every other call by whether the page has any. Pure.
 */
export function callResults({ calls, requested, records, gone }: PageCalls): CallResults {
  const { field = '', ages = new Map<string, never>() } = requested ?? {};
  const changed = new Set(records.map((record) => record[field]));
  const counts = new Map<CallAge, CallResult>();
  const add = (age: CallAge, isFound: boolean, by: number): void => {
    const { found, nothing } = counts.get(age) ?? { found: 0, nothing: 0 };
    counts.set(age, isFound ? { found: found + by, nothing } : { found, nothing: nothing + by });
  };
  for (const [id, age] of ages) add(age, changed.has(id), 1);
  const others = calls - ages.size;
  if (others > 0) add('none', records.length + gone > 0, others);
  return Object.fromEntries(counts);
}
