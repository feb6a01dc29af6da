import type { Account, Login } from '../core/account.ts';
import type { ErrorCode } from '../core/errors.ts';
import { DeadLetterError } from '../core/errors.ts';
import type { StreamState } from '../core/state.ts';
import type { Stream } from '../core/stream.ts';
import { extract } from './extract.ts';
import type { Page } from './extraction.ts';
import { assemble } from './batch.ts';
import type { Gathered } from './batch.ts';
import { mapPage } from './mapping.ts';
import type { Clock, Encoder, Graph, Publisher } from './ports.ts';

/** What a poll works with; the same for all. */
export interface PollTools {
  readonly graph: Graph;
  readonly encoder: Encoder;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly settings: {
    readonly login: Login;
    readonly startDateMs: number | null;
    readonly lookbackMs: number;
    readonly pageSize: number;
    readonly maxBatchRecords: number;
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
  state: StreamState;
  readonly published: Set<string>;
  readonly tally: Tally;
}

/** What a poll brought so far. */
export interface Tally {
  records: number;
  deadLetters: number;
  requests: number;
  readonly skipped: Partial<Record<ErrorCode, number>>;
  readonly unknownFields: Set<string>;
}

/**
 * Extract, map, settle, encode, publish: page by page, a transaction a batch.
 *
 * @throws whatever the ports throw; a body that cannot be used is in the dead letters by then
 * @remarks `poll.state` is always the last state committed. Never two at once for one (stream, account).
 */
export async function runPoll(poll: Poll, tools: PollTools, signal: AbortSignal): Promise<void> {
  const batch = assemble(poll, tools, signal);
  try {
    for await (const page of pagesOf(poll, tools, signal)) {
      await batch.add(gather(page, poll, tools));
    }
    await batch.flush();
  } catch (error) {
    if (error instanceof DeadLetterError) await batch.bury(error);
    throw error;
  }
}

function pagesOf(poll: Poll, tools: PollTools, signal: AbortSignal) {
  const { login, startDateMs, lookbackMs, pageSize } = tools.settings;
  return extract(poll.stream, {
    graph: counted(tools.graph, poll.tally),
    account: poll.account,
    login,
    memory: poll.state,
    nowMs: poll.startedMs,
    startDateMs,
    lookbackMs,
    pageSize,
    signal,
  });
}

function counted(graph: Graph, tally: Tally): Graph {
  return {
    get(request, signal) {
      tally.requests += 1;
      return graph.get(request, signal);
    },
  };
}

/** A page's nodes as the records worth publishing, its dead letters, and the memory after it. */
function gather(page: Page, poll: Poll, tools: PollTools): Gathered {
  const origin = { account: poll.account, polledAtMs: poll.startedMs };
  const mapped = mapPage(poll.stream, page, origin);
  const context = {
    memory: poll.state,
    nowMs: poll.startedMs,
    lookbackMs: tools.settings.lookbackMs,
    coveredUntilMs: page.coveredUntilMs,
  };
  const settled = poll.stream.settle?.(mapped.records, context);
  return {
    records: settled?.records ?? mapped.records,
    refused: mapped.refused,
    skipped: mapped.skipped,
    unknown: mapped.unknown,
    memory: settled?.memory ?? poll.state,
  };
}
