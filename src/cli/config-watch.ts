import { readFile } from 'node:fs/promises';
import type { App } from '../app.ts';
import type { LiveSettings } from '../live-settings.ts';
import { type AccountSettingsMap, choosePolling } from '../config/account-settings.ts';
import { type ConfigSources, type ReadConfig, readConfig } from '../config/load.ts';
import { streamNames } from '../instagram/streams/index.ts';
import { slept, systemClock } from '../engine/clock.ts';
import type { Login, PollingChoice } from '../engine/account.ts';
import type { Clock } from '../engine/ports.ts';

/** The parts of the program that a changed configuration file affects. */
type LiveTarget = LiveSettings & Pick<App, 'log'>;

interface WatchTools {
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly readText?: (path: string) => Promise<string>;
}

/** The file is polled, because Kubernetes swaps its folder, which a file watch does not report. */
const pollEveryMs = 2000;

/**
 * Polls the file of `--config` until aborted. Applies changes of intervals, the log level, the choice
 * of accounts and the lists of public content; reports that other fields need a restart; ignores an
 * invalid file. Never rejects.
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
  target: LiveTarget,
): () => void {
  const { log } = target;
  const started = shownValues(read(), env);
  const live = liveFields(started, target);
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
    for (const [applies, fields] of Map.groupBy(changed, describeApplication)) {
      log.info({ fields, applies }, 'configuration changed');
    }
    const restart = [
      ...pathsThatDiffer(started, values).filter((path) => !live.has(path)),
      ...(addsStreams(started, values) ? [settingsPath] : []),
    ];
    if (restart.length > 0 && restart.join() !== reported) {
      log.warn({ fields: restart }, 'configuration needs a restart');
    }
    reported = restart.join();
  };
}

const settingsPath = 'instagram.accountSettings';

/** Describes the time from which a changed field applies. */
function describeApplication(path: string): string {
  if (['instagram.accounts', 'instagram.accountsExclude', settingsPath].includes(path)) {
    return 'from the next listing of the accounts (INSTAGRAM_ACCOUNTS_REFRESH)';
  }
  return path.startsWith('instagram.') ? 'from the next poll of their streams' : 'at once';
}

type ShownValues = ReadonlyMap<string, unknown>;

/** The fields that may change while the program runs, each with the function that applies it. */
function liveFields(started: ShownValues, target: LiveTarget) {
  const { log, setAccounts, setInterval, setPublicContent } = target;
  const live = new Map<string, (value: unknown) => void>();
  live.set('log.level', (level) => {
    log.setLevel(String(level));
  });
  live.set('instagram.accounts', (names) => {
    setAccounts({ accounts: names as readonly string[] });
  });
  live.set('instagram.accountsExclude', (names) => {
    setAccounts({ accountsExclude: names as readonly string[] });
  });
  live.set(settingsPath, (settings) => {
    setAccounts({ accountPolling: pollingOf(settings, started) });
  });
  live.set('instagram.discoveredUsers', (users) => {
    setPublicContent({ users: users as readonly string[] });
  });
  live.set('instagram.discoveredMediaAge', (mediaAgeMs) => {
    setPublicContent({ mediaAgeMs: Number(mediaAgeMs) });
  });
  live.set('instagram.hashtags', (hashtags) => {
    setPublicContent({ hashtags: hashtags as readonly string[] });
  });
  for (const name of streamNames) {
    live.set(`streams.${name}.interval`, (ms) => {
      setInterval(name, Number(ms));
    });
  }
  return live;
}

/** The streams and intervals by account; `STREAMS` keeps its value of the start. */
function pollingOf(settings: unknown, started: ShownValues): PollingChoice {
  const enabled = started.get('streams.enabled') as readonly string[];
  return choosePolling(
    settings as AccountSettingsMap,
    enabled,
    started.get('instagram.login') as Login,
  );
}

/** True when an account has a stream that no account had at the start: it has no topic yet. */
function addsStreams(started: ShownValues, values: ShownValues): boolean {
  const [before, after] = [started, values].map((one) => {
    const { byAccount, others } = pollingOf(one.get(settingsPath), started);
    return [others, ...Object.values(byAccount)].flatMap(({ streams }) => streams);
  });
  return after?.some((stream) => before?.includes(stream) !== true) === true;
}

/** Omits the secrets of separate files, which change independently of this file. */
function shownValues({ settings, values }: ReadConfig, env: NodeJS.ProcessEnv): ShownValues {
  const own = settings.filter((setting) => env[`${setting.env}_FILE`] === undefined);
  return new Map(own.map(({ path }) => [path, values.get(path)]));
}

function pathsThatDiffer(before: ShownValues, after: ShownValues): readonly string[] {
  return [...after.keys()].filter(
    (path) => JSON.stringify(before.get(path)) !== JSON.stringify(after.get(path)),
  );
}
