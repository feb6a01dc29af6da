import { STREAM_NAMES } from '../integration/end-to-end/expected-records.ts';
import type { Log, Logged } from './checker/logged.ts';
import type { DecodedRecord, LogReader } from './log/log-reader.ts';

/** The key of the restore markers, by which a new owner proves that its read is complete. */
const restoreMarkerKey = 'fence';

/** What has been read so far, as the checker looks at it. */
export function readLog(reader: LogReader, topicOf: (role: string) => string): Log {
  const read = (role: string) => reader.records(topicOf(role)).map(loggedOf);
  return {
    streams: new Map(STREAM_NAMES.map((stream) => [stream, read(stream)])),
    comments: read('comments'),
    states: read('state').filter(({ key }) => key !== restoreMarkerKey),
    deadLetters: read('dead_letters'),
  };
}

function loggedOf(record: DecodedRecord): Logged {
  const { stream = '', account = '', poll } = record.headers;
  return {
    offset: record.offset,
    partition: record.partition,
    key: record.key?.toString() ?? '',
    value: record.decoded,
    owner: `${stream}/${account}`,
    poll,
    producer: record.producer,
    sentMs: record.timestampMs,
    committedMs: record.committedMs,
  };
}
