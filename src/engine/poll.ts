import { DeadLetterError } from './errors.ts';
import type { FieldRules } from './field-rules.ts';
import { isNode, parseJson } from './json.ts';
import type { Checkpoint } from './state.ts';
import type { Page } from './source.ts';
import { BatchBuilder, type PageResult } from './batch.ts';
import { CallCounter } from './call-counter.ts';
import { detectChanges } from './changes.ts';
import { type MappedPage, mapPage } from './mapping.ts';
import { suppressedBy } from './suppression.ts';
import type { Poll, PollContext, PollTools } from './poll-context.ts';

/**
 * Runs a poll page by page: extract, map, detect changes, encode, publish. Each batch is one
 * transaction. A (stream, account) has at most one poll at a time.
 * @throws every error of the ports; for an unusable response body the dead letter has been
 * committed first
 * @remarks `poll.state` is the last committed state. After the poll it may be ahead of Kafka by
 * checkpoint changes too small for a transaction, which a restart loses without harm.
 */
export async function runPoll(poll: Poll, tools: PollTools, signal: AbortSignal): Promise<void> {
  const batches = new BatchBuilder(poll, tools, signal);
  const calls = new CallCounter({ poll, tools });
  try {
    let isListScanned = false;
    let steps = 0;
    for await (const page of pagesOf(poll, tools, signal)) {
      const result = processPage(page, batches.checkpoint, { poll, tools });
      calls.note(page, result);
      await batches.add(result);
      reportProgress((steps += 1), page, { poll, tools });
      isListScanned ||= page.scanned !== undefined;
    }
    await batches.end();
    // A suspected truncation does not mark the list as published, so the next cycle scans it again.
    if (isListScanned && batches.checkpoint.truncationSuspectedMs === null) {
      tools.source.markListPublished({ ...poll, nowMs: poll.startedMs });
    }
    poll.state = { ...poll.state, ...batches.checkpoint };
    calls.end();
  } catch (error) {
    calls.fail();
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
    changes: poll.changes,
    sleep: (ms) => tools.clock.sleep(ms, signal),
    signal,
  });
}

/** Maximum number of skipped objects listed in a poll's summary. */
const maxListedSkips = 10;
/**
 * The maximum for one reason, so that a frequent one, such as media older than the business
 * account, does not hide the others.
 */
const maxListedSkipsPerReason = 5;

/** Applies a stream's field rules to everything of a page that leaves the program. */
function withRules(rules: FieldRules | undefined, page: MappedPage): MappedPage {
  if (rules === undefined) return page;
  return {
    ...page,
    records: page.records.map(rules.apply),
    rejected: page.rejected.map(rules.redact),
  };
}

/** Removes what suppressed people wrote, with its dead letters, and counts it. */
function withoutSuppressed(page: Page, { poll, tools }: PollContext) {
  const { stream, account, suppressed } = poll;
  if (stream.author === null || suppressed.size === 0) return { page, left: 0 };
  const isSuppressed = suppressedBy(suppressed, stream.author, (name) =>
    tools.suppressionEntry(account.id, name),
  );
  const nodes = page.nodes.filter((node) => !isSuppressed(node));
  const { rejected = [] } = page;
  const kept = rejected.filter(({ raw }) => {
    const part = parseJson(raw);
    return !isNode(part) || !isSuppressed(part);
  });
  const left = page.nodes.length - nodes.length + (rejected.length - kept.length);
  return { page: { ...page, nodes, rejected: kept }, left };
}

/**
 * Maps a page and detects its changes; returns the changed records, the dead letters, and the
 * checkpoint after the page. Lists skipped objects in the poll's tally and reports a suspected
 * truncation.
 */
function processPage(whole: Page, before: Checkpoint, context: PollContext): PageResult {
  const { stream, account, startedMs, tally } = context.poll;
  const { page, left } = withoutSuppressed(whole, context);
  if (page.requested !== undefined) {
    tally.requestedMedia += page.requested.ages.size;
    tally.answeredNodes += page.nodes.length;
  }
  for (const skipped of page.skipped) {
    const sameReason = tally.leftOut.filter(({ reason }) => reason === skipped.reason).length;
    const isListed = tally.leftOut.length < maxListedSkips && sameReason < maxListedSkipsPerReason;
    if (isListed) tally.leftOut.push(skipped);
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
  const suppressed = Array.from({ length: left }, () => 'person.suppressed' as const);
  const { processed = [] } = page;
  return { ...mapped, ...changed, processed, skipped: [...mapped.skipped, ...suppressed], isLast };
}
