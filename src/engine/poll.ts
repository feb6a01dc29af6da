import { DeadLetterError } from './errors.ts';
import type { FieldRules } from './field-rules.ts';
import type { Checkpoint } from './state.ts';
import type { Page } from './source.ts';
import { BatchBuilder, type PageResult } from './batch.ts';
import { detectChanges } from './changes.ts';
import { type MappedPage, mapPage } from './mapping.ts';
import type { Poll, PollContext, PollTools } from './poll-context.ts';

/**
 * Runs a poll page by page: extract, map, detect changes, encode, publish. Each batch is one
 * transaction. A (stream, account) has at most one poll at a time.
 * @throws any error of the ports; an unusable body is in the dead letters by then
 * @remarks `poll.state` is the last state committed, and at the end also has the values that are
 * not worth a transaction.
 */
export async function runPoll(poll: Poll, tools: PollTools, signal: AbortSignal): Promise<void> {
  const batches = new BatchBuilder(poll, tools, signal);
  try {
    let isListScanned = false;
    let steps = 0;
    for await (const page of pagesOf(poll, tools, signal)) {
      await batches.add(resultOf(page, batches.checkpoint, { poll, tools }));
      reportProgress((steps += 1), page, { poll, tools });
      isListScanned ||= page.scanned !== undefined;
    }
    await batches.end();
    // A list that looks truncated does not count as committed, so it is scanned again soon.
    if (isListScanned && batches.checkpoint.truncationSuspectedMs === null) {
      tools.source.noteCommitted({ ...poll, nowMs: poll.startedMs });
    }
    poll.state = { ...poll.state, ...batches.checkpoint };
  } catch (error) {
    if (error instanceof DeadLetterError) {
      const rules = tools.settings.fieldRules[poll.stream.name];
      await batches.deadLetter(rules?.redact(error) ?? error);
    }
    throw error;
  }
}

function reportProgress(steps: number, page: Page, { poll, tools }: PollContext): void {
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

/** The most excluded objects that are named. */
const maxNamed = 10;
/**
 * The limit for one reason, so that a frequent one, such as media older than the business account,
 * does not hide the others.
 */
const maxNamedOfReason = 5;

/** Applies a stream's field rules to everything of a page that leaves the program. */
function withRules(rules: FieldRules | undefined, page: MappedPage): MappedPage {
  if (rules === undefined) return page;
  return {
    ...page,
    records: page.records.map(rules.apply),
    rejected: page.rejected.map(rules.redact),
  };
}

/** Returns a page's changed records, its dead letters, and the checkpoint after it. */
function resultOf(page: Page, before: Checkpoint, context: PollContext): PageResult {
  const { stream, account, startedMs, tally } = context.poll;
  for (const excluded of page.skipped) {
    const sameReason = tally.leftOut.filter(({ reason }) => reason === excluded.reason).length;
    const isNamed = tally.leftOut.length < maxNamed && sameReason < maxNamedOfReason;
    if (isNamed) tally.leftOut.push(excluded);
  }
  const rules = context.tools.settings.fieldRules[stream.name];
  const mapped = withRules(rules, mapPage(stream, page, { account, polledAtMs: startedMs }));
  const { checkpointUpdate, readings = [] } = page;
  const insightsRead =
    readings.length === 0 ? before.insightsRead : new Map([...before.insightsRead, ...readings]);
  const checkpoint = { ...before, ...checkpointUpdate, insightsRead };
  const { truncation, ...changed } = detectChanges(mapped.records, page, checkpoint, context);
  if (truncation !== undefined) {
    const job = { stream: stream.name, accountId: account.id };
    context.tools.telemetry.report({ type: 'truncation-suspected', ...job, ...truncation });
  }
  const isLast = page.step !== undefined && page.step.number === page.step.of;
  return { ...mapped, ...changed, isLast };
}
