import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { isNode } from '../core/json.ts';
import { printable } from '../core/printable.ts';
import type { TopicRole } from '../core/stream-name.ts';
import { streamNames, topicName } from '../core/stream-name.ts';
import type { TailedRecord } from '../kafka/open.ts';
import type { ReadValue } from '../registry/open.ts';
import { stoppable } from './exit-codes.ts';
import { loadOfflineConfig } from './load.ts';
import { parseAccounts, parseCount, refuse } from './option-values.ts';
import type { Options } from './own-options.ts';
import { addOwnCommand, settingsOf } from './own-options.ts';
import { openQuietly } from './quiet-adapters.ts';
import { listenForStop } from './stop-signals.ts';
import { parseStart } from './tail-start.ts';
import type { Style } from './terminal.ts';
import { styleFor } from './terminal.ts';

const own = ['fromBeginning', 'fromOffset', 'since', 'follow', 'account', 'key', 'limit', 'json'];

/** Adds `tail`: what a consumer of a stream sees. */
export function addTailCommand(root: Command, end: (code: ExitCode) => void): void {
  addOwnCommand(root, {
    usage: 'tail <stream>',
    about:
      "show a stream's committed records, decoded, as they come; also `state` and `dead_letters`",
    examples: [
      'tail media',
      'tail user_insights --since 2h --account 17841400000000001',
      'tail media --from-beginning --no-follow --json | jq .value.permalink',
      'tail dead_letters --from-offset -10 --no-follow',
    ],
    exits: {
      0: 'stopped as asked, by Ctrl-C too; or with --limit or --no-follow, done',
      3: 'Kafka or the registry refused or is away, or there is no such topic',
      ...stoppable,
    },
    options: (command) =>
      command
        .option('--from-beginning', 'begin with the oldest record')
        .option(
          '--from-offset <number>',
          'begin at this offset; -10: ten before the end, of which each batch takes one more',
        )
        .option('--since <time>', 'begin so long ago, as 2h, or at a time, as 2026-11-01T07:00:00Z')
        .option('--no-follow', 'end at the end, in place of waiting for what is yet to come')
        .option('--account <ids>', 'only records of these accounts, separated by commas')
        .option('--key <key>', 'only records with this key')
        .option('--limit <number>', 'end after so many records')
        .option('--json', 'print JSON lines'),
    settings:
      /^(?:kafka-(?:brokers|client|topic-template|transactional|connection|send|s)|schema-)/,
  }).action(async (stream: string, options: Options) => {
    end(await run(stream, options));
  });
}

async function run(stream: string, options: Options): Promise<ExitCode> {
  const role = parseRole(stream);
  const start = parseStart(options, Date.now());
  const wanted = filterOf(options);
  let left = parseCount('--limit', options['limit']) ?? Infinity;
  const config = loadOfflineConfig(settingsOf(options, own));
  const topic = topicName(config.kafka.topicTemplate, role);
  const json = options['json'] === true;
  const style = styleFor(process.stdout, process.env);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using stack = new AsyncDisposableStack();
  const { registry, kafka } = openQuietly(
    config,
    { roles: ['state'], topics: 'look' },
    stop.signal,
  );
  stack.use(registry);
  stack.use(kafka);
  const take = async (record: TailedRecord): Promise<boolean> => {
    if (!wanted.key(record)) return true;
    const read = await readValue(record, (bytes) => registry.values.read(bytes, stop.signal));
    if (!wanted.account(record, read)) return true;
    const line = json ? jsonLine({ topic, record, read }) : textLine({ record, read }, style);
    process.stdout.write(`${line}\n`);
    left -= 1;
    return left > 0;
  };
  await kafka.tail({ topic, start, take, follow: options['follow'] !== false }, stop.signal);
  return 0;
}

function parseRole(text: string): TopicRole {
  const roles: readonly TopicRole[] = [...streamNames, 'state', 'dead_letters'];
  // The topic is called dead-letters.
  const found = roles.find((role) => role === text.replaceAll('-', '_'));
  return found ?? refuse('stream', `one of ${roles.join(', ')}`, text);
}

function readValue(
  { value }: TailedRecord,
  read: (bytes: Buffer) => Promise<ReadValue>,
): Promise<ReadValue> {
  return value === null ? Promise.resolve({ kind: 'value', value: null }) : read(value);
}

function filterOf(options: Options) {
  const accounts = parseAccounts(options['account']);
  const { key } = options;
  return {
    key: (record: TailedRecord) => key === undefined || record.key === key,
    account: ({ headers }: TailedRecord, read: ReadValue) =>
      accounts === undefined || accounts.includes(headers['account'] ?? accountIn(read)),
  };
}

/** What other programs have written has no headers of ours. */
function accountIn(read: ReadValue): string {
  const value: Json = read.kind === 'value' ? read.value : null;
  const id = isNode(value) ? value['business_account_id'] : undefined;
  return typeof id === 'string' ? id : '';
}

interface Shown {
  readonly record: TailedRecord;
  readonly read: ReadValue;
}

/** A record as a line of JSON, its characters as they are. */
export function jsonLine({ topic, record, read }: Shown & { readonly topic: string }): string {
  const { partition, offset, key, headers } = record;
  const timestamp = new Date(record.timestampMs).toISOString();
  const place = { topic, partition, offset, timestamp, key, headers };
  if (read.kind === 'value') return JSON.stringify({ ...place, value: read.value });
  const bytes = record.value?.toString('base64') ?? '';
  return JSON.stringify({ ...place, unreadable: read.reason, bytes });
}

/** A record as a line for a person. */
export function textLine({ record, read }: Shown, style: Style): string {
  const { partition, offset, key, timestampMs } = record;
  const place = `${new Date(timestampMs).toISOString()} ${partition}@${offset}`;
  return `${style.dim(place)} ${printable(key ?? '(no key)')} ${valueText({ record, read }, style)}`;
}

function valueText({ record, read }: Shown, style: Style): string {
  if (record.value === null) return style.bad('(tombstone)');
  if (read.kind === 'unreadable') return style.bad(`(unreadable: ${printable(read.reason)})`);
  return printable(JSON.stringify(read.value));
}
