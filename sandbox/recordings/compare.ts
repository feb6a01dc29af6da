import { type Json, type JsonObject, isObject } from '../graph-api/json.ts';

/** Values that differ on every call: only their presence and kind are compared. */
const FLEETING = new Set(['fbtrace_id', 'access_token', 'before', 'after']);
const LINKS = new Set(['next', 'previous']);
/** URLs that are signed anew on every call, by different hosts. */
const SIGNED = new Set(['media_url', 'thumbnail_url', 'profile_picture_url']);

/** Compares a body with a recorded one: keys, their order, and values; one line a difference. */
export function compareBodies(recorded: JsonObject, actual: JsonObject): string[] {
  return compare(recorded, actual, '');
}

function compare(recorded: Json | undefined, actual: Json | undefined, path: string): string[] {
  if (Array.isArray(recorded) && Array.isArray(actual)) {
    return compareLists(recorded as readonly Json[], actual as readonly Json[], path);
  }
  if (isObject(recorded) && isObject(actual)) {
    return compareObjects(recorded, actual, path);
  }
  return typeof recorded === 'string' && typeof actual === 'string'
    ? compareTexts(recorded, actual, path)
    : compareValues(recorded, actual, path);
}

function compareTexts(recorded: string, actual: string, path: string): string[] {
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (FLEETING.has(name) || (SIGNED.has(name) && samePath(recorded, actual))) {
    return [];
  }
  return LINKS.has(name)
    ? compareLinks(recorded, actual, path)
    : compareValues(recorded, actual, path);
}

function compareValues(
  recorded: Json | undefined,
  actual: Json | undefined,
  path: string,
): string[] {
  return recorded === actual
    ? []
    : [`${path}: recorded ${show(recorded)}, received ${show(actual)}`];
}

function compareLists(recorded: readonly Json[], actual: readonly Json[], path: string): string[] {
  if (recorded.length !== actual.length) {
    return [`${path}: recorded ${recorded.length} items, received ${actual.length}`];
  }
  return recorded.flatMap((item, index) => compare(item, actual[index], `${path}[${index}]`));
}

function compareObjects(recorded: JsonObject, actual: JsonObject, path: string): string[] {
  const [expected, found] = [Object.keys(recorded), Object.keys(actual)];
  if (expected.join() !== found.join()) {
    return [`${path}: recorded the keys ${expected.join(', ')}, received ${found.join(', ')}`];
  }
  return expected.flatMap((key) => compare(recorded[key], actual[key], `${path}.${key}`));
}

/**
 * Links differ in host, token, cursor and the second of the call; parameters and order are
 * compared.
 */
function compareLinks(recorded: string, actual: string, path: string): string[] {
  const [expected, found] = [plain(recorded), plain(actual)];
  return expected === found ? [] : [`${path}: recorded ${expected}, received ${found}`];
}

function samePath(recorded: string, actual: string): boolean {
  return new URL(recorded).pathname === new URL(actual).pathname;
}

function plain(link: string): string {
  const url = new URL(link);
  const parameters = [...url.searchParams].map(([name, value]) => {
    return FLEETING.has(name) ? name : `${name}=${value}`;
  });
  return `${url.pathname}?${parameters.join('&')}`;
}

function show(value: Json | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200);
}
