import type { Config } from '../config/config.ts';
import type { Checkpoint } from '../engine/state.ts';
import { topicName } from '../engine/stream-name.ts';
import { planDays } from '../instagram/model/daily-totals.ts';
import { requestableFrom } from '../instagram/model/missing.ts';
import { maxWindowMs, planWindows, type WindowPlan } from '../instagram/model/windows.ts';
import { streamNames, streams } from '../instagram/streams/index.ts';
import type { StreamRequest } from '../instagram/streams/stream.ts';
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

/** The most calls that a stream makes, without requests that are repeated after a rejection. */
export interface RequestCost {
  /** Calls as Meta counts them. */
  readonly calls: number;
  /** The unit of `calls`, such as `window of 30 days`. */
  readonly per: string;
  /** True when the list of media or stories is scanned as well: one call a page. */
  readonly list: boolean;
}

const dayMs = 86_400_000;

export function requestCost(request: StreamRequest): RequestCost {
  const plain = (calls: number, per: string) => ({ calls, per, list: false });
  switch (request.kind) {
    case 'object':
      return plain(1, 'account');
    case 'list':
    case 'children':
      return plain(1, 'page');
    case 'insights':
      return { calls: request.parts === undefined ? 1 : 2, per: 'due media', list: true };
    case 'comments':
      return { calls: 1, per: 'media whose comments_count changed', list: true };
    case 'series':
      return plain(request.requests.length, `window of ${maxWindowMs / dayMs} days`);
    case 'totals':
      return plain(request.requests.length, 'day');
    case 'breakdowns':
      return plain(request.breakdowns.length, 'poll');
  }
}

/**
 * Returns the calls of a stream's next poll, and the start of the first day or window that it
 * requests, null for none. Undefined for a stream without days.
 */
export function nextPollCost(
  request: StreamRequest,
  checkpoint: Checkpoint,
  limits: Pick<WindowPlan, 'nowMs' | 'lookbackMs' | 'startDateMs'>,
): { readonly calls: number; readonly fromMs: number | null } | undefined {
  if (request.kind !== 'series' && request.kind !== 'totals') return undefined;
  const { cursorMs, coveredUntilMs } = checkpoint;
  const names = request.requests.flatMap(({ metrics }) => Object.values(metrics));
  const missingFromMs = requestableFrom(checkpoint, names, limits.nowMs);
  const plan = { ...limits, cursorMs, coveredUntilMs, missingFromMs };
  if (request.kind === 'totals') {
    const days = planDays(plan);
    return { calls: days.length * request.requests.length, fromMs: days[0]?.startMs ?? null };
  }
  const windows = planWindows(plan);
  const made = windows.flatMap(({ recent }) =>
    request.requests.filter(
      ({ metrics, recentOnly }) =>
        recent || Object.keys(metrics).some((metric) => !recentOnly.includes(metric)),
    ),
  );
  return { calls: made.length, fromMs: windows[0]?.sinceMs ?? null };
}

/** Formats a cost for a person, as `4 per window of 30 days`. */
export function describeCost({ calls, per, list }: RequestCost): string {
  return `${calls} per ${per}${list ? ', plus the list' : ''}`;
}
