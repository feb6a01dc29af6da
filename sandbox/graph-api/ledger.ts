import type { JsonObject } from './json.ts';

/** One HTTP request, or one item of a batch; the token is not kept. */
export interface LedgerEntry {
  /** The world's time in ISO form. */
  readonly at: string;
  /** With placeholders: `/{account}/media`; `/batch` for the HTTP request of a batch. */
  readonly endpoint: string;
  /** Without token and version: `/17841…/media?limit=100`. */
  readonly request: string;
  /** HTTP requests: 0 for an item of a batch, 1 otherwise. */
  readonly requests: 0 | 1;
  /** Calls as Meta counts them: 0 for the HTTP request of a batch, 1 otherwise. */
  readonly calls: 0 | 1;
  readonly status: number;
  /** The error's code. */
  readonly code?: number;
  /** Refused because of a limit. */
  readonly throttled?: boolean;
  /** Answered, or not, by a fault; without an answer the status is 0. */
  readonly fault?: boolean;
  /** An item of a batch. */
  readonly batched?: boolean;
}

/** The cost at one endpoint, or in all. */
export interface Spent {
  /** HTTP requests. */
  readonly requests: number;
  /** Calls as Meta counts them. */
  readonly calls: number;
  /** Entries that were refused or not answered; a refused item and a refused batch are one each. */
  readonly errors: number;
  /** Entries that a limit refused. */
  readonly throttled: number;
}

/** The log of all requests, for tests and benchmarks that state their cost. */
export interface Ledger {
  readonly entries: readonly LedgerEntry[];
  add(entry: LedgerEntry): void;
  total(): Spent;
  byEndpoint(): Readonly<Record<string, Spent>>;
  clear(): void;
}

const NOTHING: Spent = { requests: 0, calls: 0, errors: 0, throttled: 0 };

function plus(spent: Spent, { requests, calls, status, throttled }: LedgerEntry): Spent {
  return {
    requests: spent.requests + requests,
    calls: spent.calls + calls,
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
