import { readFile } from 'node:fs/promises';
import type { App } from '../app.ts';
import { type ConfigSources, type ReadConfig, readConfig } from '../config/load.ts';
import { streamNames } from '../instagram/streams/index.ts';
import { slept, systemClock } from '../engine/clock.ts';
import type { Clock } from '../engine/ports.ts';

/** The parts of the program that a changed configuration file affects. */
type LiveTarget = Pick<App, 'log' | 'setAccounts' | 'setInterval'>;

interface WatchTools {
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly readText?: (path: string) => Promise<string>;
}

/** The file is polled, because Kubernetes swaps its folder, which a file watch does not report. */
const pollEveryMs = 2000;

/**
 * Polls the file of `--config` until aborted. Applies changes of intervals, the log level and the
 * account list; reports that other fields need a restart; ignores an invalid file. Never rejects.
 */
export async function watchConfigFile(
  { configFile, ...sources }: ConfigSources,
  target: LiveTarget,
  { signal, clock = systemClock, readText = (path) => readFile(path, 'utf8') }: WatchTools,
): Promise<void> {
  if (configFile === undefined) return;
  const apply = createApplier(() => readConfig({ configFile, ...sources }), sources.env, target);
  let seen: string | null | undefined;
  while (await slept(pollEveryMs, clock, signal)) {
    const text = await readText(configFile).catch(() => null);
    if (text === seen) continue;
    seen = text;
    apply();
  }
}

/** Compares the configuration with the previous one and applies the fields that may change. */
function createApplier(
  read: () => ReadConfig,
  env: NodeJS.ProcessEnv,
  { log, setAccounts, setInterval }: LiveTarget,
): () => void {
  const live = new Map<string, (value: unknown) => void>();
  live.set('log.level', (level) => {
    log.setLevel(String(level));
  });
  live.set('instagram.accounts', (ids) => {
    setAccounts(ids as readonly string[]);
  });
  for (const name of streamNames) {
    live.set(`streams.${name}.interval`, (ms) => {
      setInterval(name, Number(ms));
    });
  }
  const started = shownValues(read(), env);
  let current = started;
  let reported = '';
  return () => {
    const config = read();
    if (config.problems.length > 0) {
      log.error({ problems: config.problems }, 'configuration file invalid');
      return;
    }
    const values = shownValues(config, env);
    const changed = pathsThatDiffer(current, values).filter((path) => live.has(path));
    for (const path of changed) live.get(path)?.(values.get(path));
    current = values;
    if (changed.length > 0) log.info({ fields: changed }, 'configuration changed');
    const restart = pathsThatDiffer(started, values).filter((path) => !live.has(path));
    if (restart.length > 0 && restart.join() !== reported) {
      log.warn({ fields: restart }, 'configuration needs a restart');
    }
    reported = restart.join();
  };
}

/** Omits the secrets of separate files, which change independently of this file. */
function shownValues(
  { settings, values }: ReadConfig,
  env: NodeJS.ProcessEnv,
): ReadonlyMap<string, unknown> {
  const own = settings.filter((setting) => env[`${setting.env}_FILE`] === undefined);
  return new Map(own.map(({ path }) => [path, values.get(path)]));
}

function pathsThatDiffer(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): readonly string[] {
  return [...after.keys()].filter(
    (path) => JSON.stringify(before.get(path)) !== JSON.stringify(after.get(path)),
  );
}
