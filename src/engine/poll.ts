import type { Account } from './account.ts';
import { type ErrorCode, DeadLetterError } from './errors.ts';
import type { PublishMode } from './change-set.ts';
import type { Value } from './json.ts';
import type { Published } from './published.ts';
import type { Checkpoint, StreamState } from './state.ts';
import type { Stream } from './stream.ts';
import type { StreamName } from './stream-name.ts';
import type { Page, Skipped, Source } from './source.ts';
import { buildBatches, type PageResult } from './batch.ts';
import { type Settled, detectChanges } from './changes.ts';
import { mapPage } from './mapping.ts';
import type { Clock, Encoder, Graph, PollTrace, Publisher, Telemetry } from './ports.ts';

/** What a poll works with; the same for all. */
export interface PollTools {
  readonly graph: Graph;
  readonly encoder: Encoder;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly source: Source;
  readonly telemetry: Telemetry;
  readonly settings: {
    readonly lookbackMs: number;
    readonly maxBatchRecords: number;
    /** Whether records that say nothing new are published; `always` where a stream is not named. */
    readonly publish: Readonly<Partial<Record<StreamName, PublishMode>>>;
    /** Whether media and stories that are gone are deleted by tombstones. */
    readonly tombstones: boolean;
    /** Written into the state, to say who did. */
    readonly instance: string;
  };
}

/**
 * One extraction of one stream for one account. It outlives a failed try: what was committed stays
 * in `state` and `published`, so that the next try goes on and publishes nothing twice.
 */
export interface Poll {
  readonly stream: Stream;
  readonly account: Account;
  /** `<stream>/<account>/<when it began>`, in every record's headers. */
  readonly id: string;
  readonly startedMs: number;
  /** A list that was scanned since then serves this poll too; epoch milliseconds. */
  readonly cycleMs: number;
  /** When the next poll is due, epoch milliseconds; null when there is none. */
  readonly nextPollMs: number | null;
  readonly trace: PollTrace;
  state: StreamState;
  readonly published: Set<string>;
  readonly tally: Tally;
}

/** What a poll brought so far. */
export interface Tally {
  records: number;
  deadLetters: number;
  /** HTTP requests. */
  requests: number;
  /** Calls as Meta counts them. */
  calls: number;
  readonly skipped: Partial<Record<ErrorCode, number>>;
  /** The first of them by name: a few of each reason. */
  readonly leftOut: Skipped[];
  readonly unknownFields: Set<string>;
}

/**
 * Extract, map, settle, encode, publish: page by page, a transaction a batch.
 *
 * @throws whatever the ports throw; a body that cannot be used is in the dead letters by then
 * @remarks `poll.state` is the last state committed; at the end, with what was learned besides and is
 * not worth a transaction of its own. Never two at once for one (stream, account).
 */
export async function runPoll(poll: Poll, tools: PollTools, signal: AbortSignal): Promise<void> {
  const batch = buildBatches(poll, tools, signal);
  try {
    let whole = false;
    let steps = 0;
    for await (const page of pagesOf(poll, tools, signal)) {
      await batch.add(resultOf(page, batch.checkpoint, { poll, tools }));
      reportStep((steps += 1), page, { poll, tools });
      whole ||= page.scanned !== undefined;
    }
    await batch.end(poll.startedMs);
    // A list that looks truncated is scanned again soon.
    if (whole && batch.checkpoint.doubtedMs === null) {
      tools.source.noteCommitted({ ...poll, nowMs: poll.startedMs });
    }
    poll.state = { ...poll.state, ...batch.checkpoint };
  } catch (error) {
    if (error instanceof DeadLetterError) await batch.deadLetter(error);
    throw error;
  }
}

function reportStep(steps: number, page: Page, { poll, tools }: Work): void {
  const { stream, account, tally } = poll;
  tools.telemetry.report({
    type: 'progress',
    stream: stream.name,
    accountId: account.id,
    step: page.step?.number ?? steps,
    of: page.step?.of ?? null,
    coveredUntilMs: page.coveredUntilMs,
    records: tally.records,
  });
}

function pagesOf(poll: Poll, tools: PollTools, signal: AbortSignal) {
  const { lookbackMs, maxBatchRecords } = tools.settings;
  return tools.source.pages({
    stream: poll.stream,
    graph: tools.graph,
    account: poll.account,
    checkpoint: poll.state,
    nowMs: poll.startedMs,
    cycleMs: poll.cycleMs,
    nextPollMs: poll.nextPollMs,
    lookbackMs,
    maxBatchRecords,
    sleep: (ms) => tools.clock.sleep(ms, signal),
    signal,
  });
}

interface Work {
  readonly poll: Poll;
  readonly tools: PollTools;
}

/** A page's nodes as the records worth publishing, its dead letters, and the memory after it. */
function resultOf(page: Page, before: Checkpoint, work: Work): PageResult {
  const { stream, account, startedMs, tally } = work.poll;
  noteLeftOut(page.skipped, tally);
  const mapped = mapPage(stream, page, { account, polledAtMs: startedMs });
  const checkpoint = {
    ...before,
    ...page.learned,
    insightsRead: withRead(before.insightsRead, page),
  };
  const { doubt, ...settled } = settle(mapped.records, { page, checkpoint }, work);
  if (doubt !== undefined) {
    const whose = { stream: stream.name, accountId: account.id };
    work.tools.telemetry.report({ type: 'list-doubted', ...whose, ...doubt });
  }
  const isLast = page.step !== undefined && page.step.number === page.step.of;
  return { gone: [], ...mapped, ...settled, isLast };
}

const mostNamed = 10;
/** One frequent reason, such as media from before the business account, does not hide the others. */
const mostNamedOfReason = 5;

function noteLeftOut(skipped: readonly Skipped[], { leftOut }: Tally): void {
  for (const one of skipped) {
    if (leftOut.length >= mostNamed) return;
    const alike = leftOut.filter(({ reason }) => reason === one.reason).length;
    if (alike < mostNamedOfReason) leftOut.push(one);
  }
}

function withRead(known: Published, { readings = [] }: Page): Published {
  return readings.length === 0 ? known : new Map([...known, ...readings]);
}

interface Settling {
  readonly page: Page;
  readonly checkpoint: Checkpoint;
}

function settle(
  records: readonly Value[],
  { page, checkpoint }: Settling,
  { poll, tools }: Work,
): Pick<Settled, 'records' | 'checkpoint'> & Partial<Settled> {
  const { stream, account, startedMs } = poll;
  const { lookbackMs, publish, tombstones } = tools.settings;
  if (stream.settle !== undefined) {
    const { coveredUntilMs } = page;
    return stream.settle(records, { checkpoint, nowMs: startedMs, lookbackMs, coveredUntilMs });
  }
  const mode = publish[stream.name] ?? 'always';
  if (!stream.tracksNodes && mode === 'always') return { records, checkpoint };
  return detectChanges(records, {
    stream,
    accountId: account.id,
    page,
    checkpoint,
    mode,
    nowMs: startedMs,
    tombstones,
  });
}
