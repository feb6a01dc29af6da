import { recordKey } from '../src/engine/key.ts';
import { topicName } from '../src/engine/stream-name.ts';
import type { PlannedCalls } from '../src/instagram/call-plan.ts';
import { isStreamName, type InstagramStreamName, streams } from '../src/instagram/streams/index.ts';
import type { InstagramStream } from '../src/instagram/streams/stream.ts';
import { readSchema } from '../src/registry/schemas.ts';
import { examples } from '../test/conformance/examples/index.ts';
import { account } from '../test/support/accounts.ts';
import { number, planOf, usual } from './cost-tables.ts';
import { defaultConfig } from './default-config.ts';

/** Renders the most records and bytes that an account adds to the topic of each stream in a day. */
export function renderGrowth(): string {
  const rows = planOf(usual, 'all').flatMap((planned) => {
    const { stream } = planned;
    const records = mostRecords(planned);
    if (records === null || !isStreamName(stream.name)) return [];
    const bytes = bytesOf(stream.name);
    const topic = topicName('instagram.{stream}', stream.name);
    const kilobytes = Math.ceil((records * bytes) / 1000);
    const megabytes = Math.ceil((kilobytes * daysAYear) / 1000);
    const cells = [`\`${topic}\``, ...[records, bytes, kilobytes, megabytes].map(number)];
    return [`| ${cells.join(' | ')} |`];
  });
  return [
    '| Topic | Records a day at most | Bytes of a record | kB a day at most | MB a year at most |',
    '|---|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
}

const { polling, instagram } = defaultConfig();
const dayMs = 86_400_000;
const daysAYear = 365;
/** The days of which a poll of daily values can publish changes. */
const openDays = Math.ceil((polling.lookbackMs + 2 * dayMs) / dayMs);

type Request = InstagramStream['request'];

/** The records of a day by kind of request; kinds whose records others decide about are missing. */
const recordsByKind: {
  readonly [K in Request['kind']]?: (
    request: Extract<Request, { kind: K }>,
    plan: Pick<PlannedCalls, 'polls' | 'day'>,
  ) => number;
} = {
  object: (_request, { polls }) => polls,
  breakdowns: (_request, { day }) => day,
  series: (_request, { polls }) => polls * openDays,
  totals: ({ requests }, { day }) => day / requests.length,
  insights: ({ edge }, { polls, day }) => (edge === 'stories' ? usual.stories * polls : day),
  list: ({ edge }, { polls, day }) =>
    edge === 'stories' ? usual.stories * polls : day * instagram.pageSize,
};

/** Returns the records when every value changes between two polls; null where others decide it. */
function mostRecords({ stream, ...plan }: PlannedCalls): number | null {
  const { request, author } = stream;
  if (author !== null) return null;
  const recordsOf = recordsByKind[request.kind] as (typeof recordsByKind)['object'];
  return recordsOf?.(request as Extract<Request, { kind: 'object' }>, plan) ?? null;
}

/** Returns the bytes of the stream's example: value, key and headers, without compression. */
function bytesOf(name: InstagramStreamName): number {
  const stream = streams[name];
  const mapped = stream.toRecord(examples[name].node, { account, polledAtMs });
  if (mapped.kind !== 'record') throw new Error(`no record of the example of ${name}`);
  const value = readSchema(name).type.toBuffer(mapped.record);
  const poll = `${name}/${account.id}/${new Date(polledAtMs).toISOString()}`;
  const headers = ['stream', name, 'account', account.id, 'poll', poll, 'schema', '100'];
  const texts = [recordKey(stream.key, mapped.record), ...headers];
  return wirePrefixBytes + value.length + texts.reduce((sum, text) => sum + text.length, 0);
}

const polledAtMs = Date.UTC(2026, 5, 15, 12);
/** The zero byte and the schema's id before each value. */
const wirePrefixBytes = 5;
