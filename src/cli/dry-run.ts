import { type AppOptions, openReading } from '../app.ts';
import { type Config, enabledStreams, keyFields } from '../config/config.ts';
import type { ExitCode } from '../engine/errors.ts';
import { type DryRun, dryRun, type Once } from '../engine/once.ts';
import type { Encoder, OutgoingRecord } from '../engine/ports.ts';
import { printable } from '../engine/printable.ts';
import { topicName } from '../engine/stream-name.ts';
import { type InstagramStreamName, isStreamName, streamNames } from '../instagram/streams/index.ts';
import { type LocalCodec, openLocalCodec } from '../registry/index.ts';
import {
  accountIds,
  parseLimit,
  reject,
  untilStopped,
  type CommandDefinition,
  type Invocation,
} from './command.ts';
import { loadCommandConfig, thisInstance, withQuietLog } from './context.ts';
import { pollAndReport } from './once-report.ts';
import { requestedStream } from '../source-settings.ts';

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
    3: 'a poll failed, or the API rejected a request or was unavailable',
    4: 'with --strict: every poll succeeded, but something would be dead-lettered or was skipped',
  },
  options: [
    ['--account <ids>', 'only these accounts, separated by commas', accountIds],
    ['--limit <number>', 'print at most this many records per stream and account', parseLimit],
    ['--strict', 'end with 4 when something would be dead-lettered or was skipped'],
    ['--json', 'do not escape control characters on a terminal; the output is JSON lines anyway'],
  ],
  settings:
    /^(?:instagram|streams$|stream-|polling|log|kafka-(?:topic-template|key-format|max-batch|tomb))/,
  run,
};

interface DryRunOptions {
  readonly strict?: boolean;
  readonly account?: readonly string[];
  readonly limit?: number;
}

function run({ args, options, settings }: Invocation<DryRunOptions>): Promise<ExitCode> {
  const { account, limit = Infinity, json = false, strict } = options;
  const { config, chosen } = chooseReading(loadCommandConfig(settings, ['token']), args, account);
  const isForPeople = process.stdout.isTTY && !json;
  const codec = openLocalCodec([...chosen, 'dead_letters'], keyFields(config));
  const show = (record: OutgoingRecord): void => {
    process.stdout.write(outputLine(lineOf(record, codec, config), isForPeople));
  };
  const read = { config, chosen, limit, show, encoder: codec.encoder };
  return untilStopped(config.polling.shutdownGraceMs, async (signal) => {
    const { exitCode } = await pollAndReport((observer) => readOnce(read, { observer }, signal), {
      strict,
    });
    return exitCode;
  });
}

/** The configuration and the streams of a command that reads the named streams and accounts. */
export function chooseReading(
  loaded: Config,
  names: readonly string[],
  account: readonly string[] | undefined,
) {
  const named = names.map(parseName);
  const { instagram, accountPolling } = loaded;
  const config = withQuietLog({
    ...loaded,
    instagram: {
      ...instagram,
      ...(account !== undefined && {
        accounts: account,
        accountsExclude: [],
        settingNames: { ...instagram.settingNames, accounts: '--account' },
      }),
    },
    // Streams that are named are read of every account that they are read through.
    accountPolling:
      named.length > 0
        ? { byAccount: {}, others: { ...accountPolling.others, streams: named } }
        : accountPolling,
  });
  return { config, chosen: named.length > 0 ? named : enabledStreams(config) };
}

interface OnceReading extends Pick<DryRun, 'limit' | 'show'> {
  readonly config: Config;
  readonly chosen: readonly InstagramStreamName[];
  readonly encoder: Encoder;
}

/** Reads the chosen streams of every account once, and publishes nothing. */
export async function readOnce(
  { config, chosen, encoder, limit, show }: OnceReading,
  options: Pick<AppOptions, 'observer' | 'onExchange'>,
  signal: AbortSignal,
): Promise<Once> {
  const appOptions = { ...thisInstance(), ...options, logDestination: process.stderr };
  await using reading = openReading(config, appOptions, encoder);
  const { tools, directory } = reading;
  const maxBatchRecords = Math.min(tools.settings.maxBatchRecords, limit);
  const deadlineMs = tools.clock.nowMs() + config.polling.onceTimeoutMs;
  const streams = chosen.map((name) => requestedStream(config, name));
  return await dryRun(
    { directory, limit, show, streams, deadlineMs },
    { ...tools, settings: { ...tools.settings, maxBatchRecords } },
    signal,
  );
}

/** Formats a record as a line of JSON; for a terminal, unprintable characters are escaped. */
export function outputLine(line: object, isForPeople: boolean): string {
  const json = JSON.stringify(line);
  return `${isForPeople ? printable(json) : json}\n`;
}

function lineOf(record: OutgoingRecord, codec: LocalCodec, { kafka }: Config) {
  const { role, key, keyBytes, headers, value } = record;
  // Only a registry assigns schema ids.
  const known = Object.entries(headers).filter(([name]) => name !== 'schema');
  return {
    topic: topicName(kafka.topicTemplate, role, headers['account']),
    key: keyBytes === undefined ? key : codec.keyToJson(role, keyBytes),
    headers: Object.fromEntries(known),
    value: value === null ? null : codec.toJson(role, value),
  };
}

function parseName(text: string): InstagramStreamName {
  return isStreamName(text) ? text : reject('stream', `one of ${streamNames.join(', ')}`, text);
}
