import type { Config } from '../config/config.ts';
import { parseDuration } from '../config/formats.ts';
import type { ExitCode } from '../engine/errors.ts';
import { isNode, type Json } from '../engine/json.ts';
import { printable } from '../engine/printable.ts';
import { isShared, topicName, type TopicRole } from '../engine/stream-name.ts';
import { streamNames } from '../instagram/streams/index.ts';
import type { TailedRecord, TailStart } from '../kafka/index.ts';
import { type ReadKey, type ReadValue, schemaIdOf } from '../registry/index.ts';
import {
  accountIds,
  parseLimit,
  parseTime,
  reject,
  usage,
  type CommandDefinition,
  type Invocation,
} from './command.ts';
import { loadCommandConfig } from './context.ts';
import { openQuietly } from './open-quietly.ts';
import { listenForStop } from './stop-signals.ts';
import { styleFor, type Style } from './text.ts';

export const tailCommand: CommandDefinition = {
  usage: 'tail <stream>',
  about:
    "show a stream's committed records, decoded, as they come; also `state`, `dead_letters` and `notifications`",
  examples: [
    'tail media',
    'tail user_insights --since 2h --account 17841400000000001',
    'tail media --from-beginning --no-follow --json | jq .value.permalink',
    'tail dead_letters --from-offset -10 --no-follow',
    'tail state --from-beginning --no-follow --json | jq .schema_id | sort | uniq -c',
  ],
  exits: {
    0: 'stopped by SIGTERM or SIGINT (Ctrl-C), or finished with --limit or --no-follow',
    3: 'Kafka or the registry rejected the request or is unavailable, or the topic does not exist',
  },
  options: [
    ['--from-beginning', 'begin with the oldest record'],
    [
      '--from-offset <number>',
      'begin at this offset; -10: ten offsets before the end (each transaction also takes one offset)',
      parseOffset,
    ],
    ['--since <time>', 'begin this long ago (2h) or at a time (2026-11-01T07:00:00Z)'],
    ['--no-follow', 'end at the current end of the topic'],
    [
      '--account <ids>',
      'only records of these accounts, separated by commas; one where each account has its own topics',
      accountIds,
    ],
    ['--key <key>', 'only records with this key'],
    ['--limit <number>', 'end after this many records', parseLimit],
    ['--json', 'print JSON lines'],
  ],
  settings: /^(?:kafka-(?:brokers|client|topic-template|transactional|connection|send|s)|schema-)/,
  run,
};

interface TailOptions {
  readonly fromBeginning?: boolean;
  readonly fromOffset?: bigint;
  readonly since?: string;
  readonly follow: boolean;
  readonly account?: readonly string[];
  readonly key?: string;
  readonly limit?: number;
}

async function run({ args, options, settings }: Invocation<TailOptions>): Promise<ExitCode> {
  const role = parseRole(args[0] ?? '');
  const start = startOf(options, Date.now());
  const { account: accounts, key, follow, json = false } = options;
  let { limit: left = Infinity } = options;
  const config = loadCommandConfig(settings, ['kafka', 'registry']);
  const topic = topicOf(role, config.kafka, accounts);
  const style = styleFor(process.stdout, process.env);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  const { signal } = stop;
  await using stack = new AsyncDisposableStack();
  const topics = { roles: ['state'], topics: 'look' } as const;
  const { registry, kafka } = openQuietly(stack, config, topics, signal);
  const take = async (record: TailedRecord): Promise<boolean> => {
    const readKey = record.key && (await registry.values.readKey(record.key, signal));
    if (key !== undefined && readKey?.text !== key) return true;
    const read: ReadValue =
      record.value === null
        ? { kind: 'value', value: null }
        : await registry.values.read(record.value, signal);
    const shown = { record, key: readKey, read };
    if (accounts !== undefined && !accounts.includes(accountOf(record, read))) return true;
    const line = json ? jsonLine({ topic, ...shown }) : textLine(shown, style);
    process.stdout.write(`${line}\n`);
    left -= 1;
    return left > 0;
  };
  await kafka.tail({ topic, start, take, follow }, signal);
  return 0;
}

