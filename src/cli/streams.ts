import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import type { ExitCode } from '../core/errors.ts';
import { describeCost, requestCost } from '../core/request-cost.ts';
import type { RequestCost } from '../core/request-cost.ts';
import { topicName } from '../core/stream-name.ts';
import { streams } from '../streams/index.ts';
import { durationText } from './duration.ts';
import { loadCommandConfig } from './load.ts';
import { addOwnCommand, settingsOf } from './own-options.ts';
import type { Options } from './own-options.ts';
import { asTable } from './table.ts';

/** Adds `streams`: what there is, with this configuration's topics and intervals. */
export function addStreamsCommand(root: Command, end: (code: ExitCode) => void): void {
  addOwnCommand(root, {
    usage: 'streams',
    about: 'list the streams: topic, key, schema subject, interval, and what a poll costs',
    examples: ['streams', 'streams --streams all', 'streams --json'],
    exits: { 0: 'printed' },
    options: (command) => command.option('--json', 'print a JSON list'),
    settings: /^(?:streams$|stream-|kafka-topic-template$|instagram-login$)/,
  }).action((options: Options) => {
    const config = loadCommandConfig(settingsOf(options, ['json']), []);
    process.stdout.write(listStreams(config, options['json'] === true));
    end(0);
  });
}

interface Row {
  readonly stream: string;
  readonly topic: string;
  readonly key: string;
  readonly subject: string;
  readonly mode: 'full' | 'incremental';
  readonly enabled: boolean;
  readonly interval: string;
  readonly interval_ms: number;
  readonly cost: RequestCost;
  readonly doc: string;
}

/** A line a stream in the order in which a short quota is spent, or a JSON list. */
function listStreams(config: Config, json: boolean): string {
  const rows = Object.values(streams).map((stream): Row => {
    const { name, key, mode, doc, source } = stream;
    const { enabled, intervalMs } = config.streams[name];
    const topic = topicName(config.kafka.topicTemplate, name);
    return {
      stream: name,
      topic,
      key: key.join('/'),
      subject: `${topic}-value`,
      mode,
      enabled,
      interval: durationText(intervalMs),
      interval_ms: intervalMs,
      cost: requestCost(source),
      doc,
    };
  });
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  return asTable([
    ['STREAM', 'ENABLED', 'TOPIC', 'KEY', 'SUBJECT', 'INTERVAL', 'CALLS AT MOST'],
    ...rows.map(({ stream, enabled, topic, key, subject, interval, cost }) => {
      return [stream, enabled ? 'yes' : 'no', topic, key, subject, interval, describeCost(cost)];
    }),
  ]);
}
