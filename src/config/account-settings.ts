import type { Login, PollingChoice } from '../engine/account.ts';
import { nearestName } from '../engine/nearest-name.ts';
import { type InstagramStreamName, isStreamName, streamNames } from '../instagram/streams/index.ts';
import type { ConfigProblem } from './config-error.ts';
import { duration, format, type Flaw, type Format, isObject, optional } from './formats.ts';
import { account, accountStreams } from './named-formats.ts';
import { showName, showValue } from './redaction.ts';
import { chosenStreams, unsupportedStreams } from './stream-list.ts';

/** The own settings of one account. */
interface AccountSettings {
  /** The words of its list of streams; null for that of `STREAMS`. */
  readonly streams: readonly string[] | null;
  /** Its intervals in milliseconds; null for a stream that is not polled. */
  readonly intervals: Readonly<Partial<Record<InstagramStreamName, number | null>>>;
}

/** The settings of accounts, by id or `@` and user name. */
export type AccountSettingsMap = Readonly<Record<string, AccountSettings>>;

const everyInterval = duration('1s');

/** The format of an interval; null for a stream that is off. */
const interval = format(`${everyInterval.expected}, or off`, (raw, nowMs) =>
  raw === 'off' ? null : everyInterval.parse(raw, nowMs),
);

/** The settings of accounts: an object, or its JSON. */
export const accountSettings: Format<AccountSettingsMap, ''> = {
  ...format(
    'a JSON object by account, such as {"@name": {"streams": ["default"], "intervals": {"media": "1h"}}}',
    (raw) => {
      const { settings, flaws } = readSettings(raw);
      return flaws.length === 0 ? settings : undefined;
    },
  ),
  flawsOf: (raw) => readSettings(raw).flaws,
};

interface ReadSettings {
  /** Undefined when the value is no object. */
  readonly settings: AccountSettingsMap | undefined;
  readonly flaws: readonly Flaw[];
}

function readSettings(raw: unknown): ReadSettings {
  const object = objectOf(raw);
  if (object === undefined) return { settings: undefined, flaws: [] };
  const settings = new Map<string, AccountSettings>();
  const flaws: Flaw[] = [];
  for (const [key, value] of Object.entries(object)) {
    const at = showName(key);
    const name = account.parse(key, 0);
    if (name === undefined) flaws.push(flawOf(at, key, account.expected));
    else if (settings.has(name)) {
      const action = 'join the two entries';
      flaws.push({ at, received: 'a second entry', expected: 'one entry of an account', action });
    } else settings.set(name, readAccount(value, at, flaws));
  }
  return { settings: Object.fromEntries(settings), flaws };
}