/** @throws StopProcessError `config.invalid` unless it is known which account's topic is meant */
export function topicOf(
  role: TopicRole,
  { topicTemplate }: Pick<Config['kafka'], 'topicTemplate'>,
  accounts: readonly string[] = [],
): string {
  const [account] = accounts;
  if (isShared(topicTemplate, role)) return topicName(topicTemplate, role);
  if (account !== undefined && accounts.length === 1) {
    return topicName(topicTemplate, role, account);
  }
  throw usage(
    `tail: expected one --account, because KAFKA_TOPIC_TEMPLATE is ${topicTemplate}: each account has its own topic`,
  );
}

/** @throws StopProcessError `config.invalid` for several positions or an invalid one */
export function startOf(options: Partial<TailOptions>, nowMs: number): TailStart {
  const { fromBeginning, fromOffset, since } = options;
  const set = [fromBeginning, fromOffset, since].filter((value) => value !== undefined);
  if (set.length > 1) {
    throw usage('tail: expected one of --from-beginning, --from-offset and --since');
  }
  if (fromBeginning === true) return { kind: 'beginning' };
  if (fromOffset !== undefined) return { kind: 'offset', offset: fromOffset };
  if (since !== undefined) return { kind: 'since', ms: parseSince(since, nowMs) };
  return { kind: 'end' };
}

/** @throws StopProcessError `config.invalid` */
export function parseOffset(text: string): bigint {
  if (/^-?\d{1,18}$/.test(text)) return BigInt(text);
  const expected = 'a whole number, such as 1200, or -10 for ten before the end';
  return reject('--from-offset', expected, text);
}

function parseSince(text: string, nowMs: number): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined) return Math.max(0, nowMs - durationMs);
  const expected =
    'how long ago, such as 2h, a day such as 2026-11-01 or a time such as 2026-11-01T07:00:00Z';
  return parseTime(text) ?? reject('--since', expected, text);
}

function parseRole(text: string): TopicRole {
  const roles: readonly TopicRole[] = [...streamNames, 'state', 'dead_letters', 'notifications'];
  // The topic's own name has a hyphen: dead-letters.
  const found = roles.find((role) => role === text.replaceAll('-', '_'));
  return found ?? reject('stream', `one of ${roles.join(', ')}`, text);
}

/** Records of other programs lack this program's headers. */
function accountOf({ headers }: TailedRecord, read: ReadValue): string {
  const value: Json = read.kind === 'value' ? read.value : null;
  const id = isNode(value) ? value['business_account_id'] : undefined;
  return headers['account'] ?? (typeof id === 'string' ? id : '');
}

interface ShownRecord {
  readonly record: TailedRecord;
  readonly key: ReadKey | null;
  readonly read: ReadValue;
}

/** Formats a record as a line of JSON, its characters unescaped. */
export function jsonLine({ topic, record, key, read }: ShownRecord & { topic: string }): string {
  const { partition, offset, headers } = record;
  const timestamp = new Date(record.timestampMs).toISOString();
  const shownKey = key?.fields ?? key?.text ?? null;
  const ids = { schema_id: schemaIdOf(record.value), key_schema_id: schemaIdOf(record.key) };
  const place = { topic, partition, offset, timestamp, key: shownKey, headers, ...ids };
  if (read.kind === 'value') return JSON.stringify({ ...place, value: read.value });
  const bytes = record.value?.toString('base64') ?? '';
  return JSON.stringify({ ...place, unreadable: read.reason, bytes });
}

export function textLine(shown: ShownRecord, style: Style): string {
  const { partition, offset, timestampMs } = shown.record;
  const place = `${new Date(timestampMs).toISOString()} ${partition}@${offset}`;
  return `${style.dim(place)} ${printable(shown.key?.text ?? '(no key)')} ${valueText(shown, style)}`;
}

function valueText({ record, read }: ShownRecord, style: Style): string {
  if (record.value === null) return style.bad('(tombstone)');
  if (read.kind === 'unreadable') return style.bad(`(unreadable: ${printable(read.reason)})`);
  return printable(JSON.stringify(read.value));
}
