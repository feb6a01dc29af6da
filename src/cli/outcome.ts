import { type ExitCode, isConnectorError } from '../engine/errors.ts';

/** Returns the exit code of an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!isConnectorError(error)) return 1;
  return error.disposition === 'stop-process' ? error.exitCode : 3;
}

/** Formats an error for a person: code and message; the stack only for a bug. */
export function describeError(error: unknown): string {
  if (isConnectorError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
