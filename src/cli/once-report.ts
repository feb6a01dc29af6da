import type { ErrorCode } from '../engine/errors.ts';
import type { StreamName } from '../engine/stream-name.ts';
import type { PolledJob } from '../engine/once.ts';
import type { Telemetry, TelemetryEvent } from '../engine/ports.ts';
import { describeError } from './outcome.ts';

type Finished = Extract<TelemetryEvent, { type: 'poll-finished' }>;
type Told = Pick<Finished, 'records' | 'deadLetters' | 'requests' | 'durationMs' | 'leftOut'>;

/** What `once` has done, for machines; the names are stable. */
export interface OnceSummary {
  /** Whether every poll succeeded and the list of accounts was whole. */
  readonly ok: boolean;
  readonly records: number;
  readonly dead_letters: number;
  /** By error code; what a failed poll has skipped is not in it. */
  readonly skipped: Readonly<Partial<Record<ErrorCode, number>>>;
  readonly requests: number;
  readonly duration_ms: number;
  readonly polls: readonly PollSummary[];
  /** What is wrong with the list of accounts. */
  readonly problems: readonly string[];
  /** Entries of that list that were left out; they leave `ok` true. */
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
  /** What was skipped, by name: ten at most. */
  readonly left_out: readonly { readonly reason: ErrorCode; readonly subject: string }[];
  /** `<code>: <message>`; null when it succeeded. */
  readonly error: string | null;
}

/** Counts what events tell. */
export interface OnceTally extends Telemetry {
  summary(
    went: { readonly polled: readonly PolledJob[] } & Pick<OnceSummary, 'problems' | 'warnings'>,
    durationMs: number,
  ): OnceSummary;
}

/** Counts nothing yet. */
export function createOnceTally(): OnceTally {
  const finished = new Map<string, Told>();
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
      const polls = polled.map((ending) => summarize(ending, finished));
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

const nothing: Told = { records: 0, deadLetters: 0, requests: 0, durationMs: 0, leftOut: [] };

function summarize({ job, outcome }: PolledJob, finished: ReadonlyMap<string, Told>): PollSummary {
  const [stream, account] = [job.stream.name, job.account.id];
  const told = finished.get(`${stream}/${account}`) ?? nothing;
  return {
    stream,
    account,
    result: outcome.kind === 'done' ? 'done' : 'failed',
    records: told.records,
    dead_letters: told.deadLetters,
    requests: told.requests,
    duration_ms: told.durationMs,
    left_out: told.leftOut,
    error: 'error' in outcome ? describeError(outcome.error) : null,
  };
}

/** A line for each poll that left something out, with the first of it by name. */
export function describeLeftOut({ polls }: Pick<OnceSummary, 'polls'>): readonly string[] {
  return polls.flatMap(({ stream, account, left_out: left }) => {
    if (left.length === 0) return [];
    const named = left.map(({ reason, subject }) => `${subject} (${reason})`);
    return [`${stream} of account ${account}: left out ${named.join(', ')}`];
  });
}

/** The summary in a line for a person. */
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

/** Whether `--strict` is content: nothing was dead-lettered or skipped. */
export function isSpotless({ dead_letters: letters, skipped }: OnceSummary): boolean {
  return letters === 0 && Object.keys(skipped).length === 0;
}

/** Pages of a list are many and quick: only some are told. */
const toldPages = 10;

/** What a person who waits is told of an event; undefined of those that are no news. */
export function describeProgress(event: TelemetryEvent): string | undefined {
  if (event.type === 'progress') return describeStep(event);
  if (event.type === 'poll-finished') {
    const { records, requests, durationMs } = event;
    const asked = `${count(requests, 'request')} in ${seconds(durationMs)}`;
    return `${nameOf(event)}: ${count(records, 'record')}, ${asked}`;
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
  if (of === null ? step % toldPages !== 0 : of === 1) return undefined;
  const until =
    coveredUntilMs === null ? '' : ` up to ${new Date(coveredUntilMs).toISOString().slice(0, 10)}`;
  const what = of === null ? `page ${step}` : `window ${step} of ${of}`;
  return `${nameOf(event)}: ${what}${until}, ${count(records, 'record')} so far`;
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
