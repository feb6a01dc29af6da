import type { Clock, Telemetry, TelemetryEvent } from '../../engine/ports.ts';
import { versionEnd, versionWarning } from './api-versions.ts';

const dayMs = 86_400_000;

/** Creates the event about the end of the configured API version. */
export function versionEvent(
  version: string,
  nowMs: number,
): Extract<TelemetryEvent, { type: 'api-version' }> {
  const warning = versionWarning(version, nowMs);
  return {
    type: 'api-version',
    version,
    endsAtMs: versionEnd(version, nowMs).endsAtMs,
    warning: warning === null ? '' : `${warning.problem}. ${warning.action}`,
  };
}

/** Reports the end of the configured API version at once and then daily until aborted; never rejects. */
export async function watchVersion(
  version: string,
  { clock, telemetry }: { readonly clock: Clock; readonly telemetry: Telemetry },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    telemetry.report(versionEvent(version, clock.nowMs()));
    await clock.sleep(dayMs, signal).catch(() => undefined);
  }
}
