import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { Config } from '../config/config.ts';
import { nextPollCost } from '../core/request-cost.ts';
import { longReachMs } from '../core/windows.ts';
import { streams } from '../streams/index.ts';
import { stoppable } from './exit-codes.ts';
import { loadOfflineConfig } from './load.ts';
import { parseAccounts } from './option-values.ts';
import type { Options } from './own-options.ts';
import { addOwnCommand, settingsOf } from './own-options.ts';
import { carryOut } from './state/apply.ts';
import { forceMeans, lookback } from './state/command.ts';
import type { Backfill, Plan } from './state/plan.ts';
import { planBackfill, readBackfill } from './state/plan.ts';
import type { StateSession } from './state/session.ts';
import { openStateSession } from './state/session.ts';
import { listenForStop } from './stop-signals.ts';

const own = ['since', 'account', 'apply', 'force', 'json'];

/** Adds `backfill`. */
export function addBackfillCommand(root: Command, end: (code: ExitCode) => void): void {
  addOwnCommand(root, {
    usage: 'backfill <stream>',
    about:
      'have the days since a date read and published again; a running instance hands its state over for a moment, and goes on from there',
    examples: [
      'backfill user_insights --since 2025-01-01',
      'backfill user_insights --since 2025-01-01 --apply',
      'backfill user_daily_totals --since 2026-10-01 --account 17841400000000001 --apply --json',
    ],
    exits: {
      0: 'written, or shown what would be',
      2: 'bad configuration, stream, date or account; nothing was changed',
      3: 'Kafka or the registry refused or is away, or an instance did not hand its state over; nothing was changed',
      ...stoppable,
    },
    options: (command) =>
      command
        .requiredOption(
          '--since <date>',
          `a day (midnight UTC) or a time with its offset; ${lookback}`,
        )
        .option('--account <ids>', 'only these accounts, separated by commas, with a state or not')
        .option('--apply', 'write it; without, only what would change is shown')
        .option('--force', forceMeans)
        .option('--json', 'print the plan as JSON, with whole states'),
    settings: /^(?:kafka|schema-registry|polling-instance|instagram-login)/,
  }).action(async (stream: string, options: Options) => {
    process.stdout.write(await backfill(stream, options));
    end(0);
  });
}

async function backfill(stream: string, options: Options): Promise<string> {
  const accounts = parseAccounts(options['account']);
  const since = String(options['since']);
  const wanted = readBackfill(stream, { since, accounts }, Date.now());
  const config = loadOfflineConfig(settingsOf(options, own));
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using session = await openStateSession(config, 'refuse', stop.signal);
  const writtenBy = `backfill on ${session.instance}`;
  const plan = (at: StateSession): Plan => {
    const made = planBackfill(at, wanted, { writtenBy, nowMs: Date.now() });
    return { ...made, notes: [...made.notes, ...describeCost(made, wanted, config)] };
  };
  return await carryOut(session, plan, {
    apply: options['apply'] === true,
    force: options['force'] === true,
    asks: true,
    json: options['json'] === true,
  });
}

/** What it takes of the quota, and where the API's memory ends. */
function describeCost(
  { writes }: Plan,
  { stream, sinceMs }: Backfill,
  { polling: { lookbackMs }, instagram: { startDateMs } }: Config,
): readonly string[] {
  const nowMs = Date.now();
  const costs = writes.flatMap(({ change: { after } }) => {
    const at = { nowMs, lookbackMs, startDateMs };
    return after === null ? [] : (nextPollCost(streams[stream].source, after, at) ?? []);
  });
  if (costs.length === 0) return [];
  const calls = costs.map((cost) => cost.calls);
  const [least, most] = [Math.min(...calls), Math.max(...calls)];
  const from = Math.min(...costs.map(({ fromMs }) => fromMs ?? nowMs));
  const cost =
    `The next poll reads from ${dayOf(from)} on (POLLING_LOOKBACK included) and takes ` +
    `${least === most ? most : `${least} to ${most}`} calls of each account.`;
  const oldestMs = nowMs - longReachMs;
  if (sinceMs >= oldestMs) return [cost];
  return [`The API has two years: it begins with ${dayOf(oldestMs)}.`, cost];
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
