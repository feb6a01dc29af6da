import { advice } from '../../engine/advice.ts';
import { type ErrorCode, type ExitCode, isConnectorError, messageOf } from '../../engine/errors.ts';

/** What a step found of one thing. */
export interface Finding {
  /** `skipped`: there was nothing to look at; why is in the detail. `warning`: it works, but not for ever. */
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  /** Which broker, topic or account; absent where the step is about one thing. */
  readonly subject?: string;
  readonly detail: string;
  /** What a person can do; null where nothing has to be done. */
  readonly action?: string | null;
  readonly code?: ErrorCode | null;
}

/** One thing to look at. */
export interface Step {
  /** As `kafka.tls`: stable, for machines. */
  readonly id: string;
  /** Steps that must not have failed as a whole, by id. */
  readonly needs: readonly string[];
  /** An error that it throws is a finding, too. */
  readonly run: (signal: AbortSignal) => Promise<readonly Finding[]>;
}

/** A line of the report. */
export interface CheckLine {
  readonly id: string;
  readonly status: Finding['status'];
  readonly subject: string | null;
  readonly detail: string;
  readonly action: string | null;
  readonly code: ErrorCode | null;
}

/**
 * Goes through the steps in order. A step is skipped when one that it needs has failed for everything
 * that it is about, or was skipped for that reason.
 *
 * @param tell - is given each line as it comes
 * @throws the signal's reason
 */
export async function goThrough(
  steps: readonly Step[],
  tell: (line: CheckLine) => void,
  signal: AbortSignal,
): Promise<readonly CheckLine[]> {
  const lines: CheckLine[] = [];
  const broken = new Set<string>();
  for (const { id, needs, run } of steps) {
    signal.throwIfAborted();
    const missing = needs.find((need) => broken.has(need));
    const findings =
      missing === undefined
        ? await find(run, signal)
        : [{ status: 'skipped', detail: `needs ${missing}` } as const];
    const isBroken = findings.length > 0 && findings.every(({ status }) => status === 'failed');
    if (missing !== undefined || isBroken) broken.add(id);
    for (const finding of findings) {
      const line = lineOf(id, finding);
      lines.push(line);
      tell(line);
    }
  }
  return lines;
}

async function find(run: Step['run'], signal: AbortSignal): Promise<readonly Finding[]> {
  try {
    return await run(signal);
  } catch (error) {
    signal.throwIfAborted();
    return [failure(error)];
  }
}

/** What an error says, as a finding. */
export function failure(error: unknown, subject?: string): Finding {
  const about = subject === undefined ? {} : { subject };
  if (isConnectorError(error)) {
    const { code, message } = error;
    return { ...about, status: 'failed', detail: message, action: actionOf(code), code };
  }
  const detail = messageOf(error);
  const code = 'internal.unexpected';
  return { ...about, status: 'failed', detail, action: actionOf(code), code };
}

/** A check tries nothing again, and nothing has to stay so. */
const ofRuns =
  /^(?:It (?:is tried again|goes on) by itself\. |The next interval asks again\. )?(?:If it stays, )?/;

function actionOf(code: ErrorCode): string {
  const text = advice[code].replace(ofRuns, '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function lineOf(id: string, finding: Finding): CheckLine {
  const { status, subject = null, detail, code = null } = finding;
  const action = finding.action ?? (code === null ? null : actionOf(code));
  return { id, status, subject, detail, action, code };
}

/** 0 when nothing failed; 2 when only the configuration has to be changed. */
export function exitCodeFor(lines: readonly CheckLine[]): ExitCode {
  const failed = lines.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return 0;
  return failed.every(({ code }) => code === 'config.invalid') ? 2 : 3;
}
