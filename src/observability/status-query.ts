/** The selection of accounts; there may be hundreds. */
export interface StatusQuery {
  /** Accounts to skip. */
  readonly offset: number;
  /** Accounts to show at most. */
  readonly limit: number;
  /** Part of an account's id or name, case-insensitive; empty selects all. */
  readonly search: string;
  /** Selects only accounts with stopped, failed, late or retrying streams. */
  readonly trouble: boolean;
}

/** The most accounts in one answer, which is then about half a megabyte. */
const maxAccounts = 200;
const longestSearch = 100;
const defaults = { offset: '0', limit: '50', search: '', trouble: 'false' };

/**
 * Reads `?offset=0&limit=50&search=…&trouble=true`; each parameter is optional.
 * @returns the query, or the error of an invalid one
 */
export function parseStatusQuery(parameters: URLSearchParams): StatusQuery | string {
  const unknown = [...parameters.keys()].find((name) => !Object.hasOwn(defaults, name));
  if (unknown !== undefined) {
    return `"${unknown.slice(0, 30)}" is not known; expected ${Object.keys(defaults).join(', ')}`;
  }
  const read = (name: keyof typeof defaults) => parameters.get(name) ?? defaults[name];
  const offset = wholeNumber(read('offset'));
  if (!(offset <= 1_000_000)) return 'offset: expected a whole number from 0 to 1000000';
  const limit = wholeNumber(read('limit'));
  if (!(limit <= maxAccounts)) return `limit: expected a whole number from 0 to ${maxAccounts}`;
  const trouble = read('trouble');
  if (trouble !== 'true' && trouble !== 'false') return 'trouble: expected true or false';
  const search = read('search').trim();
  if (search.length > longestSearch) return `search: expected at most ${longestSearch} characters`;
  return { offset, limit, search, trouble: trouble === 'true' };
}

/** The number of a text of digits; NaN for any other text. */
function wholeNumber(text: string): number {
  return /^\d{1,7}$/.test(text) ? Number(text) : NaN;
}
