import type { ExitCode } from '../core/errors.ts';
import type { Ending } from '../runtime/once.ts';
import type { ConfigArguments } from './load.ts';
import { loadCommandConfig, openApp } from './load.ts';
import { describeError } from './outcome.ts';
import { listenForStop } from './stop-signals.ts';

/** `once`: polls every enabled stream of every account once; 3 when one of them failed. */
export async function once(args: ConfigArguments): Promise<ExitCode> {
  const config = loadCommandConfig(args);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using app = openApp(config);
  try {
    const { endings, problems } = await app.once(stop.signal);
    const failures = endings.filter(({ verdict }) => verdict.kind !== 'done');
    for (const line of [...problems, ...describeFailures(failures)]) {
      process.stderr.write(`${line}\n`);
    }
    return failures.length + problems.length === 0 ? 0 : 3;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return 0;
  }
}

/** One line per failure; a token's trouble is one trouble, whatever it stops. */
function describeFailures(failures: readonly Ending[]): readonly string[] {
  const lines = failures.map(({ job, verdict }) => {
    const why = 'error' in verdict ? describeError(verdict.error) : '';
    const where = verdict.kind === 'stop-account' ? '' : `${job.stream.name} of `;
    return `${where}account ${job.account.id}: ${why}`;
  });
  return [...new Set(lines)];
}
