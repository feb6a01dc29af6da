import { type Json, type JsonObject, isObject } from '../graph-api/json.ts';

/** Values that no two calls share: only their presence and kind are compared. */
const FLEETING = new Set(['fbtrace_id', 'access_token', 'before', 'after']);
const LINKS = new Set(['next', 'previous']);
/** Signed anew on every call, from whichever host is near. */
const SIGNED = new Set(['media_url', 'thumbnail_url', 'profile_picture_url']);

/** Compares a body with a recorded one: keys, their order, and values; one line a difference. */
export function compareBodies(recorded: JsonObject, came: JsonObject): string[] {
  return compare(recorded, came, '');
}

function compare(recorded: Json | undefined, came: Json | undefined, path: string): string[] {
  if (Array.isArray(recorded) && Array.isArray(came)) {
    return compareLists(recorded as readonly Json[], came as readonly Json[], path);
  }
  if (isObject(recorded) && isObject(came)) {
    return compareObjects(recorded, came, path);
  }
  return typeof recorded === 'string' && typeof came === 'string'
    ? compareTexts(recorded, came, path)
    : compareValues(recorded, came, path);
}

function compareTexts(recorded: string, came: string, path: string): string[] {
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (FLEETING.has(name) || (SIGNED.has(name) && samePath(recorded, came))) {
    return [];
  }
  return LINKS.has(name) ? compareLinks(recorded, came, path) : compareValues(recorded, came, path);
}

function compareValues(recorded: Json | undefined, came: Json | undefined, path: string): string[] {
  return recorded === came ? [] : [`${path}: recorded ${show(recorded)}, came ${show(came)}`];
}

function compareLists(recorded: readonly Json[], came: readonly Json[], path: string): string[] {
  if (recorded.length !== came.length) {
    return [`${path}: recorded ${recorded.length} items, came ${came.length}`];
  }
  return recorded.flatMap((item, index) => compare(item, came[index], `${path}[${index}]`));
}

function compareObjects(recorded: JsonObject, came: JsonObject, path: string): string[] {
  const [expected, found] = [Object.keys(recorded), Object.keys(came)];
  if (expected.join() !== found.join()) {
    return [`${path}: recorded the keys ${expected.join(', ')}, came ${found.join(', ')}`];
  }
  return expected.flatMap((key) => compare(recorded[key], came[key], `${path}.${key}`));
}

/** Links differ in host, token, cursor and the second of the call; parameters and order are compared. */
function compareLinks(recorded: string, came: string, path: string): string[] {
  const [expected, found] = [plain(recorded), plain(came)];
  return expected === found ? [] : [`${path}: recorded ${expected}, came ${found}`];
}

function samePath(recorded: string, came: string): boolean {
  return new URL(recorded).pathname === new URL(came).pathname;
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
