import type { StatusQuery } from './status.ts';

/** The parsed query of a URL, or its error. */
export type ParsedQuery =
  | { readonly ok: true; readonly query: StatusQuery }
  | { readonly ok: false; readonly error: string };

/** Accounts in one answer at most: half a megabyte. */
const maxAccounts = 200;
const defaultAccounts = 50;
const longestSearch = 100;

const knownParameters = new Set(['offset', 'limit', 'search', 'trouble']);

/** Reads `?offset=0&limit=50&search=…&trouble=true`; each parameter is optional. */
export function parseStatusQuery(parameters: URLSearchParams): ParsedQuery {
  const unknownParameter = [...parameters.keys()].find((name) => !knownParameters.has(name));
  if (unknownParameter !== undefined) {
    return failure(
      `"${unknownParameter.slice(0, 30)}" is not known; expected ${[...knownParameters].join(', ')}`,
    );
  }
  const offset = integer(parameters.get('offset'), 0, 1_000_000);
  if (offset === null) return failure('offset: expected a whole number from 0 to 1000000');
  const limit = integer(parameters.get('limit'), defaultAccounts, maxAccounts);
  if (limit === null) return failure(`limit: expected a whole number from 0 to ${maxAccounts}`);
  const trouble = parameters.get('trouble') ?? 'false';
  if (trouble !== 'true' && trouble !== 'false') return failure('trouble: expected true or false');
  const search = (parameters.get('search') ?? '').trim();
  if (search.length > longestSearch) {
    return failure(`search: expected at most ${longestSearch} characters`);
  }
  return { ok: true, query: { offset, limit, search, trouble: trouble === 'true' } };
}

function failure(error: string): ParsedQuery {
  return { ok: false, error };
}

function integer(text: string | null, absent: number, max: number): number | null {
  if (text === null) return absent;
  const value = /^\d{1,7}$/.test(text) ? Number(text) : NaN;
  return value <= max ? value : null;
}
