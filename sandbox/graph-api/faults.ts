import type { ErrorName } from './errors.ts';
import type { Json, JsonObject } from './json.ts';

/** Which requests a fault is for; every member given must fit. */
export interface FaultMatch {
  /** As the ledger names it: `/{account}/media`; `/batch` is the HTTP request of a batch. */
  readonly endpoint?: string;
  /** A part of the path. */
  readonly path?: string;
  /** A part of the decoded query, the token left out. */
  readonly query?: string;
  /** The request is about this account. */
  readonly account?: string;
}

/** The ledger's name of a batch's HTTP request. */
export const BATCH_ENDPOINT = '/batch';

/** What happens: one way of answering, a delay, or both. */
export interface FaultEffect {
  /** The answer comes this much later, in real milliseconds. */
  readonly latency_ms?: number;
  /** An error of the table. */
  readonly error?: ErrorName;
  /** What fills the places of the error's message. */
  readonly values?: readonly (string | number)[];
  /** Of `body`, `html` and `empty`; default 200, of `html` 500. */
  readonly status?: number;
  /** JSON, or a text that is sent as it is. */
  readonly body?: Json;
  /** The connection is closed: before anything is sent, or in the middle of the body. */
  readonly close?: 'before' | 'middle';
  /** Only so many bytes of the true answer come, as if they were all. */
  readonly truncate?: number;
  /** A page for people instead of JSON. */
  readonly html?: boolean;
  /** Nothing in the body. */
  readonly empty?: boolean;
  /** The item of a batch comes back as JSON null; a single request is not answered. */
  readonly null?: boolean;
  /** Besides those of every answer, or in their place: `{"Retry-After": "2"}`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A fault by rule. */
export interface FaultRule {
  readonly match?: FaultMatch;
  /** So many matching requests pass first; default 0. */
  readonly skip?: number;
  /** So many are hit; default all that follow. */
  readonly times?: number;
  readonly effect: FaultEffect;
}

/** A rule and what became of it. */
export interface Fault {
  readonly rule: FaultRule;
  /** Requests that fitted. */
  readonly matched: number;
  /** Requests that it hit. */
  readonly applied: number;
}

/** A request as far as rules look at it. */
export interface FaultTarget {
  readonly endpoint: string;
  readonly path: string;
  readonly query: string;
  readonly account: string | undefined;
}

/** What a request meets. */
export interface Met {
  readonly latencyMs: number;
  /** The first rule that changes the answer. */
  readonly effect: FaultEffect | undefined;
}

/** The faults of a simulator. */
export interface Faults {
  readonly all: readonly Fault[];
  /** Adds a rule after those that are there. */
  add(rule: FaultRule): Fault;
  clear(): void;
  /** Counts the request in every rule that it meets: delays add up, of answers the first one stands. */
  meet(target: FaultTarget): Met;
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
        if ((answers && effect !== undefined) || !strikes(fault, target)) continue;
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

/** Counts a request that fits; whether it is one of those that are hit. */
function strikes(fault: CountedFault, target: FaultTarget): boolean {
  const { match = {}, skip = 0, times = Number.POSITIVE_INFINITY } = fault.rule;
  if (!fits(match, target)) return false;
  fault.matched += 1;
  if (fault.matched <= skip || fault.applied >= times) return false;
  fault.applied += 1;
  return true;
}

/** Whether an effect is more than a delay. */
function changesAnswer(effect: FaultEffect): boolean {
  return Object.keys(effect).some((name) => name !== 'latency_ms');
}

/** The HTTP request of a batch is matched by name alone, so that other rules fit its items. */
function fits({ endpoint, path, query, account }: FaultMatch, target: FaultTarget): boolean {
  return (
    (target.endpoint !== BATCH_ENDPOINT || endpoint === BATCH_ENDPOINT) &&
    (endpoint === undefined || endpoint === target.endpoint) &&
    (path === undefined || target.path.includes(path)) &&
    (query === undefined || target.query.includes(query)) &&
    (account === undefined || target.account === account)
  );
}

/** The faults as the simulator's own endpoint shows them. */
export function describeFaults({ all }: Faults): JsonObject {
  return { faults: JSON.parse(JSON.stringify(all)) as Json };
}
