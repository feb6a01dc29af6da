import { openReading } from '../app.ts';
import { createCalendar } from '../config/calendar.ts';
import { type Config, enabledStreams } from '../config/config.ts';
import type { Account, AccountPolling } from '../engine/account.ts';
import type { ExitCode } from '../engine/errors.ts';
import { untilReady } from '../engine/startup.ts';
import { readContent, type ReadContent } from '../instagram/account-content.ts';
import {
  accountCalls,
  callLimit,
  fittingIntervals,
  neededImpressions,
  planPlatform,
  type PlatformPlan,
} from '../instagram/call-limits.ts';
import { type CallPlanSettings, planCalls, type PlannedCalls } from '../instagram/call-plan.ts';
import { publicStreams } from '../instagram/streams/index.ts';
import { openLocalCodec } from '../registry/index.ts';
import {
  type CommandDefinition,
  describeError,
  type Invocation,
  parseCount,
  print,
  untilStopped,
  usage,
} from './command.ts';
import { loadCommandConfig, thisInstance, withQuietLog } from './context.ts';
import { asTable, durationText, plural } from './text.ts';
import { requestedStream, sourceSettings } from '../source-settings.ts';

const count = (name: string, least: number, most: number) => (text: string) =>
  parseCount(name, text, { least, most });

export const planCommand: CommandDefinition = {
  usage: 'plan',
  about:
    "plan the calls of a day by stream and account, beside the accounts' limits; reads the lists of media, or with --accounts nothing at all",
  examples: [
    'plan',
    'plan --accounts 100 --media 800 --posts 2 --stories 5',
    'plan --streams all --json',
  ],
  exits: {
    0: 'printed',
    3: 'an account could not be read, or the API was unavailable',
    4: 'the calls of an account exceed its limit, or those of public content the limit for one user of the app',
  },
  options: [
    [
      '--accounts <number>',
      'plan for hypothetical accounts; no token is needed',
      count('--accounts', 1, 10_000),
    ],
    [
      '--media <number>',
      'media of each hypothetical account (default 1000)',
      count('--media', 0, 100_000),
    ],
    [
      '--posts <number>',
      'new media a day of each hypothetical account (default 1)',
      count('--posts', 1, 100_000),
    ],
    [
      '--stories <number>',
      'stories a day of each hypothetical account (default 2)',
      count('--stories', 0, 100_000),
    ],
    ['--json', 'print JSON'],
  ],
  settings: /^(?:instagram|streams$|stream-|polling)/,
  run,
};

interface PlanFlags {
  readonly accounts?: number;
  readonly media?: number;
  readonly posts?: number;
  readonly stories?: number;
}

/** The plan of an account, or the error that prevents it. */
interface AccountPlan {
  readonly account: string;
  readonly username: string | null;
  readonly plan: readonly PlannedCalls[];
  readonly calls: number;
  readonly views: number | null;
  /** The calls that Meta allows in a day; null when it is unknown. */
  readonly limit: number | null;
  /** Intervals with which the calls fit; null when none do, or when they fit as configured. */
  readonly fitting: Readonly<Record<string, string>> | null;
  readonly error: string | null;
}

interface Plan {
  readonly accounts: readonly AccountPlan[];
  /** Null when no account reads public content. */
  readonly platform: PlatformPlan | null;
}

function run({ options, settings }: Invocation<PlanFlags>): ExitCode | Promise<ExitCode> {
  const { accounts, media, posts, stories, json } = options;
  const isHypothetical = accounts !== undefined;
  if (!isHypothetical && [media, posts, stories].some((one) => one !== undefined)) {
    throw usage('plan: expected --accounts with --media, --posts and --stories');
  }
  const config = withQuietLog(loadCommandConfig(settings, isHypothetical ? [] : ['token']));
  if (isHypothetical) return report(planHypothetical(options, config), json);
  return untilStopped(config.polling.shutdownGraceMs, async (signal) =>
    report(await planAll(config, signal), json),
  );
}

const dayMs = 86_400_000;

/** Plans accounts that published their media at an even pace until now. */
function planHypothetical(options: PlanFlags, config: Config): Plan {
  const { accounts = 1, media = 1000, posts = 1, stories = 2 } = options;
  const nowMs = Date.now();
  const content = evenContent({ media, posts, stories }, nowMs);
  const settingsOf = (polling: AccountPolling) => planSettings(config, nowMs, polling);
  const planWith = (polling: AccountPolling): AccountPlan =>
    planOf({ id: 'each', username: null }, content, settingsOf(polling));
  const { others } = config.accountPolling;
  // One account alone reads public content, for all.
  const own = others.streams.filter((name) => !publicStreams.some((one) => one === name));
  const [first, plan] = [planWith(others), planWith({ ...others, streams: own })];
  return {
    accounts: Array.from({ length: accounts }, (_, index) => (index === 0 ? first : plan)),
    platform: planPlatform([settingsOf(others)]),
  };
}

