import { readConditions } from './conditions-spec.ts';
import { describeConditions } from './conditions.ts';
import { type JsonObject, isObject } from './json.ts';
import { describeLimits, readLimits } from './limits.ts';
import { readBoolean, readList, readMap, readMembers, readText, ShapeError } from './shape.ts';
import { readApp } from './tokens/app.ts';
import type { Grant } from './tokens/store.ts';
import type { World } from './world/model.ts';

/** Describes the parts of the world that the admin API can change. */
export function describeWorld(world: World): JsonObject {
  return {
    conditions: describeConditions(world.conditions),
    limits: describeLimits(world.limits),
    app: JSON.parse(JSON.stringify(world.app)) as JsonObject,
    accounts: world.accounts.map(({ id, pageId, user }) => ({
      id,
      page_id: pageId,
      username: user['username'] ?? null,
    })),
  };
}

/**
 * Changes a world: conditions by name, `limits` (null: none), `app`, and `tokens` by their text.
 * Everything is validated before the first change; throws a `ShapeError`.
 */
export function patchWorld(value: unknown, world: World): void {
  if (!isObject(value)) throw new ShapeError('body', value, 'a JSON object');
  const { limits, app, tokens, ...rest } = value;
  const conditions = readConditions(rest);
  const newLimits = limits === undefined ? world.limits : limits === null ? {} : readLimits(limits);
  const newApp = app === undefined ? {} : readApp(app);
  const newTokens = tokens === undefined ? {} : readTokens(tokens);
  world.conditions.set(conditions);
  world.limits = newLimits;
  Object.assign(world.app, newApp);
  for (const [token, changes] of Object.entries(newTokens)) world.tokens.set(token, changes);
}

/** Reverts every change of `patchWorld`. */
export function resetWorld(world: World): void {
  world.conditions.clear();
  world.limits = {};
  Object.assign(world.app, world.firstApp);
  world.tokens.reset();
}

interface TokenChanges {
  readonly issuedAt: number;
  readonly expiresAt: number | null;
  readonly shortLived: boolean;
  readonly scopes: readonly string[];
  readonly systemUser: boolean;
}

const readTime = (value: unknown, path: string): number => {
  const atMs = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(atMs)) throw new ShapeError(path, value, 'an ISO time');
  return atMs;
};

const readToken = readMembers<TokenChanges>({
  issuedAt: readTime,
  expiresAt: (value, path) => (value === null ? null : readTime(value, path)),
  shortLived: readBoolean,
  scopes: readList(readText),
  systemUser: readBoolean,
});

function readTokens(value: unknown): Record<string, Partial<Grant>> {
  const read = readMap(readToken)(value, 'tokens');
  return Object.fromEntries(
    Object.entries(read).map(([token, { issuedAt, expiresAt, ...rest }]) => [
      token,
      {
        ...(issuedAt === undefined ? {} : { issuedAtMs: issuedAt }),
        ...(expiresAt === undefined ? {} : { expiresAtMs: expiresAt }),
        ...rest,
      },
    ]),
  );
}
