import type { Once } from '../app.ts';
import type { Config } from '../config/config.ts';
import { isConnectorError, type ExitCode } from '../engine/errors.ts';
import { printable, printableLines } from '../engine/printable.ts';
import type { PolledJob } from '../engine/once.ts';
import type { Telemetry } from '../engine/ports.ts';
import { option, stoppable, untilStopped, type CommandDefinition, type Given } from './command.ts';
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

/** `once`: polls every enabled stream of every account once; 3 when one of them failed. */
export const onceCommand: CommandDefinition = {
  usage: 'once',
  about: 'poll every enabled stream once and exit; logs to standard output',
  examples: [
    'once',
    'once --config instagram.json --strict',
    'once --streams media,media_insights --json > summary.json',
  ],
  exits: {
    0: 'every poll succeeded, or stopped as asked',
    1: 'an error within the program, or a stop that took too long',
    3: 'a poll failed, or something outside refused or stayed away',
    4: 'with --strict: every poll succeeded, but something was dead-lettered or skipped',
    ...stoppable,
  },
  options: [
    option('--strict', 'end with 4 when something was dead-lettered or skipped'),
    option('--json', 'print a JSON summary; the log goes to standard error'),
  ],
  run: once,
};

/** Whether anything but the failure of a poll is a failure. */
export interface Strictness {
  readonly strict?: boolean;
}

function once({ options, settings }: Given<Strictness>): Promise<ExitCode> {
  const config = quietOnTerminal(loadCommandConfig(settings));
  return untilStopped(config.polling.shutdownGraceMs, async (signal) => {
    const { json = false } = options;
    const tally = createOnceTally();
    const startedMs = performance.now();
    const went = await pollAll(config, { tally, json }, signal);
    const summary = tally.summary(went, Math.round(performance.now() - startedMs));
    const exitCode = conclude(went, summary, options);
    if (json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
    return exitCode;
  });
}

/** Tells a person how the polls went, and says how to end. */
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

/** Polls, and closes the program: what closing logs comes before the outcome. */
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

/** Who is told of each poll as it ends need not read it in the log as well. */
function quietOnTerminal(config: Config): Config {
  const isWatched = process.stdout.isTTY && process.stderr.isTTY && config.log.level === 'info';
  return isWatched ? { ...config, log: { ...config.log, level: 'warn' } } : config;
}

/** Counts, and tells a person at a terminal how far it is. */
export function watch(tally: OnceTally, style: Style): Telemetry {
  return {
    report(event) {
      tally.report(event);
      const told = style.isLive ? describeProgress(event) : undefined;
      if (told === undefined) return;
      const line = printable(told);
      const words = event.type === 'poll-finished' ? style.good : style.dim;
      process.stderr.write(`${event.type === 'poll-failed' ? style.bad(line) : words(line)}\n`);
    },
  };
}

/** One line per failure; that of a token, or of another registry, is one failure, whatever it stops. */
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
