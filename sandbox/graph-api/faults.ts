import type { ErrorName } from './errors.ts';
import type { Json, JsonObject } from './json.ts';

/** Conditions of the affected requests; all members must match. */
export interface FaultMatch {
  /**
   * The ledger's endpoint name, such as `/{account}/media`; `/batch` is the HTTP request of a
   * batch.
   */
  readonly endpoint?: string;
  /** A part of the path. */
  readonly path?: string;
  /** A part of the decoded query, without the token. */
  readonly query?: string;
  /** The account of the request. */
  readonly account?: string;
}

/** The ledger's name of a batch's HTTP request. */
export const BATCH_ENDPOINT = '/batch';

/** The effect of a fault: one kind of answer, a delay, or both. */
export interface FaultEffect {
  /** Delay of the answer, in real milliseconds. */
  readonly latency_ms?: number;
  /** An error of the table. */
  readonly error?: ErrorName;
  /** Values for the placeholders of the error's message. */
  readonly values?: readonly (string | number)[];
  /** Status of `body`, `html` and `empty`; default 200, for `html` 500. */
  readonly status?: number;
  /** JSON, or a text that is sent unchanged. */
  readonly body?: Json;
  /** Closes the connection: before the first byte, or in the middle of the body. */
  readonly close?: 'before' | 'middle';
  /** Number of bytes of the real answer that are sent, as if complete. */
  readonly truncate?: number;
  /** An HTML page instead of JSON. */
  readonly html?: boolean;
  /** An empty body. */
  readonly empty?: boolean;
  /** The item of a batch is JSON null; a single request is not answered. */
  readonly null?: boolean;
  /** Headers that are added to those of every answer or replace them: `{"Retry-After": "2"}`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A rule of a fault. */
export interface FaultRule {
  readonly match?: FaultMatch;
  /** Number of matching requests that pass first; default 0. */
  readonly skip?: number;
  /** Number of affected requests; default all that follow. */
  readonly times?: number;
  readonly effect: FaultEffect;
}

/** A rule and its counts. */
export interface Fault {
  readonly rule: FaultRule;
  /** Number of matching requests. */
  readonly matched: number;
  /** Number of affected requests. */
  readonly applied: number;
}

/** The properties of a request that rules match. */
export interface FaultTarget {
  readonly endpoint: string;
  readonly path: string;
  readonly query: string;
  readonly account: string | undefined;
}

/** The faults of one request. */
export interface MatchedFaults {
  readonly latencyMs: number;
  /** The first effect that changes the answer. */
  readonly effect: FaultEffect | undefined;
}

/** The faults of a simulator. */
export interface Faults {
  readonly all: readonly Fault[];
  /** Adds a rule after the existing ones. */
  add(rule: FaultRule): Fault;
  clear(): void;
  /** Counts the request in every matching rule; delays add up, the first changed answer wins. */
  meet(target: FaultTarget): MatchedFaults;
}

/** Creates a simulator's faults: none. */
export function createFaults(): Faults {
  const faults: CountedFault[] = [];
  return {
    all: faults,
    add: (rule) => {
      const fault = { rule, matched: 0, applied: 0 };
      faults.push(fault);
      return fault;
    },
    clear: () => {
      faults.length = 0;
    },
    meet: (target) => {
      let latencyMs = 0;
      let effect: FaultEffect | undefined;
      for (const fault of faults) {
        const answers = changesAnswer(fault.rule.effect);
        if ((answers && effect !== undefined) || !countMatch(fault, target)) continue;
        latencyMs += fault.rule.effect.latency_ms ?? 0;
        if (answers) effect = fault.rule.effect;
      }
      return { latencyMs, effect };
    },
  };
}

interface CountedFault {
  readonly rule: FaultRule;
  matched: number;
  applied: number;
}

/** Counts a matching request; returns true when the rule affects it. */
function countMatch(fault: CountedFault, target: FaultTarget): boolean {
  const { match = {}, skip = 0, times = Number.POSITIVE_INFINITY } = fault.rule;
  if (!fits(match, target)) return false;
  fault.matched += 1;
  if (fault.matched <= skip || fault.applied >= times) return false;
  fault.applied += 1;
  return true;
}

/** True when an effect is more than a delay. */
function changesAnswer(effect: FaultEffect): boolean {
  return Object.keys(effect).some((name) => name !== 'latency_ms');
}

/** The HTTP request of a batch is matched by name alone, so that other rules match its items. */
function fits({ endpoint, path, query, account }: FaultMatch, target: FaultTarget): boolean {
  return (
    (target.endpoint !== BATCH_ENDPOINT || endpoint === BATCH_ENDPOINT) &&
    (endpoint === undefined || endpoint === target.endpoint) &&
    (path === undefined || target.path.includes(path)) &&
    (query === undefined || target.query.includes(query)) &&
    (account === undefined || target.account === account)
  );
}

/** Formats the faults for the admin API. */
export function describeFaults({ all }: Faults): JsonObject {
  return { faults: JSON.parse(JSON.stringify(all)) as Json };
}
