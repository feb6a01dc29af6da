import type { LogEntry } from 'kafkajs';
import { logLevel } from './kafkajs.ts';

/** A forwarded line of the client's log. */
interface RoutedLine {
  readonly level: 'debug' | 'warn';
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** Lines that kafkajs logs as errors or warnings although they are normal here. */
const normalLines: readonly RegExp[] = [
  // The broker still writes the markers of the last commit: every transaction may meet this once.
  /concurrent operation on the same transaction was ongoing/i,
  // Retries are bounded on purpose: a failed producer is discarded.
  /Limiting retries for the idempotent producer/,
  // A broker has just started or moves a coordinator; retried.
  /coordinator is (loading|not available)|not the correct coordinator|^Crash: KafkaJSGroupCoordinatorNotFound/i,
  // One line per attempt to connect: the caller that finally fails reports it once.
  /^(Connection error|Connection timeout|Failed to connect)/,
  // The normal answer to a request for the metadata of a missing topic.
  /Response Metadata\(.*does not host this topic-partition/,
  // The broker later removes a group that may not be deleted.
  /Response DeleteGroups\(/,
  // An instance joined or left: all others rejoin.
  /The group is rebalancing/,
  // The answer to a request that has timed out.
  /Response without match/,
];

/**
 * Decides the level of one kafkajs log line. Errors become warnings, because only the code that handles
 * an error knows its severity; normal lines become debug.
 */
export function routeLine(entry: LogEntry): RoutedLine {
  const { message, ...rest } = entry.log;
  const cause: unknown = rest['error'];
  const text = typeof cause === 'string' ? `${message} ${cause}` : message;
  const isWarning =
    (entry.level === logLevel.ERROR || entry.level === logLevel.WARN) &&
    !normalLines.some((pattern) => pattern.test(text));
  const fields = Object.fromEntries(
    Object.entries(rest).filter(([name]) => !['timestamp', 'logger', 'stack'].includes(name)),
  );
  return { level: isWarning ? 'warn' : 'debug', message, fields };
}
