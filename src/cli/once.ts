import type { Config } from '../config/config.ts';
import { isConnectorError, type ExitCode } from '../engine/errors.ts';
import { printable, printableLines } from '../engine/printable.ts';
import type { Once, PolledJob } from '../engine/once.ts';
import type { Telemetry } from '../engine/ports.ts';
import {
  option,
  stoppable,
  untilStopped,
  type CommandDefinition,
  type Invocation,
} from './command.ts';
import { loadCommandConfig, openApp } from './load.ts';
import {
  type OnceSummary,
  type OnceTally,
  createOnceTally,
  describeLeftOut,
  describeProgress,
  describeSummary,
  isSpotless,
} from './once-report.ts';
import { describeError } from './outcome.ts';
import { type Style, styleFor } from './terminal.ts';

/** The `once` command: polls every enabled stream of every account once; 3 when a poll failed. */
export const onceCommand: CommandDefinition = {
  usage: 'once',
  about: 'poll every enabled stream once and exit; logs to standard output',
  examples: [
    'once',
    'once --config instagram.json --strict',
    'once --streams media,media_insights --json > summary.json',
  ],
  exits: {
    0: 'every poll succeeded, or stopped by SIGTERM or SIGINT',
    1: 'an error within the program, or a stop that took too long',
    3: 'a poll failed, or Kafka, the registry or the API refused or was unavailable',
    4: 'with --strict: every poll succeeded, but something was dead-lettered or skipped',
    ...stoppable,
  },
  options: [
    option('--strict', 'end with 4 when something was dead-lettered or skipped'),
    option('--json', 'print a JSON summary; the log goes to standard error'),
  ],
  run: once,
};

/** Options that turn more than failed polls into a failure. */
export interface Strictness {
  readonly strict?: boolean;
}

function once({ options, settings }: Invocation<Strictness>): Promise<ExitCode> {
  const config = quietOnTerminal(loadCommandConfig(settings));
  return untilStopped(config.polling.shutdownGraceMs, async (signal) => {
    const { json = false } = options;
    const tally = createOnceTally();
    const startedMs = performance.now();
    const result = await pollAll(config, { tally, json }, signal);
    const summary = tally.summary(result, Math.round(performance.now() - startedMs));
    const exitCode = conclude(result, summary, options);
    if (json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
    return exitCode;
  });
}

/** Prints the result of the polls and returns the exit code. */
export function conclude(
  { polled, problems, warnings }: Once,
  summary: OnceSummary,
  { strict = false }: Strictness,
): ExitCode {
  const lines = [
    ...warnings,
    ...describeLeftOut(summary),
    ...problems,
    ...describeFailures(polled),
    describeSummary(summary),
  ];
  for (const line of lines) process.stderr.write(`${printableLines(line)}\n`);
  if (!summary.ok) return 3;
  return strict && !isSpotless(summary) ? 4 : 0;
}

/** Polls, then closes the program, so that its last log lines precede the result. */
async function pollAll(
  config: Config,
  { tally, json }: { readonly tally: OnceTally; readonly json: boolean },
  signal: AbortSignal,
): Promise<Once> {
  await using app = openApp(config, {
    observer: watch(tally, styleFor(process.stderr, process.env)),
    ...(json && { logDestination: process.stderr }),
  });
  return await app.once(signal);
}

/** Raises the log level to warn where the terminal shows each poll already. */
function quietOnTerminal(config: Config): Config {
  const isWatched = process.stdout.isTTY && process.stderr.isTTY && config.log.level === 'info';
  return isWatched ? { ...config, log: { ...config.log, level: 'warn' } } : config;
}

/** Counts events, and shows progress on a terminal. */
export function watch(tally: OnceTally, style: Style): Telemetry {
  return {
    report(event) {
      tally.report(event);
      const text = style.isLive ? describeProgress(event) : undefined;
      if (text === undefined) return;
      const line = printable(text);
      const paint = event.type === 'poll-finished' ? style.good : style.dim;
      process.stderr.write(`${event.type === 'poll-failed' ? style.bad(line) : paint(line)}\n`);
    },
  };
}

/**
 * Formats one line per failure; an error of a token or of a foreign registry counts once for all
 * its streams.
 */
function describeFailures(polled: readonly PolledJob[]): readonly string[] {
  const failures = polled.filter(({ outcome }) => outcome.kind !== 'done');
  const lines = failures.map(({ job, outcome }) => {
    const why = 'error' in outcome ? describeError(outcome.error) : '';
    if ('error' in outcome && isOfAll(outcome.error)) return why;
    const where = outcome.kind === 'stop-account' ? '' : `${job.stream.name} of `;
    return `${where}account ${job.account.id}: ${why}`;
  });
  return [...new Set(lines)];
}

function isOfAll(error: unknown): boolean {
  return isConnectorError(error) && error.code === 'registry.mismatch';
}
