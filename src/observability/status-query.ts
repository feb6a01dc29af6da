import type { StatusQuery } from './status.ts';

/** The parsed query of a URL, or its error. */
export type ParsedQuery =
  | { readonly ok: true; readonly query: StatusQuery }
  | { readonly ok: false; readonly error: string };

/** Accounts in one answer at most: half a megabyte. */
const mostAccounts = 200;
const defaultAccounts = 50;
const longestSearch = 100;

const known = new Set(['offset', 'limit', 'search', 'trouble']);

/** Reads `?offset=0&limit=50&search=…&trouble=true`; each parameter is optional. */
export function parseStatusQuery(found: URLSearchParams): ParsedQuery {
  const unknown = [...found.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) {
    return refused(`"${unknown.slice(0, 30)}" is not known; expected ${[...known].join(', ')}`);
  }
  const offset = integer(found.get('offset'), 0, 1_000_000);
  if (offset === null) return refused('offset: expected a whole number from 0 to 1000000');
  const limit = integer(found.get('limit'), defaultAccounts, mostAccounts);
  if (limit === null) return refused(`limit: expected a whole number from 0 to ${mostAccounts}`);
  const trouble = found.get('trouble') ?? 'false';
  if (trouble !== 'true' && trouble !== 'false') return refused('trouble: expected true or false');
  const search = (found.get('search') ?? '').trim();
  if (search.length > longestSearch) {
    return refused(`search: expected at most ${longestSearch} characters`);
  }
  return { ok: true, query: { offset, limit, search, trouble: trouble === 'true' } };
}

function refused(error: string): ParsedQuery {
  return { ok: false, error };
}

function integer(text: string | null, absent: number, most: number): number | null {
  if (text === null) return absent;
  const value = /^\d{1,7}$/.test(text) ? Number(text) : NaN;
  return value <= most ? value : null;
}
