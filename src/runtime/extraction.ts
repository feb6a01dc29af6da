import type { Account, Login } from '../core/account.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Node } from '../core/json.ts';
import type { Memory } from '../core/state.ts';
import type { Graph } from './ports.ts';

/** What an extractor gets. */
export interface ExtractContext {
  readonly graph: Graph;
  readonly account: Account;
  readonly login: Login;
  readonly memory: Memory;
  readonly nowMs: number;
  readonly startDateMs: number | null;
  readonly lookbackMs: number;
  /** Nodes a page of a list, 1 to 100. */
  readonly pageSize: number;
  readonly signal: AbortSignal;
}

/** Something the API would not give, for a reason that is counted. */
export interface Skipped {
  readonly reason: ErrorCode;
  /** The media, metric, field or window left out. */
  readonly subject: string;
}

/** What one step of an extraction brought. */
export interface Page {
  readonly nodes: readonly Node[];
  readonly skipped: readonly Skipped[];
  /** Up to where a window asked, epoch milliseconds; null for what has no windows. */
  readonly coveredUntilMs: number | null;
}

/** A stream's nodes for one account, in steps that may each become a batch. */
export type Extraction = AsyncGenerator<Page, void, undefined>;
