/** The figures of an ended poll in the program's log. */
export interface PollLine {
  readonly stream: string;
  readonly accountId: string;
  readonly records: number;
  readonly deadLetters: number;
  readonly requests: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly durationMs: number;
}

/** Parses a line of the program's log; undefined for lines other than the end of a poll. */
export function readPollLine(line: string): PollLine | undefined {
  return readEntry(line, 'poll finished') as PollLine | undefined;
}

/** Returns the address of the status page from the line of the log that has it. */
export function readStatusUrl(line: string): string | undefined {
  return (readEntry(line, 'http server listening') as { url: string } | undefined)?.url;
}

/** Parses a line of the log with this message. */
function readEntry(line: string, message: string): object | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof entry !== 'object' || entry === null || !('msg' in entry)) return undefined;
  return entry.msg === message ? entry : undefined;
}

/** Sums of the polls' costs, by stream. */
export interface Spending {
  add(poll: PollLine): void;
  /** True when a poll of the same stream and account was added before. */
  readonly knows: (poll: PollLine) => boolean;
  readonly requestsOf: (stream: string) => number;
}

/** Creates sums of zero. */
export function createSpending(): Spending {
  const spent = new Map<string, number>();
  const polled = new Set<string>();
  return {
    knows: ({ stream, accountId }) => polled.has(`${stream}/${accountId}`),
    add: ({ stream, accountId, requests }) => {
      polled.add(`${stream}/${accountId}`);
      spent.set(stream, (spent.get(stream) ?? 0) + requests);
    },
    requestsOf: (stream) => spent.get(stream) ?? 0,
  };
}

/** Formats a poll, as `12:03:04  stories          17841…  3 records, 1 request`. */
export function describePoll(poll: PollLine, at: Date): string {
  const skipped = Object.entries(poll.skipped).map(([reason, count]) => `${count} × ${reason}`);
  const parts = [
    plural(poll.records, 'record'),
    plural(poll.requests, 'request'),
    ...(poll.deadLetters > 0 ? [plural(poll.deadLetters, 'dead letter')] : []),
    ...(skipped.length > 0 ? [`without ${skipped.join(', ')}`] : []),
  ];
  const time = at.toTimeString().slice(0, 8);
  return `${time}  ${poll.stream.padEnd(22)}  ${poll.accountId}  ${parts.join(', ')}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
