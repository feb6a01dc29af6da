import type { Clock, Telemetry, TelemetryEvent } from '../../engine/ports.ts';
import { daysLeft } from '../../engine/token-life.ts';

/** A version of the Graph API, with the UTC dates of its release and end; null before an end is announced. */
interface ApiVersion {
  readonly version: string;
  readonly released: string;
  readonly until: string | null;
}

/**
 * The versions that this program knows, newest first.
 * @see https://developers.facebook.com/docs/graph-api/changelog (read 2026-11)
 */
export const apiVersions = [
  { version: 'v27.0', released: '2026-11-04', until: null },
  { version: 'v26.0', released: '2026-07-29', until: null },
  { version: 'v25.0', released: '2026-02-18', until: '2028-07-29' },
  { version: 'v24.0', released: '2025-10-08', until: '2028-02-18' },
  { version: 'v23.0', released: '2025-05-29', until: '2027-10-08' },
  { version: 'v22.0', released: '2025-01-21', until: '2027-05-20' },
  { version: 'v21.0', released: '2024-10-02', until: '2027-01-21' },
] as const satisfies readonly ApiVersion[];

/** Returns the known end; `daysLeft` are whole days, negative once it has ended. */
export function versionEnd(version: string, nowMs: number) {
  const found: ApiVersion | undefined = apiVersions.find((one) => one.version === version);
  const until = found?.until ?? null;
  if (until === null) return { endsAtMs: null, daysLeft: null, isKnown: found !== undefined };
  const endsAtMs = Date.parse(until);
  return { endsAtMs, daysLeft: daysLeft(endsAtMs, nowMs), isKnown: true };
}

const dayMs = 86_400_000;
/** A warning starts this long before the end of a version. */
const warningMs = 90 * dayMs;
const [{ version: newest }] = apiVersions;

/** Returns the problem with a version that has ended, ends soon or is unknown, and its fix; else null. */
export function versionWarning(
  version: string,
  nowMs: number,
): { readonly problem: string; readonly action: string } | null {
  const { endsAtMs, isKnown } = versionEnd(version, nowMs);
  if (!isKnown) {
    return {
      problem: `${version} is newer than ${newest}, the newest version that this program knows; its end is unknown`,
      action: 'Upgrade this program, or check that INSTAGRAM_API_VERSION names a released version.',
    };
  }
  if (endsAtMs === null || endsAtMs - nowMs > warningMs) return null;
  const action = `Set INSTAGRAM_API_VERSION to a later version, up to ${newest}, and restart.`;
  const date = new Date(endsAtMs).toISOString().slice(0, 10);
  const problem =
    endsAtMs <= nowMs
      ? `${version} ended on ${date}: Meta answers it as the oldest version that it still serves`
      : `${version} ends on ${date}`;
  return { problem, action };
}

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
