import { type Backoff, backoffMs } from './backoff.ts';
import {
  isClassifiedError,
  StopProcessError,
  type ClassifiedError,
  type ErrorCode,
} from './errors.ts';
import type { AccountDirectory, AccountListing, Clock, Telemetry } from './ports.ts';
import type { DependencyName } from './readiness.ts';

/** The dependencies and limits of waiting for a start step. */
export interface StartTools {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly random: () => number;
  readonly retry: Backoff;
  /** The time of the last try, epoch milliseconds; null waits without limit. */
  readonly deadlineMs: number | null;
}

/**
 * Runs a start step until it succeeds, and reports each failure and the success.
 * @throws StopProcessError at once for an error that waiting does not fix, or with exit code 3 at
 * the deadline; the signal's reason when aborted
 */
export async function untilReady<T>(
  name: DependencyName,
  run: (signal: AbortSignal) => Promise<T>,
  tools: StartTools,
  signal: AbortSignal,
): Promise<T> {
  let down: DependencyName = name;
  const reportReady = (dependency: DependencyName): void => {
    tools.telemetry.report({ type: 'dependency', name: dependency, ready: true, reason: '' });
  };
  const result = await untilAnswered(run, tools, signal, (reason, code) => {
    const failing = dependencyOf(name, code);
    if (down !== failing && down !== name) reportReady(down);
    down = failing;
    tools.telemetry.report({ type: 'dependency', name: failing, ready: false, reason });
  });
  if (down !== name) reportReady(down);
  reportReady(name);
  return result;
}

/**
 * The dependency that an error belongs to. The step of the registry also reads states from Kafka, so
 * its error may be Kafka's.
 */
function dependencyOf(name: DependencyName, code: ErrorCode): DependencyName {
  return name === 'registry' && code.startsWith('kafka.') ? 'kafka' : name;
}

/** Runs a start step as `untilReady`, and passes each failure to `onFailure`. */
export async function untilAnswered<T>(
  run: (signal: AbortSignal) => Promise<T>,
  tools: Omit<StartTools, 'telemetry'>,
  signal: AbortSignal,
  onFailure: (reason: string, code: ErrorCode) => void,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run(signal);
    } catch (error) {
      signal.throwIfAborted();
      const failure = retryable(error, tools.deadlineMs !== null);
      const requestedMs = 'retryAfterMs' in failure ? failure.retryAfterMs : undefined;
      const afterMs = requestedMs ?? backoffMs(tools.retry, attempt, tools.random());
      onFailure(failure.message, failure.code);
      if (tools.deadlineMs !== null && tools.clock.nowMs() + afterMs > tools.deadlineMs) {
        throw new StopProcessError(failure.code, `${failure.message}; gave up waiting`, {
          exitCode: 3,
          cause: failure,
        });
      }
      await tools.clock.sleep(afterMs, signal);
    }
  }
}

/** Returns an error that is worth waiting for, or throws. */
function retryable(error: unknown, hasDeadline: boolean): ClassifiedError {
  if (!isClassifiedError(error) || error.disposition === 'stop-process') throw error;
  // Only these errors end by themselves. A service also waits for a person, who renews an expired
  // token or installs a newer version; `once` has a deadline and fails.
  const isTransient = error.disposition === 'retry' || error.disposition === 'wait';
  if (!isTransient && hasDeadline) {
    throw new StopProcessError(error.code, error.message, { exitCode: 3, cause: error });
  }
  return error;
}

/** Returns the start's account list first; later calls list the accounts again. */
export function startingWith(first: AccountListing, directory: AccountDirectory): AccountDirectory {
  const known = [first];
  return {
    renewed: (signal) => directory.renewed(signal),
    list: async (signal) => known.pop() ?? (await directory.list(signal)),
  };
}
