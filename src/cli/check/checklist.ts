import { advice } from '../../engine/advice.ts';
import { endsWithin, systemClock } from '../../engine/clock.ts';
import {
  type ErrorCode,
  type ExitCode,
  WaitError,
  isClassifiedError,
  messageOf,
} from '../../engine/errors.ts';
import { dayAndDaysLeft } from '../text.ts';

/** The result of a step for one subject. */
export interface Finding {
  /** `skipped`: nothing to check. `warning`: works now, needs attention later. */
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  /** A broker, topic or account; absent where the step has one subject only. */
  readonly subject?: string | undefined;
  readonly detail: string;
  /** Advice for the operator; null where no action is needed. */
  readonly action?: string | null;
  readonly code?: ErrorCode | null;
}

export interface CheckStep {
  /** Stable id for machines, such as `kafka.tls`. */
  readonly id: string;
  /** Ids of the steps that must not have failed for every subject. */
  readonly needs: readonly string[];
  /** Throws or returns findings; an error becomes a finding. */
  readonly run: (signal: AbortSignal) => readonly Finding[] | Promise<readonly Finding[]>;
}

export function step(id: string, needs: readonly string[], run: CheckStep['run']): CheckStep {
  return { id, needs, run };
}

export interface CheckLine extends Pick<Finding, 'status' | 'detail'> {
  readonly id: string;
  readonly subject: string | null;
  readonly action: string | null;
  readonly code: ErrorCode | null;
}

/** The deadline of a step, so that a dependency that never answers cannot hold up the report. */
export const stepDeadlineMs = 5 * 60_000;

/**
 * Runs the steps in order. A step that takes longer than `stepDeadlineMs` fails. A step is skipped
 * when a step that it needs has failed for every subject, or was skipped for that reason.
 * @param onLine - receives each line as soon as it is known
 * @throws the signal's reason
 */
export async function runSteps(
  steps: readonly CheckStep[],
  onLine: (line: CheckLine) => void,
  signal: AbortSignal,
): Promise<readonly CheckLine[]> {
  const lines: CheckLine[] = [];
  const broken = new Set<string>();
  for (const { id, needs, run } of steps) {
    signal.throwIfAborted();
    const missing = needs.find((need) => broken.has(need));
    const findings =
      missing === undefined
        ? await runStep(run, signal, stepDeadlineMs)
        : [skipped(`needs ${missing}`)];
    const isBroken = findings.length > 0 && findings.every(({ status }) => status === 'failed');
    if (missing !== undefined || isBroken) broken.add(id);
    const found = findings.map((finding) => lineOf(id, finding));
    found.forEach((line) => lines.push(line));
    found.forEach(onLine);
  }
  return lines;
}

/** Runs a step until its deadline; an error becomes a finding. @throws the signal's reason */
export async function runStep(
  run: CheckStep['run'],
  signal: AbortSignal,
  deadlineMs: number,
): Promise<readonly Finding[]> {
  const late = new AbortController();
  const find = async () => await run(AbortSignal.any([signal, late.signal]));
  const findings = find();
  try {
    // Ends a step that ignores its signal, too.
    if (await endsWithin(findings, deadlineMs, systemClock, signal)) return await findings;
  } catch (error) {
    signal.throwIfAborted();
    return [failure(error)];
  }
  late.abort();
  return [unfinished(deadlineMs)];
}

/** The finding of a step that has not ended by its deadline. */
function unfinished(deadlineMs: number): Finding {
  const detail = `did not end within ${deadlineMs / 1000} s`;
  const action =
    'A dependency of this step may be slow or may not answer; the configuration may be correct. Run check again.';
  return { status: 'failed', detail, action };
}

export function ok(detail: string, subject?: string): Finding {
  return { status: 'ok', subject, detail };
}

export function skipped(detail: string, subject?: string): Finding {
  return { status: 'skipped', subject, detail };
}

export function failure(error: unknown, subject?: string): Finding {
  const code = isClassifiedError(error) ? error.code : 'internal.unexpected';
  const action = error instanceof WaitError ? limitAction(error.retryAfterMs) : actionOf(code);
  return { status: 'failed', subject, detail: messageOf(error), action, code };
}

/** The next step after a limit of the API. */
export function limitAction(ms: number): string {
  return `The limit of the API is reached; the configuration is not the cause. Run check again in ${minutesOf(ms)} min.`;
}

export function minutesOf(ms: number): number {
  return Math.ceil(ms / 60_000);
}

/** Formats an end date, as `until 2026-11-30 (3 days)`. */
export function daysText(untilMs: number | null, nowMs: number): string {
  return untilMs === null ? 'for ever' : `until ${dayAndDaysLeft(untilMs, nowMs)}`;
}

/** Parts of the advice that speak of retries: a check does not retry. */
const ofRuns =
  /^(?:It (?:is retried|continues) automatically\. |The next interval tries again\. )?(?:If it persists, )?/;

function actionOf(code: ErrorCode): string {
  const text = advice[code].replace(ofRuns, '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function lineOf(id: string, finding: Finding): CheckLine {
  const { status, subject = null, detail, code = null } = finding;
  const action = finding.action ?? (code === null ? null : actionOf(code));
  return { id, status, subject, detail, action, code };
}

/** Returns 0 when nothing failed, 2 when only the configuration is wrong, 3 otherwise. */
export function exitCodeFor(lines: readonly CheckLine[]): ExitCode {
  const failed = lines.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return 0;
  return failed.every(({ code }) => code === 'config.invalid') ? 2 : 3;
}
