import { type ErrorCode, isConnectorError } from '../../engine/errors.ts';
import type { Clock, Telemetry } from '../../engine/ports.ts';
import { batchEndpoint, BatchRejection } from './batch.ts';

/** Who is told of requests. */
export interface Reporting {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** Makes a request and reports how it ended; one that is aborted is not reported, as it has no outcome. */
export async function reported<T>(
  { telemetry, clock }: Reporting,
  { endpoint, calls }: { readonly endpoint: string; readonly calls: number },
  ask: () => Promise<T>,
): Promise<T> {
  const startedMs = clock.nowMs();
  const report = (outcome: 'ok' | ErrorCode, as = { endpoint, calls }): void => {
    const durationMs = Math.max(0, clock.nowMs() - startedMs);
    telemetry.report({ type: 'request', ...as, outcome, durationMs });
  };
  try {
    const answer = await ask();
    report('ok');
    return answer;
  } catch (error) {
    if (isConnectorError(error)) report(error.code);
    // None of its items was called.
    if (error instanceof BatchRejection) report(error.code, { endpoint: batchEndpoint, calls: 1 });
    throw error;
  }
}
