import type { Config } from '../config/config.ts';
import { topicName } from '../engine/stream-name.ts';
import { type RequestCost, requestCost } from '../instagram/call-plan.ts';
import { streamNames, streams } from '../instagram/streams/index.ts';
import { print, type CommandDefinition } from './command.ts';
import { loadCommandConfig } from './context.ts';
import { asTable, durationText } from './text.ts';

export const streamsCommand: CommandDefinition = {
  usage: 'streams',
  about: 'list the streams: topic, key, schema subject, interval, and what a poll costs',
  examples: ['streams', 'streams --streams all', 'streams --json'],
  exits: { 0: 'printed' },
  options: [['--json', 'print a JSON list']],
  isInstant: true,
  settings: /^(?:streams$|stream-|kafka-topic-template$|instagram-login$)/,
  run({ options, settings }) {
    const rows = rowsOf(loadCommandConfig(settings, []));
    const table = rows.map(({ stream, enabled, topic, key, subject, interval, cost }) => {
      return [stream, enabled ? 'yes' : 'no', topic, key, subject, interval, describeCost(cost)];
    });
    const header = ['STREAM', 'ENABLED', 'TOPIC', 'KEY', 'SUBJECT', 'INTERVAL', 'CALLS AT MOST'];
    print(options.json, { text: () => asTable([header, ...table]), json: () => rows });
    return 0;
  },
};

/** Returns the rows by priority, the order in which a short quota is spent. */
function rowsOf(config: Config) {
  return streamNames.map((name) => {
    const { key, mode, doc, request } = streams[name];
    const { enabled, intervalMs, schedule } = config.streams[name];
    const topic = topicName(config.kafka.topicTemplate, name);
    return {
      stream: name,
      topic,
      key: key.join('/'),
      subject: `${topic}-value`,
      mode,
      enabled,
      interval: schedule ?? durationText(intervalMs),
      interval_ms: schedule === null ? intervalMs : null,
      cost: requestCost(request),
      doc,
    };
  });
}

/** Formats a cost for a person, as `4 per window of 30 days`. */
export function describeCost({ calls, per, list }: RequestCost): string {
  return `${calls} per ${per}${list ? ', plus the list' : ''}`;
}
