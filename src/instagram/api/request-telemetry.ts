import { type ErrorCode, isConnectorError } from '../../engine/errors.ts';
import type { Clock, Telemetry } from '../../engine/ports.ts';
import { batchEndpoint, BatchRejection } from './batch.ts';

/** The dependencies of request telemetry. */
export interface RequestTelemetry {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** Makes a request and reports its outcome and duration. An aborted request is not reported. */
export async function withTelemetry<T>(
  { telemetry, clock }: RequestTelemetry,
  { endpoint, calls }: { readonly endpoint: string; readonly calls: number },
  request: () => Promise<T>,
): Promise<T> {
  const startedMs = clock.nowMs();
  const report = (outcome: 'ok' | ErrorCode, labels = { endpoint, calls }): void => {
    const durationMs = Math.max(0, clock.nowMs() - startedMs);
    telemetry.report({ type: 'request', ...labels, outcome, durationMs });
  };
  try {
    const answer = await request();
    report('ok');
    return answer;
  } catch (error) {
    if (isConnectorError(error)) report(error.code);
    // The API called none of the items.
    if (error instanceof BatchRejection) report(error.code, { endpoint: batchEndpoint, calls: 1 });
    throw error;
  }
}
