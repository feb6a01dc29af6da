import type { Config } from '../config/config.ts';
import type { AccountPolling } from '../engine/account.ts';
import { topicName } from '../engine/stream-name.ts';
import { type RequestCost, requestCost } from '../instagram/call-plan.ts';
import { streamNames, streams } from '../instagram/streams/index.ts';
import { print, type CommandDefinition } from './command.ts';
import { loadCommandConfig } from './context.ts';
import { requestedStream } from '../source-settings.ts';
import { asTable, durationText } from './text.ts';

export const streamsCommand: CommandDefinition = {
  usage: 'streams',
  about: 'list the streams: topic, key, schema subject, interval, and what a poll costs',
  examples: ['streams', 'streams --streams all', 'streams --json'],
  exits: { 0: 'printed' },
  options: [['--json', 'print a JSON list']],
  isInstant: true,
  settings:
    /^(?:streams$|stream-|kafka-(?:topic-template|key-format)$|instagram-(?:login|account-settings)$)/,
  run({ options, settings }) {
    const config = loadCommandConfig(settings, []);
    const rows = rowsOf(config);
    const table = rows.map(({ stream, enabled, topic, key, subject, interval, cost }) => {
      return [stream, enabled ? 'yes' : 'no', topic, key, subject, interval, describeCost(cost)];
    });
    const header = ['STREAM', 'ENABLED', 'TOPIC', 'KEY', 'SUBJECT', 'INTERVAL', 'CALLS AT MOST'];
    const text = () => `${asTable([header, ...table])}${accountsText(config)}`;
    print(options.json, { text, json: () => rows });
    return 0;
  },
};

/** Lists the streams and intervals of the accounts that have their own; empty without any. */
function accountsText({ accountPolling }: Config): string {
  const rows = Object.entries(accountPolling.byAccount).map(([name, polling]) => [
    name,
    describePolling(polling),
  ]);
  return rows.length === 0 ? '' : `\n${asTable([['ACCOUNT', 'STREAMS'], ...rows])}`;
}

/** Formats the streams of an account with its own intervals, as `users, media every 1h`. */
export function describePolling({ streams: names, intervalsMs }: AccountPolling): string {
  const described = names.map((name) => {
    const ms = intervalsMs[name];
    return ms === undefined ? name : `${name} every ${durationText(ms)}`;
  });
  return described.join(', ');
}

/** Returns the rows by priority, the order in which a short quota is spent. */
function rowsOf(config: Config) {
  const { byAccount, others } = config.accountPolling;
  return streamNames.map((name) => {
    const { key, mode, doc } = streams[name];
    const { intervalMs, schedule } = config.streams[name];
    const topic = topicName(config.kafka.topicTemplate, name);
    return {
      stream: name,
      topic,
      key: key.join('/'),
      subject: `${topic}-value`,
      key_subject: config.kafka.keyFormat === 'avro' ? `${topic}-key` : null,
      mode,
      enabled: others.streams.includes(name),
      interval: schedule ?? durationText(intervalMs),
      interval_ms: schedule === null ? intervalMs : null,
      accounts: Object.entries(byAccount).map(([account, { streams: own, intervalsMs }]) => ({
        account,
        enabled: own.includes(name),
        interval_ms: intervalsMs[name] ?? null,
      })),
      cost: requestCost(requestedStream(config, name).request),
      doc,
    };
  });
}

/** Formats a cost for a person, as `4 per window of 30 days`. */
export function describeCost({ calls, per, list }: RequestCost): string {
  return `${calls} per ${per}${list ? ', plus the list' : ''}`;
}
