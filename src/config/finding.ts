import type { ConfigProblem } from './config-error.ts';

/** Returns the typed value of a path; undefined for a rejected field. */
export type GetValue = (path: string) => unknown;

/** The path of the settings of OAUTHBEARER. */
export const oauthbearer = 'kafka.sasl.oauthbearer';

export const unused = 'a value that would not be used';

/** Creates the problem of one field. */
export function finding(
  path: string,
  received: string,
  expected: string,
  action: string,
): ConfigProblem {
  return { path, received, expected, action, env: null };
}

/** True for a value that is neither absent nor an empty list. */
export function isSet(value: unknown): boolean {
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
}
