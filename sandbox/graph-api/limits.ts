import type { JsonObject } from './json.ts';
import { readBoolean, readInteger, readMap, readMembers } from './shape.ts';

/** So many calls in a rolling window on the world's clock. */
export interface Limit {
  readonly calls: number;
  /** Default 24 hours for accounts, an hour for the app and its users. */
  readonly windowMs?: number;
}

/** How much a world lets itself be asked; without a limit nothing is refused. */
export interface LimitSettings {
  /** Of every account, counted for each alone (80002). */
  readonly account?: Limit;
  /** Of single accounts, by id, instead of `account`. */
  readonly accounts?: Readonly<Record<string, Limit>>;
  /** Of everything that belongs to no account (4). */
  readonly app?: Limit;
  /** Of one Facebook user, for what belongs to no account (17). */
  readonly user?: Limit;
  /** The limits of the app and the user count what belongs to accounts, too; default false. */
  readonly countAll?: boolean;
  /** Each call during a block makes it this much longer; default 1. */
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

/** Reads limits from JSON; throws a `ShapeError` that names the place. */
export function readLimits(value: unknown): LimitSettings {
  return readSettings(value, 'limits');
}

/** The limits as the simulator's own endpoint shows them. */
export function describeLimits(limits: LimitSettings): JsonObject {
  return JSON.parse(JSON.stringify(limits)) as JsonObject;
}
