import { isClassifiedError, type ErrorCode, type ExitCode } from '../engine/errors.ts';
import { isoSeconds } from '../engine/key.ts';
import type { Once, PolledJob } from '../engine/once.ts';
import type { Job } from '../engine/poller.ts';
import type { Telemetry, TelemetryEvent } from '../engine/ports.ts';
import { printable, printableLines } from '../engine/printable.ts';
import { stateKey } from '../engine/state.ts';
import type { StreamName } from '../engine/stream-name.ts';
import { describeError } from './command.ts';
import { dayOf, plural, styleFor, type Style } from './text.ts';

/** The summary of `once` for machines; the names are stable. */
export interface OnceSummary {
  /** True when every poll succeeded and the account list was complete. */
  readonly ok: boolean;
  readonly records: number;
  readonly dead_letters: number;
  /** Counts by error code; those of a failed poll are excluded. */
  readonly skipped: Readonly<Partial<Record<ErrorCode, number>>>;
  readonly requests: number;
  readonly duration_ms: number;
  readonly polls: readonly PollSummary[];
  /** The streams of accounts that a person has paused, and that were not polled. */
  readonly paused: readonly PausedSummary[];
  /** Errors of the account list. */
  readonly problems: readonly string[];
  /** Excluded entries of the account list; `ok` stays true. */
  readonly warnings: readonly string[];
}

interface PollSummary {
  readonly stream: StreamName;
  readonly account: string;
  readonly result: 'done' | 'failed';
  readonly records: number;
  readonly dead_letters: number;
  readonly requests: number;
  readonly duration_ms: number;
  /** Skipped subjects by name: ten at most. */
  readonly left_out: readonly { readonly reason: ErrorCode; readonly subject: string }[];
  /** `<code>: <message>`; null when it succeeded. */
  readonly error: string | null;
}

interface PausedSummary {
  readonly stream: StreamName;
  readonly account: string;
  /** ISO 8601. */
  readonly since: string;
  /** ISO 8601; null for a pause that lasts until it is resumed. */
  readonly until: string | null;
}

type PollFigures = Omit<PollSummary, 'stream' | 'account' | 'result' | 'error'>;

const none = { records: 0, dead_letters: 0, requests: 0, duration_ms: 0, left_out: [] };

/** Creates a counter of events, which summarizes them at the end. */
export function createOnceTally() {
  const finished = new Map<string, PollFigures>();
  const total = { records: 0, dead_letters: 0 };
  let requests = 0;
  const skipped: Partial<Record<ErrorCode, number>> = {};
  return {
    report(event: TelemetryEvent): void {
      if (event.type === 'request') requests += 1;
      if (event.type === 'committed') {
        total.records += event.records;
        total.dead_letters += event.deadLetters;
      }
      if (event.type === 'poll-failed') {
        finished.set(stateKey(event.stream, event.accountId), {
          ...none,
          requests: event.requests ?? 0,
        });
      }
      if (event.type !== 'poll-finished') return;
      finished.set(stateKey(event.stream, event.accountId), {
        records: event.records,
        dead_letters: event.deadLetters,
        requests: event.requests,
        duration_ms: event.durationMs,
        left_out: event.leftOut,
      });
      for (const [code, count] of Object.entries(event.skipped) as [ErrorCode, number][]) {
        skipped[code] = (skipped[code] ?? 0) + count;
      }
    },
    summary(once: Once, durationMs: number): OnceSummary {
      const { polled, problems, warnings } = once;
      const polls = polled.map(({ job, outcome }): PollSummary => {
        const [stream, account] = [job.stream.name, job.account.id];
        return {
          stream,
          account,
          result: outcome.kind === 'done' ? 'done' : 'failed',
          ...(finished.get(stateKey(stream, account)) ?? none),
          error: 'error' in outcome ? describeError(outcome.error) : null,
        };
      });
      const ok = problems.length === 0 && polls.every(({ result }) => result === 'done');
      const counts = { ...total, skipped, requests, duration_ms: durationMs };
      const paused = once.paused.flatMap(describePause);
      return { ok, ...counts, polls, paused, problems, warnings };
    },
  };
}

function describePause({ stream, account, pause }: Job): readonly PausedSummary[] {
  if (pause === null) return [];
  const { sinceMs, untilMs } = pause;
  const until = untilMs === null ? null : isoSeconds(untilMs);
  return [{ stream: stream.name, account: account.id, since: isoSeconds(sinceMs), until }];
}

interface ReportOptions {
  /** Exit code 4 for a result that left something out; default false. */
  readonly strict?: boolean | undefined;
  /** Receives the result for a person; by default standard error. */
  readonly write?: (text: string) => void;
}

function printError(text: string): void {
  process.stderr.write(text);
}

