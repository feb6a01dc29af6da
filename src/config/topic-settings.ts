import { choice, flag, format, type EntryFormat, type Format, text } from './formats.ts';

/** The texts of values that another format accepts; Kafka takes every value as a text. */
function asText(inner: Format<unknown>): Format<string> {
  return format(inner.expected, (raw, nowMs) =>
    inner.parse(raw, nowMs) === undefined ? undefined : String(raw),
  );
}

function integer(min: bigint, because = ''): Format<string> {
  return format(`a whole number from ${min}${because}`, (raw) => {
    const digits = typeof raw === 'number' && Number.isSafeInteger(raw) ? String(raw) : raw;
    if (typeof digits !== 'string' || !/^(?:0|-?[1-9]\d{0,18})$/.test(digits)) return undefined;
    return BigInt(digits) >= min ? digits : undefined;
  });
}

const ratio = format('a number from 0 to 1, such as 0.1', (raw) => {
  const words = typeof raw === 'number' ? String(raw) : raw;
  const isRatio = typeof words === 'string' && /^(?:0(?:\.\d+)?|1(?:\.0+)?)$/.test(words);
  return isRatio ? words : undefined;
});

const count = integer(0n);
const countOrNone = integer(-1n);
const yesOrNo = asText(flag);
const line = text('a text of visible characters', /^[\x21-\x7e]{1,1000}$/);

/** Below this size, an album of twenty media with their signed URLs would be dead-lettered. */
const leastMessageBytes = 65_536n;

const never = format('false: an unclean leader loses committed records for ever', (raw) =>
  raw === false || raw === 'false' ? 'false' : undefined,
);

/** Kafka's topic settings, those of 3.0 to 4.1 (its documentation, read 2026-11). */
const topicSettings: Readonly<Record<string, Format<string>>> = {
  'cleanup.policy': choice(['delete', 'compact', 'compact,delete', 'delete,compact']),
  'compression.gzip.level': countOrNone,
  'compression.lz4.level': count,
  'compression.type': choice(['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd']),
  'compression.zstd.level': integer(-131_072n),
  'delete.retention.ms': count,
  'file.delete.delay.ms': count,
  'flush.messages': integer(1n),
  'flush.ms': count,
  'follower.replication.throttled.replicas': line,
  'index.interval.bytes': count,
  'leader.replication.throttled.replicas': line,
  'local.retention.bytes': integer(-2n),
  'local.retention.ms': integer(-2n),
  'max.compaction.lag.ms': integer(1n),
  'max.message.bytes': integer(leastMessageBytes, ': larger records become dead letters'),
  'message.downconversion.enable': yesOrNo,
  'message.timestamp.after.max.ms': count,
  'message.timestamp.before.max.ms': count,
  'message.timestamp.difference.max.ms': count,
  'message.timestamp.type': choice(['CreateTime', 'LogAppendTime']),
  'min.cleanable.dirty.ratio': ratio,
  'min.compaction.lag.ms': count,
  'min.insync.replicas': integer(1n),
  preallocate: yesOrNo,
  'remote.copy.disable': yesOrNo,
  'remote.log.delete.on.disable': yesOrNo,
  'remote.storage.enable': yesOrNo,
  'retention.bytes': countOrNone,
  'retention.ms': countOrNone,
  'segment.bytes': integer(14n),
  'segment.index.bytes': integer(4n),
  'segment.jitter.ms': count,
  'segment.ms': integer(1n),
  'unclean.leader.election.enable': never,
};

/** Settings that only the brokers of these vendors know; the broker verifies their names. */
const ofVendor = /^(?:confluent|redpanda)\.[a-z][a-z0-9.]{0,200}$/;

const known = Object.keys(topicSettings);

/** Topic settings of Kafka by name; in a variable's name, underscores stand for the dots. */
const entries: EntryFormat = {
  placeholder: 'SETTING',
  noun: 'a topic setting of Kafka, such as retention.ms',
  known,
  nameOf: (suffix) => suffix.toLowerCase().replaceAll('_', '.'),
  formatOf: (name) => {
    if (Object.hasOwn(topicSettings, name)) return topicSettings[name];
    return ofVendor.test(name) ? line : undefined;
  },
};

export const topicConfigs: Format<Readonly<Record<string, string>>, ''> = {
  ...format('topic settings of Kafka by name, such as retention.ms=604800000', (raw) =>
    raw === null ? {} : (raw as Readonly<Record<string, string>>),
  ),
  entries,
};