/** Returns the object of a JSON text; an empty one for a field that is not set. */
function objectOf(raw: unknown): Readonly<Record<string, unknown>> | undefined {
  if (raw === null || raw === '') return {};
  try {
    const value: unknown = typeof raw === 'string' ? JSON.parse(raw) : raw;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const entryKeys = ['streams', 'intervals'];

function readAccount(value: unknown, at: string, flaws: Flaw[]): AccountSettings {
  if (!isObject(value)) {
    flaws.push(flawOf(at, value, 'an object with streams, intervals'));
    return { streams: null, intervals: {} };
  }
  const { streams = null, intervals = {} } = value;
  for (const key of Object.keys(value).filter((one) => !entryKeys.includes(one))) {
    flaws.push(unknownKey(`${at}.${showName(key)}`, key, entryKeys));
  }
  const words = optional(accountStreams).parse(streams, 0);
  if (words === undefined) flaws.push(streamsFlaw(`${at}.streams`, streams));
  return { streams: words ?? null, intervals: readIntervals(intervals, `${at}.intervals`, flaws) };
}

function readIntervals(value: unknown, at: string, flaws: Flaw[]): AccountSettings['intervals'] {
  if (!isObject(value)) {
    flaws.push(flawOf(at, value, 'an object of intervals by stream'));
    return {};
  }
  const read = Object.entries(value).flatMap(([name, raw]) => {
    const parsed = interval.parse(raw, 0);
    if (!isStreamName(name)) flaws.push(unknownKey(`${at}.${showName(name)}`, name, streamNames));
    else if (parsed === undefined) flaws.push(flawOf(`${at}.${name}`, raw, interval.expected));
    return parsed === undefined ? [] : [[name, parsed] as const];
  });
  return Object.fromEntries(read);
}

function flawOf(at: string, raw: unknown, expected: string): Flaw {
  return { at, received: showValue(raw, false), expected, action: 'correct it' };
}

function unknownKey(at: string, key: string, known: readonly string[]): Flaw {
  const nearest = nearestName(key, known);
  const suggestion = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  const received = `the unknown key ${showName(key)}`;
  return {
    at,
    received,
    expected: `one of ${known.join(', ')}`,
    action: `remove or correct it${suggestion}`,
  };
}

/** The flaw of a list of streams, with the name that is nearest to its first unknown one. */
function streamsFlaw(at: string, raw: unknown): Flaw {
  const { action, ...flaw } = flawOf(at, raw, accountStreams.expected);
  const unknown = [raw].flat().find((one) => typeof one === 'string' && !isStreamName(one));
  const nearest = typeof unknown === 'string' ? nearestName(unknown, streamNames) : undefined;
  return {
    ...flaw,
    action: nearest === undefined ? action : `${action}; did you mean ${nearest}?`,
  };
}

/** Returns the choice of streams and intervals; `enabled` are the words of `STREAMS`. */
export function choosePolling(
  settings: AccountSettingsMap,
  enabled: readonly string[],
  login: Login,
): PollingChoice {
  const byAccount = Object.entries(settings).map(([name, { streams, intervals }]) => {
    const chosen = chosenStreams(streams ?? enabled, login);
    const own = Object.entries(intervals).filter(([, ms]) => ms !== null);
    const polling = {
      streams: chosen.filter((one) => !isOff(intervals, one)),
      intervalsMs: Object.fromEntries(own) as Record<string, number>,
    };
    return [name, polling] as const;
  });
  const others = { streams: chosenStreams(enabled, login), intervalsMs: {} };
  return { byAccount: Object.fromEntries(byAccount), others };
}

function isOff(intervals: AccountSettings['intervals'], stream: string): boolean {
  return (intervals as Readonly<Record<string, number | null>>)[stream] === null;
}

type AccountProblem = Omit<ConfigProblem, 'env'>;

/** The problems of the fields that choose accounts, each valid by itself. */
export function accountProblems(values: ReadonlyMap<string, unknown>): readonly AccountProblem[] {
  const excluded = (values.get('instagram.accountsExclude') ?? []) as readonly string[];
  const listed = (values.get('instagram.accounts') ?? []) as readonly string[];
  const settings = (values.get('instagram.accountSettings') ?? {}) as AccountSettingsMap;
  const alsoListed = excluded
    .filter((name) => listed.includes(name))
    .map((name) => ({
      path: 'instagram.accountsExclude',
      received: `${name}, which INSTAGRAM_ACCOUNTS lists`,
      expected: 'accounts that INSTAGRAM_ACCOUNTS does not list',
      action: 'remove it from one of the two',
    }));
  return [
    ...alsoListed,
    ...Object.entries(settings).flatMap(([name, own]) => [
      ...exclusionProblems(name, excluded),
      ...streamProblems(name, own, values),
      ...scheduleProblems(name, own, values),
    ]),
  ];
}

function exclusionProblems(name: string, excluded: readonly string[]): readonly AccountProblem[] {
  if (!excluded.includes(name)) return [];
  return [
    {
      path: `instagram.accountSettings.${name}`,
      received: 'settings of an account that is not polled',
      expected: 'nothing, because INSTAGRAM_ACCOUNTS_EXCLUDE names the account',
      action: 'remove one of the two',
    },
  ];
}

function streamProblems(
  name: string,
  own: AccountSettings,
  values: ReadonlyMap<string, unknown>,
): readonly AccountProblem[] {
  const login = values.get('instagram.login') as Login | undefined;
  const enabled = values.get('streams.enabled') as readonly string[] | undefined;
  // Rejected fields are missing here; they are reported already.
  if (login === undefined || enabled === undefined) return [];
  const path = `instagram.accountSettings.${name}.streams`;
  const unsupported = unsupportedStreams(own.streams ?? [], login).map((stream) => ({
    path,
    received: stream,
    expected: `streams that the API has for INSTAGRAM_LOGIN=${login}`,
    action: 'remove it from the streams of the account',
  }));
  const { byAccount } = choosePolling({ [name]: own }, enabled, login);
  if (byAccount[name]?.streams.length !== 0) return unsupported;
  const action = `name one, or name ${name} in INSTAGRAM_ACCOUNTS_EXCLUDE`;
  return [...unsupported, { path, received: 'no stream to poll', expected: 'one or more', action }];
}

/** The problems of intervals of streams whose polls follow a cron expression. */
function scheduleProblems(
  name: string,
  { intervals }: AccountSettings,
  values: ReadonlyMap<string, unknown>,
): readonly AccountProblem[] {
  return streamNames
    .filter((stream) => typeof intervals[stream] === 'number')
    .filter((stream) => typeof values.get(`streams.${stream}.schedule`) === 'string')
    .map((stream) => ({
      path: `instagram.accountSettings.${name}.intervals.${stream}`,
      received: 'an interval',
      expected: `nothing or off, because STREAM_${stream.toUpperCase()}_SCHEDULE sets the times`,
      action: 'remove one of the two',
    }));
}