/** Polls, with the progress on a terminal; prints the result and returns it with the exit code. */
export async function pollAndReport(
  poll: (observer: Telemetry) => Promise<Once>,
  { strict = false, write = printError }: ReportOptions = {},
): Promise<{ readonly summary: OnceSummary; readonly exitCode: ExitCode }> {
  const tally = createOnceTally();
  const style = styleFor(process.stderr, process.env);
  const startedMs = performance.now();
  const result = await poll({
    report(event) {
      tally.report(event);
      if (style.isLive) showProgress(event, style);
    },
  });
  const summary = tally.summary(result, Math.round(performance.now() - startedMs));
  const lines = [
    ...result.warnings,
    ...describePaused(summary),
    ...describeLeftOut(summary),
    ...result.problems,
    ...describeFailures(result.polled),
    describeSummary(summary),
  ];
  for (const line of lines) write(`${printableLines(line)}\n`);
  if (!summary.ok) return { summary, exitCode: 3 };
  return { summary, exitCode: strict && !isSpotless(summary) ? 4 : 0 };
}

function showProgress(event: TelemetryEvent, { good, bad, dim }: Style): void {
  const text = describeProgress(event);
  if (text === undefined) return;
  const paint = event.type === 'poll-finished' ? good : dim;
  const line = (event.type === 'poll-failed' ? bad : paint)(printable(text));
  process.stderr.write(`${line}\n`);
}

/** An error of a token or of a foreign registry has one line for all its streams. */
function describeFailures(polled: readonly PolledJob[]): readonly string[] {
  const lines = polled.flatMap(({ job, outcome }) => {
    if (outcome.kind === 'done') return [];
    const error = 'error' in outcome ? outcome.error : undefined;
    const why = error === undefined ? '' : describeError(error);
    if (isClassifiedError(error) && error.code === 'registry.mismatch') return [why];
    const where = outcome.kind === 'stop-account' ? '' : `${job.stream.name} of `;
    return [`${where}account ${job.account.id}: ${why}`];
  });
  return [...new Set(lines)];
}

/** Formats a line for each stream of an account that is paused. */
export function describePaused({ paused }: Pick<OnceSummary, 'paused'>): readonly string[] {
  return paused.map(({ stream, account, since, until }) => {
    const end = until === null ? '; resume it by the control API' : ` until ${until}`;
    return `${stream} of account ${account}: not polled, paused since ${since}${end}`;
  });
}

/** Formats a line for each poll that skipped something, with the first subjects by name. */
export function describeLeftOut({ polls }: Pick<OnceSummary, 'polls'>): readonly string[] {
  return polls.flatMap(({ stream, account, left_out: left }) => {
    if (left.length === 0) return [];
    const named = left.map(({ reason, subject }) => `${subject} (${reason})`);
    return [`${stream} of account ${account}: left out ${named.join(', ')}`];
  });
}

/** Formats the summary as one line for a person. */
export function describeSummary(summary: OnceSummary): string {
  const { polls, paused, records, requests, skipped } = summary;
  const failed = polls.filter(({ result }) => result === 'failed').length;
  const left = Object.entries(skipped).map(([code, count]) => `${count} ${code}`);
  return [
    `${plural(polls.length, 'poll')}, ${failed === 0 ? 'all succeeded' : `${failed} failed`}`,
    ...(paused.length === 0 ? [] : [`${paused.length} paused`]),
    plural(records, 'record'),
    plural(summary.dead_letters, 'dead letter'),
    `skipped ${left.length === 0 ? 'nothing' : left.join(', ')}`,
    `${plural(requests, 'request')} in ${seconds(summary.duration_ms)}`,
  ].join('; ');
}

/** True when nothing was dead-lettered or skipped, as `--strict` requires. */
export function isSpotless({ dead_letters: letters, skipped }: OnceSummary): boolean {
  // A record of a suppressed person is left out on purpose.
  return letters === 0 && Object.keys(skipped).every((code) => code === 'person.suppressed');
}

/** Pages of a list are many and fast: every tenth is shown. */
const pageStride = 10;

/** Formats an event for a person at the terminal; undefined for events that are not shown. */
export function describeProgress(event: TelemetryEvent): string | undefined {
  if (event.type === 'progress') return describeStep(event);
  if (event.type === 'poll-finished') {
    const { records, requests, durationMs } = event;
    const cost = `${plural(requests, 'request')} in ${seconds(durationMs)}`;
    return `${nameOf(event)}: ${plural(records, 'record')}, ${cost}`;
  }
  if (event.type === 'poll-failed') {
    const { code, retryInMs } = event;
    const next = retryInMs === null ? '' : `; tried again in ${seconds(retryInMs)}`;
    return `${nameOf(event)}: ${code}${next}`;
  }
  if (event.type !== 'dependency' || event.ready) return undefined;
  return `waiting for ${event.name}: ${event.reason}`;
}

function describeStep(event: Extract<TelemetryEvent, { type: 'progress' }>): string | undefined {
  const { step, of, coveredUntilMs, records } = event;
  if (of === null ? step % pageStride !== 0 : of === 1) return undefined;
  const until = coveredUntilMs === null ? '' : ` up to ${dayOf(coveredUntilMs)}`;
  const position = of === null ? `page ${step}` : `window ${step} of ${of}`;
  return `${nameOf(event)}: ${position}${until}, ${plural(records, 'record')} so far`;
}

function nameOf({ stream, accountId }: { stream: string; accountId: string }): string {
  return `${stream} of ${accountId}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
