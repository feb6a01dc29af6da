import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import { requestCost } from '../core/request-cost.ts';
import { longReachMs, maxWindowMs } from '../core/windows.ts';
import { streams } from '../streams/index.ts';
import { stoppable } from './exit-codes.ts';
import { loadCommandConfig } from './load.ts';
import { parseAccounts } from './option-values.ts';
import type { Options } from './own-options.ts';
import { addOwnCommand, settingsOf } from './own-options.ts';
import { carryOut } from './state/apply.ts';
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
        .requiredOption('--since <date>', 'a day (midnight UTC) or a time with its offset')
        .option('--account <ids>', 'only these accounts, separated by commas, with a state or not')
        .option('--apply', 'write it; without, only what would change is shown')
        .option('--force', 'take the state away from an instance that does not hand it over')
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
  const config = loadCommandConfig(settingsOf(options, own), ['kafka', 'registry']);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using session = await openStateSession(config, 'refuse', stop.signal);
  const writtenBy = `backfill on ${session.instance}`;
  const plan = (at: StateSession): Plan => {
    const made = planBackfill(at, wanted, { writtenBy, nowMs: Date.now() });
    return { ...made, notes: [...made.notes, ...describeCost(made, wanted)] };
  };
  return await carryOut(session, plan, {
    apply: options['apply'] === true,
    force: options['force'] === true,
    asks: true,
    json: options['json'] === true,
  });
}

const dayMs = 86_400_000;

/** What it takes of the quota, and where the API's memory ends. */
function describeCost({ writes }: Plan, { stream, sinceMs }: Backfill): readonly string[] {
  if (writes.length === 0) return [];
  const oldestMs = Date.now() - longReachMs;
  const { source } = streams[stream];
  const { calls } = requestCost(source);
  const spanMs = source.kind === 'series' ? maxWindowMs : dayMs;
  const spans = Math.ceil((Date.now() - Math.max(sinceMs, oldestMs)) / spanMs);
  const cost = `It takes about ${spans * calls} calls of each account.`;
  if (sinceMs >= oldestMs) return [cost];
  const oldest = new Date(oldestMs).toISOString().slice(0, 10);
  return [`The API has two years: it begins with ${oldest}.`, cost];
}
