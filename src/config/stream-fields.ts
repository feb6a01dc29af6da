import { publishModes } from '../engine/change-set.ts';
import { maskedText } from '../engine/field-rules.ts';
import { streamNames, streams } from '../instagram/streams/index.ts';
import { type InstagramStream, optInMetrics } from '../instagram/streams/stream.ts';
import { cronExpression } from './calendar.ts';
import { choice, duration, list, optional, text } from './formats.ts';
import { streams as streamList } from './named-formats.ts';
import { setting } from './setting.ts';
import { topicConfigs } from './topic-settings.ts';

/** The times that the timestamp of a record can be. */
export const recordTimestamps = ['publish', 'event'] as const;

const fieldPaths = list(
  text('the path of a field, such as caption or owner.id', /^[\w.[\]-]{1,100}$/),
);

/** The fields of a stream; `publish` where it may meet an unchanged record again. */
function fieldsOf(stream: InstagramStream) {
  const { name, publish, eventTime, limit } = stream;
  const extra = optInMetrics(stream);
  const through = limit === undefined ? 'for each account' : 'through one account, for all';
  return {
    interval: setting(duration('1s'), `How often \`${name}\` is polled ${through}.`),
    schedule: setting(
      optional(cronExpression),
      `The times at which \`${name}\` is polled, in \`POLLING_TIME_ZONE\`, in place of the interval. A time at which no instance runs is made up for at the next start.`,
    ),
    ...(publish && {
      publish: setting(
        choice(publishModes),
        '`changes`: only records that differ from the last one published for their key, signatures of URLs aside. `always`: every record of every poll.',
      ),
    }),
    ...(eventTime !== null && {
      recordTimestamp: setting(
        optional(choice(recordTimestamps)),
        `The timestamp of the records of \`${name}\`; \`event\` is \`${eventTime}\`. Not set: that of \`KAFKA_RECORD_TIMESTAMP\`.`,
      ),
    }),
    ...(extra.size > 0 && {
      extra: setting(
        list(choice([...extra.keys()])),
        `Metrics of \`${name}\` to request in addition, each at up to one more call whenever a media is read: ${describeExtra(extra)}. A metric that a media rejects is null, and is not requested of it for a week.`,
      ),
    }),
    topic: setting(
      topicConfigs,
      `Settings of the topic of \`${name}\`, by Kafka's names: \`STREAM_${name.toUpperCase()}_TOPIC_RETENTION_MS=604800000\` sets \`retention.ms\`. They are those of a created topic; an existing topic that differs is reported.`,
    ),
    exclude: setting(fieldPaths, `Fields of \`${name}\` that become null.`),
    mask: setting(fieldPaths, `Text fields of \`${name}\` that become \`${maskedText}\`.`),
    hash: setting(fieldPaths, `Text fields of \`${name}\` that become a keyed hash.`),
  };
}

function describeExtra(extra: ReturnType<typeof optInMetrics>): string {
  const described = [...extra].map(([field, { breakdown, login, product }]) => {
    const limits = [
      ...(product === undefined ? [] : [`only of ${product}`]),
      ...(login === undefined ? [] : [`only with \`INSTAGRAM_LOGIN=${login}\``]),
      ...(breakdown === undefined ? [] : ['only when its total has changed']),
    ];
    return `\`${field}\`${limits.length === 0 ? '' : ` (${limits.join(', ')})`}`;
  });
  return described.join(', ');
}

/** The fields of the streams: the choice of streams, and those of each. */
export const streamFields = {
  enabled: setting(
    streamList,
    'The streams to poll, exactly these. `default` stands for those that are polled when this is empty, `all` for every one that the login has: `default,user_daily_totals` adds one to the default streams.',
  ),
  ...Object.fromEntries(streamNames.map((name) => [name, fieldsOf(streams[name])])),
};
