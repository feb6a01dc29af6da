import { readFile } from 'node:fs/promises';
import type { App } from '../app.ts';
import { type ConfigSources, type ReadConfig, readConfig } from '../config/load.ts';
import { streamNames } from '../engine/stream-name.ts';
import { systemClock } from '../engine/clock.ts';
import type { Clock } from '../engine/ports.ts';

/** What is changed while the program runs. */
export type LiveTarget = Pick<App, 'log' | 'setAccounts' | 'setInterval'>;

/** What the file is watched with; the platform's own unless given. */
interface WatchTools {
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly readText?: (path: string) => Promise<string>;
}

const readUtf8 = (path: string): Promise<string> => readFile(path, 'utf8');

const accountsPath = 'instagram.accounts';

/** Kubernetes swaps the folder of a file, which no watch of the file would see; so it is read. */
const lookEveryMs = 2000;

/**
 * Reads the file of `--config` again and again until aborted. Intervals, the log level and
 * the list of accounts are taken over; of other fields it is said that they need a restart, and a file that is wrong changes nothing.
 * Never rejects.
 */
export async function watchConfigFile(
  { configFile, ...sources }: ConfigSources,
  target: LiveTarget,
  { signal, clock = systemClock, readText = readUtf8 }: WatchTools,
): Promise<void> {
  if (configFile === undefined) return;
  const adopt = createAdoption(() => readConfig({ configFile, ...sources }), sources.env, target);
  let seen: string | null | undefined;
  while (await slept()) {
    const text = await readText(configFile).catch(() => null);
    if (text === seen) continue;
    seen = text;
    adopt();
  }

  async function slept(): Promise<boolean> {
    return await clock.sleep(lookEveryMs, signal).then(
      () => true,
      () => false,
    );
  }
}

/** Compares what the sources say with what they said, and takes over what may be. */
function createAdoption(
  read: () => ReadConfig,
  env: NodeJS.ProcessEnv,
  { log, setAccounts, setInterval }: LiveTarget,
): () => void {
  const started = shownValues(read(), env);
  let current = started;
  let waiting = '';
  return () => {
    const found = read();
    if (found.problems.length > 0) {
      log.error({ problems: found.problems }, 'configuration file of no use');
      return;
    }
    const values = shownValues(found, env);
    const changed = pathsThatDiffer(current, values).filter(isLive);
    for (const path of changed) takeOver(path, values.get(path));
    current = values;
    if (changed.length > 0) log.info({ fields: changed }, 'configuration changed');
    const restart = pathsThatDiffer(started, values).filter((path) => !isLive(path));
    if (restart.length > 0 && restart.join() !== waiting) {
      log.warn({ fields: restart }, 'configuration needs a restart');
    }
    waiting = restart.join();
  };

  function takeOver(path: string, value: unknown): void {
    if (path === 'log.level') log.setLevel(String(value));
    else if (path === accountsPath) setAccounts(value as readonly string[]);
    else {
      const stream = streamOf(path);
      if (stream !== undefined) setInterval(stream, Number(value));
    }
  }
}

function streamOf(path: string) {
  return streamNames.find((name) => path === `streams.${name}.interval`);
}

function isLive(path: string): boolean {
  return path === 'log.level' || path === accountsPath || streamOf(path) !== undefined;
}

/** Without secrets that stand in files of their own, which are renewed without this one. */
function shownValues(
  { leaves, values }: ReadConfig,
  env: NodeJS.ProcessEnv,
): ReadonlyMap<string, unknown> {
  const own = leaves.filter((leaf) => env[`${leaf.env}_FILE`] === undefined);
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
