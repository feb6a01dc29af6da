import { advice } from '../engine/advice.ts';
import type { ErrorCode } from '../engine/errors.ts';
import { type Limit, describeLimits } from '../engine/limits.ts';

const limitCode = 'graph.rate-limited';

/** An account with its errors, and the limits that its polls wait for. */
interface AccountProblems {
  readonly id: string;
  /** The error that stops the whole account; null for none. */
  readonly error: ProblemError | null;
  readonly streams: readonly {
    readonly state: string;
    readonly error: ProblemError | null;
    readonly waitsFor: Limit | null;
  }[];
}

interface ProblemError {
  readonly code: ErrorCode;
  readonly message: string;
}

interface Problem {
  readonly ids: Set<string>;
  readonly limits: Limit[];
  readonly example: string;
  streams: number;
  stopped: number;
}

/** Returns the errors and limits by code, each with the next step and one of its messages. */
export function describeProblems(accounts: readonly AccountProblems[]) {
  const byCode = new Map<ErrorCode, Problem>();
  for (const { id, error: shared, streams } of accounts) {
    for (const stream of streams) {
      const error = shared ?? stream.error ?? limitError(stream.waitsFor);
      if (error === null) continue;
      const entry = byCode.get(error.code) ?? newProblem(error.message);
      byCode.set(error.code, entry);
      entry.ids.add(id);
      entry.streams += 1;
      if (stream.state === 'stopped') entry.stopped += 1;
      if (stream.waitsFor !== null) entry.limits.push(stream.waitsFor);
    }
  }
  return [...byCode]
    .sort(([, a], [, b]) => b.stopped - a.stopped || b.streams - a.streams)
    .map(([code, { ids, streams, limits, example }]) => {
      const isLimit = code === limitCode && limits.length > 0;
      const action = isLimit ? limitAction(limits) : advice[code];
      return { code, action, streams, accounts: ids.size, example };
    });
}

function newProblem(example: string): Problem {
  return { ids: new Set(), limits: [], example, streams: 0, stopped: 0 };
}

function limitError(limit: Limit | null): ProblemError | null {
  if (limit === null) return null;
  const { names, until } = describeLimits([limit]);
  return { code: limitCode, message: `${names} is reached until ${until}` };
}

function limitAction(limits: readonly Limit[]): string {
  const { names, areSeveral, until } = describeLimits(limits);
  const end = areSeveral ? `by ${until}, when ${names} end` : `at ${until}, when ${names} ends`;
  return `No action needed: polls resume ${end}. A \`poll\` request does not shorten the wait.`;
}