/** Returns the content of an account that published its media at an even pace until now. */
export function evenContent(
  { media, posts, stories }: Readonly<Record<'media' | 'posts' | 'stories', number>>,
  nowMs: number,
): ReadContent {
  const mediaMs = Array.from({ length: media }, (_, index) => nowMs - (index * dayMs) / posts);
  return { mediaMs, storiesADay: stories, views: null };
}

/** Reads and plans every account of the tokens, one after another. */
async function planAll(config: Config, signal: AbortSignal): Promise<Plan> {
  const options = { ...thisInstance(), logDestination: process.stderr };
  await using reading = openReading(config, options, openLocalCodec([]).encoder);
  const { directory, tools } = reading;
  const { clock } = tools;
  const deadlineMs = clock.nowMs() + config.polling.onceTimeoutMs;
  const waiting = { ...tools, deadlineMs };
  const { accounts, problems } = await untilReady(
    'graph',
    (stop) => directory.list(stop),
    waiting,
    signal,
  );
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  const plans: AccountPlan[] = [];
  for (const account of accounts) {
    const nowMs = clock.nowMs();
    const read = (stop: AbortSignal): Promise<ReadContent> =>
      tools.pollPermits.take((permit) => {
        const graph = tools.rateLimiter.limit(tools.graph, { account, priority: 'normal', permit });
        const sleep = (ms: number) => clock.sleep(ms, stop);
        return readContent(account, tools.source, { graph, nowMs, sleep, signal: stop });
      }, stop);
    try {
      const content = await untilReady('graph', read, waiting, signal);
      plans.push(planOf(account, content, planSettings(config, nowMs, account.polling)));
    } catch (error) {
      signal.throwIfAborted();
      plans.push(failed(account, error));
    }
  }
  const nowMs = clock.nowMs();
  const all = accounts.map(({ polling }) => planSettings(config, nowMs, polling));
  return { accounts: plans, platform: planPlatform(all) };
}

/** Returns the settings of a plan for an account with these streams and intervals. */
export function planSettings(
  config: Config,
  nowMs: number,
  polling: AccountPolling = config.accountPolling.others,
): CallPlanSettings {
  const { freshness, pageSize, startDateMs, publicContent } = sourceSettings(config);
  return {
    streams: enabledStreams(config)
      .filter((name) => polling.streams.includes(name))
      .map((name) => ({
        stream: requestedStream(config, name),
        intervalMs: polling.intervalsMs[name] ?? config.streams[name].intervalMs,
      })),
    calendar: createCalendar(config),
    ...freshness,
    pageSize,
    startDateMs,
    publicContent,
    lookbackMs: config.polling.lookbackMs,
    nowMs,
  };
}

type PlannedAccount = Pick<Account, 'id' | 'username'>;

function planOf(
  { id: account, username }: PlannedAccount,
  content: ReadContent,
  settings: CallPlanSettings,
): AccountPlan {
  const plan = planCalls(content, settings);
  const calls = accountCalls(plan);
  const { views } = content;
  const limit = callLimit(views);
  const found = limit !== null && calls > limit ? fittingIntervals(content, settings, limit) : null;
  const fitting = found && intervalsOf(found);
  return { account, username, plan, calls, views, limit, fitting, error: null };
}

function failed({ id: account, username }: PlannedAccount, error: unknown): AccountPlan {
  const nothing = { plan: [], calls: 0, views: null, limit: null, fitting: null };
  return { account, username, ...nothing, error: describeError(error) };
}

interface Budget {
  readonly calls: number;
  readonly limit: number | null;
}

const isOver = ({ calls, limit }: Budget): boolean => limit !== null && calls > limit;

const usedText = (calls: number, limit: number): string =>
  `${((calls / limit) * 100).toFixed(1)} %`;

function report({ accounts, platform }: Plan, isJson: boolean | undefined): ExitCode {
  const sums = sumsOf(accounts);
  print(isJson, {
    text: () => `${textOf(accounts, sums)}${platformText(platform)}`,
    json: () => ({
      streams: sums,
      platform: platform && {
        ...platform,
        share: platform.calls / platform.limit,
        fitting: platform.fitting && intervalsOf(platform.fitting),
      },
      accounts: accounts.map(({ plan, ...account }) => ({
        ...account,
        streams: plan.map(({ stream, ...calls }) => ({ stream: stream.name, ...calls })),
      })),
    }),
  });
  if (accounts.some(({ error }) => error !== null)) return 3;
  return accounts.some(isOver) || (platform !== null && isOver(platform)) ? 4 : 0;
}

