import type { DeadLetterError } from '../../core/errors.ts';
import { maxIds } from '../../core/metric-groups.ts';
import type { Listed } from '../../core/refusals.ts';
import type { Memory } from '../../core/state.ts';
import type { ExtractContext, Skipped } from '../extraction.ts';
import type { Known } from './faults.ts';

/** What is known of refusals while insights are asked for. */
export interface Isolation extends Known {
  readonly context: ExtractContext;
  /** With all that was learned so far. */
  memory: Memory;
  /** What was found to be refused. */
  readonly skipped: Skipped[];
  /** Parts of the answers that are invalid. */
  readonly rejected: DeadLetterError[];
  /** Ids of media that refused a metric just now: to be asked without it, with others that do. */
  readonly deferred: Set<string>;
  /** Media in a row that refused a metric, by kind and metric. */
  readonly rows: Map<string, Row>;
  /** Kinds and metrics that were answered in this try. */
  readonly had: Set<string>;
  /** Whether insights of any media were answered in this try, since one was found at fault. */
  answered: boolean;
  /** Whether the server was found to fail for one of the media in this try. */
  faulty: boolean;
  /** How many media are asked at once: fewer where one after another is at fault. */
  size: number;
  /** The most media that the API has last been able to answer at once. */
  together: number;
}

/** Media in a row that refused a metric. */
export interface Row {
  /** The first of them, which is the newest. */
  readonly first: Listed;
  length: number;
  /** How many are enough to ask others of the kind. */
  enough: number;
}

/** Media that are asked for the same metrics. */
export interface Asked {
  readonly open: readonly Listed[];
  readonly metrics: readonly string[];
}

/** Begins with what the state remembers. */
export function createIsolation(context: ExtractContext, known: Known): Isolation {
  return {
    ...known,
    context,
    memory: context.memory,
    skipped: [],
    rejected: [],
    deferred: new Set(),
    rows: new Map(),
    had: new Set(),
    answered: false,
    faulty: false,
    size: maxIds,
    together: maxIds,
  };
}
