import type { JsonObject } from './json.ts';
import { readBoolean, readInteger, readMap, readMembers } from './shape.ts';

/** A number of calls in a rolling window on the world's clock. */
export interface Limit {
  readonly calls: number;
  /** Default 24 hours for accounts, an hour for the app and its users. */
  readonly windowMs?: number;
}

/** The limits of a world; without a limit nothing is rejected. */
export interface LimitSettings {
  /** Limit of every account, counted for each alone (80002). */
  readonly account?: Limit;
  /** Limits of single accounts, by id, instead of `account`. */
  readonly accounts?: Readonly<Record<string, Limit>>;
  /** Limit of everything that belongs to no account (4). */
  readonly app?: Limit;
  /** Limit of one Facebook user, for requests that belong to no account (17). */
  readonly user?: Limit;
  /** True when the app's and the user's limits count the accounts' calls too; default false. */
  readonly countAll?: boolean;
  /** Minutes by which each call during a block extends it; default 1. */
  readonly extendMinutes?: number;
}

const readLimit = readMembers<Limit>({ calls: readInteger(1), windowMs: readInteger(1) });

const readWhole = (value: unknown, path: string): Limit => {
  const limit = readLimit(value, path);
  return { ...limit, calls: readInteger(1)(limit.calls, `${path}.calls`) };
};

const readSettings = readMembers<LimitSettings>({
  account: readWhole,
  accounts: readMap(readWhole),
  app: readWhole,
  user: readWhole,
  countAll: readBoolean,
  extendMinutes: readInteger(0),
});

/** Reads limits from JSON; throws a `ShapeError` that names the path. */
export function readLimits(value: unknown): LimitSettings {
  return readSettings(value, 'limits');
}

/** Formats the limits for the admin API. */
export function describeLimits(limits: LimitSettings): JsonObject {
  return JSON.parse(JSON.stringify(limits)) as JsonObject;
}
