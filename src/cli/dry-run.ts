import type { Config } from '../config/config.ts';
import type { ExitCode } from '../engine/errors.ts';
import { printable } from '../engine/printable.ts';
import {
  type StreamName,
  type TopicRole,
  isStreamName,
  streamNames,
  topicName,
} from '../engine/stream-name.ts';
import { type LocalCodec, openLocalCodec } from '../registry/index.ts';
import { dryRun, type Once } from '../engine/once.ts';
import type { OutgoingRecord, Telemetry } from '../engine/ports.ts';
import { streams } from '../instagram/streams/index.ts';
import * as commands from './command.ts';
import type { CommandDefinition, Invocation } from './command.ts';
import { loadCommandConfig, openReader } from './load.ts';
import { conclude, watch, type Strictness } from './once.ts';
import { createOnceTally } from './once-report.ts';
import { styleFor } from './terminal.ts';

const { accountIds, count, option, stoppable, untilStopped, usage } = commands;

/** The `dry-run` command: polls without Kafka and the registry. */
export const dryRunCommand: CommandDefinition = {
  usage: 'dry-run [streams...]',
  about:
    'fetch, map and encode as if nothing had been published yet, and print the records as JSON lines; publishes nothing, needs no Kafka and no registry',
  examples: [
    'dry-run',
    'dry-run media media_insights --limit 5',
    'dry-run user_insights --account 17841400000000001 | jq .value',
  ],
  exits: {
    0: 'every poll succeeded, or stopped by SIGTERM or SIGINT',
    3: 'a poll failed, or the API refused or was unavailable',
    4: 'with --strict: every poll succeeded, but something would be dead-lettered or was skipped',
    ...stoppable,
  },
  options: [
    option('--account <ids>', 'only these accounts, separated by commas', accountIds),
    option(
      '--limit <number>',
      'print at most this many records per stream and account',
      count('--limit'),
    ),
    option('--strict', 'end with 4 when something would be dead-lettered or was skipped'),
    option(
      '--json',
      'do not escape control characters on a terminal; the output is JSON lines anyway',
    ),
  ],
  settings: /^(?:instagram|streams$|stream-|polling|log|kafka-(?:topic-template|max-batch|tomb))/,
  run,
};

interface DryRunOptions extends Strictness {
  readonly account?: readonly string[];
  readonly limit?: number;
}

/** A line of its output. */
interface RecordLine {
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: unknown;
}

function run({ args, options, settings }: Invocation<DryRunOptions>): Promise<ExitCode> {
  const { account, limit = Infinity, json = false } = options;
  const named = args.map(parseName);
  const config = narrowed(loadCommandConfig(settings, ['token']), account);
  const chosen = named.length > 0 ? named : enabled(config);
  return untilStopped(config.polling.shutdownGraceMs, async (signal) => {
    const startedMs = performance.now();
    const tally = createOnceTally();
    const job = { config, chosen, limit, isForPeople: process.stdout.isTTY && !json };
    const observer = watch(tally, styleFor(process.stderr, process.env));
    const result = await show(job, observer, signal);
    const summary = tally.summary(result, Math.round(performance.now() - startedMs));
    return conclude(result, summary, options);
  });
}

interface DryRunJob {
  readonly config: Config;
  readonly chosen: readonly StreamName[];
  readonly limit: number;
  /** True when a terminal shows the records: control characters are escaped then. */
  readonly isForPeople: boolean;
}

async function show(
  { config, chosen, limit, isForPeople }: DryRunJob,
  observer: Telemetry,
  signal: AbortSignal,
): Promise<Once> {
  const codec = openLocalCodec([...chosen, 'dead_letters']);
  await using reader = openReader(config, codec.encoder, {
    observer,
    logDestination: process.stderr,
  });
  const { tools, directory } = reader;
  const print = (record: OutgoingRecord): void => {
    process.stdout.write(outputLine(lineOf(record, codec, config), isForPeople));
  };
  const { settings } = tools;
  const maxBatchRecords = Math.min(settings.maxBatchRecords, limit);
  return await dryRun(
    {
      directory,
      limit,
      show: print,
      streams: chosen.map((name) => streams[name]),
      deadlineMs: tools.clock.nowMs() + config.polling.onceTimeoutMs,
    },
    { ...tools, settings: { ...settings, maxBatchRecords } },
    signal,
  );
}

/** Formats a record as a line of JSON; for a terminal, unprintable characters are escaped. */
export function outputLine(line: RecordLine, isForPeople: boolean): string {
  const json = JSON.stringify(line);
  return `${isForPeople ? printable(json) : json}\n`;
}

function lineOf(
  { role, key, headers, value }: OutgoingRecord,
  codec: LocalCodec,
  { kafka }: Config,
): RecordLine {
  // Only a registry assigns schema ids.
  const known = Object.entries(headers).filter(([name]) => name !== 'schema');
  return {
    topic: topicName(kafka.topicTemplate, role satisfies TopicRole),
    key,
    headers: Object.fromEntries(known),
    value: value === null ? null : codec.toJson(role, value),
  };
}

function enabled(config: Config): readonly StreamName[] {
  return streamNames.filter((name) => config.streams[name].enabled);
}

/** Limits the accounts, and the log to warnings, because progress is shown separately. */
function narrowed(config: Config, accounts = config.instagram.accounts): Config {
  const level = config.log.level === 'info' ? 'warn' : config.log.level;
  return {
    ...config,
    log: { ...config.log, level },
    instagram: { ...config.instagram, accounts },
  };
}

function parseName(text: string): StreamName {
  if (isStreamName(text)) return text;
  throw usage(`stream "${text}": expected one of ${streamNames.join(', ')}`);
}
