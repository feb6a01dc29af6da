import type { JsonObject } from './json.ts';

/** One request that came in; the token is not kept. */
export interface LedgerEntry {
  /** The world's time in ISO form. */
  readonly at: string;
  /** With place holders: `/{account}/media`. */
  readonly endpoint: string;
  /** Without token and version: `/17841…/media?limit=100`. */
  readonly request: string;
  readonly ids: number;
  readonly status: number;
  /** The error's code. */
  readonly code?: number;
  /** Refused because of a limit. */
  readonly throttled?: boolean;
  /** Answered, or not, by a fault; without an answer the status is 0. */
  readonly fault?: boolean;
  /** Came within a batch. */
  readonly batched?: boolean;
}

/** What was spent at one endpoint, or in all. */
export interface Spent {
  readonly requests: number;
  readonly ids: number;
  readonly errors: number;
  /** Requests that a limit refused. */
  readonly throttled: number;
}

/** What was asked, for tests and benchmarks that state the cost in calls. */
export interface Ledger {
  readonly entries: readonly LedgerEntry[];
  add(entry: LedgerEntry): void;
  total(): Spent;
  byEndpoint(): Readonly<Record<string, Spent>>;
  clear(): void;
}

const NOTHING: Spent = { requests: 0, ids: 0, errors: 0, throttled: 0 };

function plus(spent: Spent, { ids, status, throttled }: LedgerEntry): Spent {
  return {
    requests: spent.requests + 1,
    ids: spent.ids + ids,
    errors: spent.errors + (status >= 400 || status === 0 ? 1 : 0),
    throttled: spent.throttled + (throttled === true ? 1 : 0),
  };
}

/** An empty ledger. */
export function createLedger(): Ledger {
  const entries: LedgerEntry[] = [];
  return {
    entries,
    add: (entry) => {
      entries.push(entry);
    },
    total: () => entries.reduce(plus, NOTHING),
    byEndpoint: () => {
      const spent: Record<string, Spent> = {};
      for (const entry of entries) {
        spent[entry.endpoint] = plus(spent[entry.endpoint] ?? NOTHING, entry);
      }
      return spent;
    },
    clear: () => {
      entries.length = 0;
    },
  };
}

/** The ledger as the admin endpoint shows it. */
export function describeLedger(ledger: Ledger): JsonObject {
  return {
    total: { ...ledger.total() },
    by_endpoint: Object.fromEntries(
      Object.entries(ledger.byEndpoint()).map(([endpoint, spent]) => [endpoint, { ...spent }]),
    ),
    entries: ledger.entries.map((entry) => ({ ...entry })),
  };
}
