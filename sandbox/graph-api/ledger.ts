import type { JsonObject } from './json.ts';

/** One HTTP request, or one item of a batch; the token is not kept. */
export interface LedgerEntry {
  /** The world's time in ISO form. */
  readonly at: string;
  /** Endpoint with placeholders: `/{account}/media`; `/batch` for the HTTP request of a batch. */
  readonly endpoint: string;
  /** Path and query without token and version: `/17841…/media?limit=100`. */
  readonly request: string;
  /** HTTP requests: 0 for an item of a batch, 1 otherwise. */
  readonly requests: 0 | 1;
  /** Calls as Meta counts them: 0 for the HTTP request of a batch, 1 otherwise. */
  readonly calls: 0 | 1;
  readonly status: number;
  /** The error's code. */
  readonly code?: number;
  /** True when a limit rejected it. */
  readonly throttled?: boolean;
  /** True when a fault answered it or left it unanswered; an unanswered request has status 0. */
  readonly fault?: boolean;
  /** True for an item of a batch. */
  readonly batched?: boolean;
}

/** The cost of one endpoint, or of all. */
export interface EndpointCost {
  /** HTTP requests. */
  readonly requests: number;
  /** Calls as Meta counts them. */
  readonly calls: number;
  /** Rejected or unanswered entries; a rejected item and a rejected batch are one each. */
  readonly errors: number;
  /** Entries that a limit rejected. */
  readonly throttled: number;
}

/** The log of all requests, for tests and benchmarks that state their cost. */
export interface Ledger {
  readonly entries: readonly LedgerEntry[];
  add(entry: LedgerEntry): void;
  total(): EndpointCost;
  byEndpoint(): Readonly<Record<string, EndpointCost>>;
  clear(): void;
}

const NOTHING: EndpointCost = { requests: 0, calls: 0, errors: 0, throttled: 0 };

function plus(
  spent: EndpointCost,
  { requests, calls, status, throttled }: LedgerEntry,
): EndpointCost {
  return {
    requests: spent.requests + requests,
    calls: spent.calls + calls,
    errors: spent.errors + (status >= 400 || status === 0 ? 1 : 0),
    throttled: spent.throttled + (throttled === true ? 1 : 0),
  };
}

/** Creates an empty ledger. */
export function createLedger(): Ledger {
  const entries: LedgerEntry[] = [];
  return {
    entries,
    add: (entry) => {
      entries.push(entry);
    },
    total: () => entries.reduce(plus, NOTHING),
    byEndpoint: () => {
      const spent: Record<string, EndpointCost> = {};
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

/** Formats the ledger for the admin API. */
export function describeLedger(ledger: Ledger): JsonObject {
  return {
    total: { ...ledger.total() },
    by_endpoint: Object.fromEntries(
      Object.entries(ledger.byEndpoint()).map(([endpoint, spent]) => [endpoint, { ...spent }]),
    ),
    entries: ledger.entries.map((entry) => ({ ...entry })),
  };
}
