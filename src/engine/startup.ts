import { type Backoff, backoffMs } from './backoff.ts';
import { isConnectorError, StopProcessError, type ConnectorError } from './errors.ts';
import type { Clock, Telemetry, TelemetryEvent } from './ports.ts';

/** Something outside that the program cannot work without. */
export interface StartStep<T> {
  readonly name: Extract<TelemetryEvent, { type: 'dependency' }>['name'];
  readonly run: (signal: AbortSignal) => Promise<T>;
}

/** How a start step is waited for. */
export interface StartTools {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly random: () => number;
  readonly retry: Backoff;
  /** When to give up, epoch milliseconds; null waits for ever. */
  readonly deadlineMs: number | null;
}

/**
 * Runs a start step until it succeeds, saying what it waits for; what is away comes back.
 *
 * @throws StopProcessError at once when waiting is no use, or with exit code 3 at the deadline; the
 * signal's reason when aborted
 */
export async function untilReady<T>(
  step: StartStep<T>,
  tools: StartTools,
  signal: AbortSignal,
): Promise<T> {
  const result = await untilAnswered(step, tools, signal);
  tools.telemetry.report({ type: 'dependency', name: step.name, ready: true, reason: '' });
  return result;
}

/** The same for who decides from the result whether it is ready: only what it waits for is told. */
export async function untilAnswered<T>(
  step: StartStep<T>,
  tools: StartTools,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step.run(signal);
    } catch (error) {
      signal.throwIfAborted();
      const passing = asPassing(error, tools.deadlineMs !== null);
      const afterMs = waitMs(passing, attempt, tools);
      tools.telemetry.report({
        type: 'dependency',
        name: step.name,
        ready: false,
        reason: passing.message,
      });
      if (tools.deadlineMs !== null && tools.clock.nowMs() + afterMs > tools.deadlineMs) {
        throw new StopProcessError(passing.code, `${passing.message}; gave up waiting`, {
          exitCode: 3,
          cause: passing,
        });
      }
      await tools.clock.sleep(afterMs, signal);
    }
  }
}

/** The error to wait for; throws where waiting is useless. */
function asPassing(error: unknown, hasDeadline: boolean): ConnectorError {
  if (!isConnectorError(error) || error.disposition === 'stop-process') throw error;
  // Only these pass by themselves. A service waits for a person as well, who renews an expired token or
  // installs a newer version; `once` has nobody to wait for.
  const passes = error.disposition === 'retry' || error.disposition === 'wait';
  if (!passes && hasDeadline) {
    throw new StopProcessError(error.code, error.message, { exitCode: 3, cause: error });
  }
  return error;
}

function waitMs(error: ConnectorError, attempt: number, tools: StartTools): number {
  const asked = 'retryAfterMs' in error ? error.retryAfterMs : undefined;
  return asked ?? backoffMs(tools.retry, attempt, tools.random());
}
