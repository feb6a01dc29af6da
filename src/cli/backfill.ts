import { Option } from 'commander';
import type { Config } from '../config/config.ts';
import { largest, smallest } from '../engine/extremes.ts';
import { nextPollCost } from '../instagram/call-plan.ts';
import { longReachMs } from '../instagram/model/windows.ts';
import { streams } from '../instagram/streams/index.ts';
import { accountIds, type CommandDefinition, type Invocation } from './command.ts';
import { carryOut, type ApplyOptions } from './state/apply.ts';
import { forceMeans, lookback } from './state/command.ts';
import {
  planBackfill,
  readBackfill,
  type Backfill,
  type BackfillOptions,
  type Plan,
} from './state/plan.ts';
import { openStateSession, type StateSession } from './state/session.ts';
import { dayOf } from './text.ts';

export const backfillCommand: CommandDefinition = {
  usage: 'backfill <stream>',
  about:
    'read and publish the days since a date again; a running instance hands its partitions over during the write, then resumes',
  examples: [
    'backfill user_insights --since 2025-01-01',
    'backfill user_insights --since 2025-01-01 --apply',
    'backfill user_daily_totals --since 2026-10-01 --account 17841400000000001 --apply --json',
  ],
  exits: {
    0: 'written; without --apply, shown',
    2: 'bad configuration, stream, date or account; nothing was changed',
    3: 'Kafka or the registry rejected the request or is unavailable, or an instance did not hand its partitions over; nothing was changed',
  },
  options: [
    new Option(
      '--since <date>',
      `a day (midnight UTC), the day so long ago (30d), or a time with its offset; ${lookback}`,
    ).makeOptionMandatory(),
    [
      '--account <ids>',
      'only these accounts, separated by commas; they need not have a state',
      accountIds,
    ],
    ['--apply', 'write the plan; without it, the plan is only shown'],
    ['--force', forceMeans],
    ['--json', 'print the plan as JSON, with whole states'],
  ],
  settings: /^(?:kafka|schema-registry|polling-instance|instagram-login$)/,
  run: backfill,
};

async function backfill({
  args,
  options,
  settings,
}: Invocation<BackfillOptions & ApplyOptions>): Promise<0> {
  const request = readBackfill(args[0] ?? '', options, Date.now());
  await using session = await openStateSession(settings, 'fail');
  const writtenBy = `backfill on ${session.instance}`;
  const plan = (current: StateSession): Plan => {
    const planned = planBackfill(current, request, { writtenBy, nowMs: Date.now() });
    const costs = describeCost(planned, request, session.config);
    return { ...planned, notes: [...planned.notes, ...costs] };
  };
  return await carryOut(session, plan, { ...options, handOver: true });
}

/** Describes the calls that the next poll takes, and the API's two-year limit. */
function describeCost(
  { writes }: Plan,
  { stream, sinceMs }: Backfill,
  { polling: { lookbackMs }, instagram: { startDateMs } }: Config,
): readonly string[] {
  const nowMs = Date.now();
  const costs = writes.flatMap(({ after }) => {
    const limits = { nowMs, lookbackMs, startDateMs };
    return after === null ? [] : (nextPollCost(streams[stream].request, after, limits) ?? []);
  });
  if (costs.length === 0) return [];
  const calls = costs.map((cost) => cost.calls);
  const [least, most] = [smallest(calls), largest(calls)];
  const from = smallest(costs.map(({ fromMs }) => fromMs ?? nowMs));
  const cost =
    `The next poll reads from ${dayOf(from)} on (POLLING_LOOKBACK included) and takes ` +
    `${least === most ? most : `${least} to ${most}`} calls of each account.`;
  const oldestMs = nowMs - longReachMs;
  if (sinceMs >= oldestMs) return [cost];
  return [`The API has two years: it begins with ${dayOf(oldestMs)}.`, cost];
}
