import { type ExitCode, isConnectorError } from '../engine/errors.ts';

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!isConnectorError(error)) return 1;
  return error.disposition === 'stop-process' ? error.exitCode : 3;
}

/** What a person reads of an error: its code and message; the stack only of a bug. */
export function describeError(error: unknown): string {
  if (isConnectorError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
