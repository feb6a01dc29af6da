import type { LogEntry } from 'kafkajs';
import { logLevel } from './kafkajs.ts';

/** A line of the client's log as it is passed on. */
interface RoutedLine {
  readonly level: 'debug' | 'warn';
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** What kafkajs calls an error or a warning and what is the normal course of things here. */
const normal: readonly RegExp[] = [
  // The markers of the last commit are still being written: every transaction may meet it once.
  /concurrent operation on the same transaction was ongoing/i,
  // Retries are bounded on purpose: a producer that gave up is thrown away.
  /Limiting retries for the idempotent producer/,
  // A broker that has just started, or moves a coordinator; retried.
  /coordinator is (loading|not available)|not the correct coordinator|^Crash: KafkaJSGroupCoordinatorNotFound/i,
  // One line for each try to connect: who gives up in the end says so once.
  /^(Connection error|Connection timeout|Failed to connect)/,
  // Asking whether a topic is there is how one learns that it is not.
  /Response Metadata\(.*does not host this topic-partition/,
  // A group that may not be deleted is dropped by the broker later.
  /Response DeleteGroups\(/,
  // An instance has come or gone: all others join again.
  /The group is rebalancing/,
  // The answer to a request that has timed out.
  /Response without match/,
];

/**
 * Decides the level of one kafkajs log line. Its errors become warnings, because only the code that
 * handles one knows whether it is an error; what is normal becomes debug.
 */
export function routeLine(entry: LogEntry): RoutedLine {
  const { message, ...rest } = entry.log;
  const cause: unknown = rest['error'];
  const text = typeof cause === 'string' ? `${message} ${cause}` : message;
  const loud =
    (entry.level === logLevel.ERROR || entry.level === logLevel.WARN) &&
    !normal.some((pattern) => pattern.test(text));
  const fields = Object.fromEntries(
    Object.entries(rest).filter(([name]) => !['timestamp', 'logger', 'stack'].includes(name)),
  );
  return { level: loud ? 'warn' : 'debug', message, fields };
}
