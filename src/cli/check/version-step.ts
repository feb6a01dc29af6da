import { versionEnd, versionWarning } from '../../instagram/api/api-versions.ts';
import type { Finding, CheckStep } from './checklist.ts';
import { daysText } from './days-text.ts';

/**
 * Returns the step that warns when the configured API version has ended, ends soon or is unknown.
 */
export function versionStep(version: string, nowMs: () => number): CheckStep {
  return { id: 'api.version', needs: [], run: () => Promise.resolve([find(version, nowMs())]) };
}

function find(version: string, nowMs: number): Finding {
  const warning = versionWarning(version, nowMs);
  if (warning !== null) {
    return { status: 'warning', detail: warning.problem, action: warning.action };
  }
  const { endsAtMs } = versionEnd(version, nowMs);
  const detail = endsAtMs === null ? 'Meta has announced no end' : daysText(endsAtMs, nowMs);
  return { status: 'ok', subject: version, detail };
}
