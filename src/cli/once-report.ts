import type { ErrorCode } from '../engine/errors.ts';
import type { StreamName } from '../engine/stream-name.ts';
import type { PolledJob } from '../engine/once.ts';
import type { Telemetry, TelemetryEvent } from '../engine/ports.ts';
import { describeError } from './outcome.ts';

type PollFinished = Extract<TelemetryEvent, { type: 'poll-finished' }>;
type PollFigures = Pick<
  PollFinished,
  'records' | 'deadLetters' | 'requests' | 'durationMs' | 'leftOut'
>;

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

/** Counts events. */
export interface OnceTally extends Telemetry {
  summary(
    result: { readonly polled: readonly PolledJob[] } & Pick<OnceSummary, 'problems' | 'warnings'>,
    durationMs: number,
  ): OnceSummary;
}

/** Creates a tally of zero. */
export function createOnceTally(): OnceTally {
  const finished = new Map<string, PollFigures>();
  const total = { records: 0, deadLetters: 0, requests: 0 };
  const skipped: Partial<Record<ErrorCode, number>> = {};
  return {
    report(event) {
      if (event.type === 'request') total.requests += 1;
      if (event.type === 'committed') {
        total.records += event.records;
        total.deadLetters += event.deadLetters;
      }
      if (event.type === 'poll-failed') {
        const { requests = 0 } = event;
        finished.set(`${event.stream}/${event.accountId}`, { ...nothing, requests });
      }
      if (event.type !== 'poll-finished') return;
      finished.set(`${event.stream}/${event.accountId}`, event);
      for (const [code, count] of Object.entries(event.skipped) as [ErrorCode, number][]) {
        skipped[code] = (skipped[code] ?? 0) + count;
      }
    },
    summary({ polled, problems, warnings }, durationMs) {
      const polls = polled.map((job) => summarize(job, finished));
      return {
        ok: problems.length === 0 && polls.every(({ result }) => result === 'done'),
        records: total.records,
        dead_letters: total.deadLetters,
        skipped,
        requests: total.requests,
        duration_ms: durationMs,
        polls,
        problems,
        warnings,
      };
    },
  };
}

const nothing: PollFigures = {
  records: 0,
  deadLetters: 0,
  requests: 0,
  durationMs: 0,
  leftOut: [],
};

function summarize(
  { job, outcome }: PolledJob,
  finished: ReadonlyMap<string, PollFigures>,
): PollSummary {
  const [stream, account] = [job.stream.name, job.account.id];
  const figures = finished.get(`${stream}/${account}`) ?? nothing;
  return {
    stream,
    account,
    result: outcome.kind === 'done' ? 'done' : 'failed',
    records: figures.records,
    dead_letters: figures.deadLetters,
    requests: figures.requests,
    duration_ms: figures.durationMs,
    left_out: figures.leftOut,
    error: 'error' in outcome ? describeError(outcome.error) : null,
  };
}

/** Formats a line for each poll that skipped something, with the first subject by name. */
export function describeLeftOut({ polls }: Pick<OnceSummary, 'polls'>): readonly string[] {
  return polls.flatMap(({ stream, account, left_out: left }) => {
    if (left.length === 0) return [];
    const named = left.map(({ reason, subject }) => `${subject} (${reason})`);
    return [`${stream} of account ${account}: left out ${named.join(', ')}`];
  });
}

/** Formats the summary as one line for a person. */
export function describeSummary(summary: OnceSummary): string {
  const { polls, records, requests, skipped } = summary;
  const failed = polls.filter(({ result }) => result === 'failed').length;
  const left = Object.entries(skipped).map(([code, count]) => `${count} ${code}`);
  return [
    `${count(polls.length, 'poll')}, ${failed === 0 ? 'all succeeded' : `${failed} failed`}`,
    count(records, 'record'),
    count(summary.dead_letters, 'dead letter'),
    `skipped ${left.length === 0 ? 'nothing' : left.join(', ')}`,
    `${count(requests, 'request')} in ${seconds(summary.duration_ms)}`,
  ].join('; ');
}

/** True when nothing was dead-lettered or skipped, as `--strict` requires. */
export function isSpotless({ dead_letters: letters, skipped }: OnceSummary): boolean {
  return letters === 0 && Object.keys(skipped).length === 0;
}

/** Pages of a list are many and fast: every tenth is shown. */
const pageStride = 10;

/** Formats an event for a person at the terminal; undefined for events that are not shown. */
export function describeProgress(event: TelemetryEvent): string | undefined {
  if (event.type === 'progress') return describeStep(event);
  if (event.type === 'poll-finished') {
    const { records, requests, durationMs } = event;
    const cost = `${count(requests, 'request')} in ${seconds(durationMs)}`;
    return `${nameOf(event)}: ${count(records, 'record')}, ${cost}`;
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
  const until =
    coveredUntilMs === null ? '' : ` up to ${new Date(coveredUntilMs).toISOString().slice(0, 10)}`;
  const position = of === null ? `page ${step}` : `window ${step} of ${of}`;
  return `${nameOf(event)}: ${position}${until}, ${count(records, 'record')} so far`;
}

function nameOf({ stream, accountId }: { readonly stream: string; readonly accountId: string }) {
  return `${stream} of ${accountId}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