function intervalsOf(fitting: ReadonlyMap<string, number>): Readonly<Record<string, string>> {
  return Object.fromEntries([...fitting].map(([name, ms]) => [name, durationText(ms)]));
}

/** Sums the calls of all accounts by stream; `polls` is the mean of the accounts with the stream. */
export function sumsOf(plans: readonly Pick<AccountPlan, 'plan'>[]) {
  const planned = plans.flatMap(({ plan }) => plan);
  const byStream = Map.groupBy(planned, ({ stream }) => stream.name);
  const sum = (calls: readonly PlannedCalls[], field: 'polls' | 'first' | 'day') =>
    calls.reduce((total, one) => total + one[field], 0);
  return [...byStream].map(([stream, calls]) => ({
    stream,
    polls: sum(calls, 'polls') / calls.length,
    first: sum(calls, 'first'),
    day: sum(calls, 'day'),
  }));
}

function textOf(plans: readonly AccountPlan[], sums: ReturnType<typeof sumsOf>): string {
  const number = (value: number): string => String(Math.round(value * 10) / 10);
  const total = (field: 'first' | 'day') => sums.reduce((sum, one) => sum + one[field], 0);
  const byStream = asTable([
    ['STREAM', 'POLLS A DAY', 'FIRST POLL', 'CALLS A DAY'],
    ...sums.map(({ stream, polls, first, day }) => [stream, number(polls), `${first}`, `${day}`]),
    ['all', '', `${total('first')}`, `${total('day')}`],
  ]);
  const isHypothetical = plans.every(({ account }) => account === 'each');
  const noun = isHypothetical ? 'hypothetical account' : 'account';
  const heading = `Calls of ${plural(plans.length, noun)}, as Meta counts them, if every count changes between two polls:\n\n`;
  return `${heading}${byStream}\n${isHypothetical ? limitText(plans) : accountsText(plans)}`;
}

/** Describes Meta's limit for the hypothetical accounts; the first one reads public content too. */
function limitText([first]: readonly AccountPlan[]): string {
  const needed = (field: 'first' | 'day') =>
    neededImpressions(accountCalls(first?.plan ?? [], field));
  const limit = `Meta allows ${callLimit(1) ?? 0} calls a day for each impression of an account.`;
  return `${limit} Each account needs ${plural(needed('first'), 'impression')} for the first poll, and ${needed('day')} a day after it.\n`;
}

function accountsText(plans: readonly AccountPlan[]): string {
  const table = asTable([
    ['ACCOUNT', 'NAME', 'CALLS A DAY', 'VIEWS', 'LIMIT', 'USED'],
    ...plans
      .filter(({ error }) => error === null)
      .map(({ account, username, calls, views, limit }) => [
        account,
        username ?? '',
        `${calls}`,
        views === null ? 'unknown' : `${views}`,
        limit === null ? 'unknown' : `${limit}`,
        limit === null ? '' : usedText(calls, limit),
      ]),
  ]);
  const notes = plans.flatMap((plan) => noteOf(plan));
  return [table, ...notes.map((note) => `${note}\n`)].join('');
}

function noteOf(plan: AccountPlan): readonly string[] {
  const { account, error, calls, limit, fitting } = plan;
  if (error !== null) return [`${account}: ${error}`];
  if (!isOver(plan)) return [];
  const over = `${account}: ${calls} calls a day exceed the limit of ${limit ?? 0}`;
  if (fitting === null) return [`${over}; no intervals fit: enable fewer streams`];
  return [
    `${over}; ${fittingText(fitting)}, or for this account alone by INSTAGRAM_ACCOUNT_SETTINGS, which takes precedence`,
  ];
}

function fittingText(fitting: Readonly<Record<string, string>>): string {
  const intervals = Object.entries(fitting).map(([name, interval]) => `${name} ${interval}`);
  return `these intervals fit: ${intervals.join(', ')}. Set them by STREAM_<NAME>_INTERVAL`;
}

/** Describes the calls of public content; a line of its own, because no account pays for them. */
function platformText(platform: PlatformPlan | null): string {
  if (platform === null) return '';
  const { streams, calls, limit, fitting } = platform;
  const used = `platform: ${calls} calls a day of ${streams.join(', ')}, ${usedText(calls, limit)} of the ${limit} (200 an hour) that Meta allows for one user of the app, apart from the limits of accounts`;
  if (!isOver(platform)) return `${used}\n`;
  if (fitting === null)
    return `${used}; no interval fits: remove names from INSTAGRAM_HASHTAGS or INSTAGRAM_DISCOVERED_USERS\n`;
  return `${used}; ${fittingText(intervalsOf(fitting))}\n`;
}
