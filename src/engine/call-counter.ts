import type { PageResult } from './batch.ts';
import { callResults } from './call-results.ts';
import type { PollContext } from './poll-context.ts';
import type { TelemetryEvent } from './ports.ts';
import type { Page } from './source.ts';

type EventOfCalls = Extract<TelemetryEvent, { type: 'calls' }>;

/** The counter of a try's calls, which reports them page by page. */
export class CallCounter {
  readonly #context: PollContext;
  /** The calls of the poll that were reported, or made before this try. */
  #reported: number;

  constructor(context: PollContext) {
    this.#context = context;
    this.#reported = context.poll.tally.calls;
  }

  /** Reports the calls for a page. Those that scan a list count for the page that they lead to. */
  note({ nodes, requested }: Page, { records, gone }: PageResult): void {
    const isEmpty = nodes.length === 0 && gone.length === 0 && requested === undefined;
    if (isEmpty) return;
    const calls = this.#calls();
    const { impressions: field } = this.#context.poll.stream;
    const counted = field === null ? undefined : records.at(-1)?.[field];
    const impressions = typeof counted === 'number' ? counted : null;
    const results = callResults({ calls, requested, records, gone: gone.length });
    this.#report({ calls, results, impressions });
  }

  /** Reports the calls that led to no page. */
  end(): void {
    const calls = this.#calls();
    const results = callResults({ calls, requested: undefined, records: [], gone: 0 });
    this.#report({ calls, results, impressions: null });
  }

  /** Reports the calls since the last page; a failed try does not show what they would find. */
  fail(): void {
    this.#report({ calls: this.#calls(), results: {}, impressions: null });
  }

  #calls(): number {
    const calls = this.#context.poll.tally.calls - this.#reported;
    this.#reported += calls;
    return calls;
  }

  #report(counted: Pick<EventOfCalls, 'calls' | 'results' | 'impressions'>): void {
    if (counted.calls === 0) return;
    const { stream, account } = this.#context.poll;
    const { telemetry } = this.#context.tools;
    telemetry.report({ type: 'calls', stream: stream.name, accountId: account.id, ...counted });
  }
}
