import type { Calendar } from '../engine/schedule.ts';
import { emptyCheckpoint, type Checkpoint } from '../engine/state.ts';
import type { PublicContent } from './extract/extraction.ts';
import { namesOf, planDays } from './model/daily-totals.ts';
import { movedAfter, partsEveryMs, type Tier } from './model/freshness.ts';
import { requestableFrom } from './model/missing.ts';
import { maxWindowMs, planWindows, type WindowPlan } from './model/windows.ts';
import {
  type ByKind,
  type InstagramStream,
  type RequestOf,
  type StreamRequest,
  callByKind,
} from './streams/stream.ts';

const dayMs = 86_400_000;

/** The content of an account, as far as the number of calls depends on it. */
export interface AccountContent {
  /** When each of its media was published, epoch milliseconds. */
  readonly mediaMs: readonly number[];
  readonly storiesADay: number;
}

/** The settings that the number of calls depends on. Times are milliseconds. */
export interface CallPlanSettings {
  readonly streams: readonly { readonly stream: InstagramStream; readonly intervalMs: number }[];
  readonly calendar: Calendar;
  readonly tiers: readonly Tier[];
  readonly wholeListMs: number;
  /** The age of media at which a scan of the newest pages ends. */
  readonly newestMs: number;
  /** Media of a page of the list. */
  readonly pageSize: number;
  readonly lookbackMs: number;
  readonly startDateMs: number | null;
  readonly publicContent: Pick<PublicContent, 'users' | 'hashtags'>;
  readonly nowMs: number;
}

/** The calls of one stream of one account, as Meta counts them. */
export interface PlannedCalls {
  readonly stream: InstagramStream;
  /** Polls of a day. */
  readonly polls: number;
  /** Calls of the first poll, which reads everything. */
  readonly first: number;
  /** Calls of a later day. */
  readonly day: number;
}

/**
 * Plans the calls of an account by stream: what the configuration costs when every count of its
 * media and stories changes between two polls, and without repeated requests. Pure.
 */
export function planCalls(
  content: AccountContent,
  settings: CallPlanSettings,
): readonly PlannedCalls[] {
  const planned = settings.streams.map(({ stream, intervalMs }) => {
    const polls = pollsOf(stream, intervalMs, settings);
    return { stream, polls, everyMs: dayMs / Math.max(polls, 1) };
  });
  const scans = scansOf(planned);
  return planned.map(({ stream, polls, everyMs }) => {
    const poll = { content, settings, polls, everyMs, scans: scans.get(stream.name) ?? 0 };
    const { first, day } = callByKind(callsByKind, stream.request, poll);
    return { stream, polls, first: Math.round(first), day: Math.round(day) };
  });
}

/** Counts the polls of the day after now. */
function pollsOf(
  { name }: InstagramStream,
  intervalMs: number,
  { calendar, nowMs }: Pick<CallPlanSettings, 'calendar' | 'nowMs'>,
): number {
  const next = (ms: number): number => {
    const dueMs = calendar.nextRunMs(name, ms) ?? ms + intervalMs;
    return calendar.quietUntilMs(dueMs) ?? dueMs;
  };
  let polls = 0;
  for (let ms = next(nowMs); ms <= nowMs + dayMs; ms = next(ms)) polls += 1;
  // A poll every two days is half a poll a day.
  return polls > 0 ? polls : dayMs / (next(nowMs) - nowMs);
}

interface StreamPolls {
  readonly stream: InstagramStream;
  readonly polls: number;
}

/**
 * Returns the scans of a day by stream. One that publishes its list scans it at each poll; the
 * others scan it at the polls that they do not share with another stream.
 */
function scansOf(planned: readonly StreamPolls[]): ReadonlyMap<string, number> {
  const byList = Map.groupBy(planned, ({ stream }) => stream.list ?? stream.name);
  return new Map(
    [...byList.values()].flatMap((group) => {
      let shared = 0;
      const ordered = group.toSorted(
        (a, b) =>
          Number(b.stream.publishesList) - Number(a.stream.publishesList) || b.polls - a.polls,
      );
      return ordered.map(({ stream, polls }) => {
        const scans = stream.publishesList ? polls : Math.max(0, polls - shared);
        shared = Math.max(shared, polls);
        return [stream.name, scans] as const;
      });
    }),
  );
}

interface PlannedPoll {
  readonly content: AccountContent;
  readonly settings: CallPlanSettings;
  /** Polls and scans of the list, of a day. */
  readonly polls: number;
  readonly scans: number;
  /** The time between two polls. */
  readonly everyMs: number;
}

type Calls = Pick<PlannedCalls, 'first' | 'day'>;

const callsByKind: ByKind<[poll: PlannedPoll], Calls> = {
  object: (_request, { polls }) => ({ first: 1, day: polls }),
  list: ({ edge }, poll) => listCalls(edge, poll, poll.polls),
  children: (_request, poll) => listCalls('media', poll, poll.polls),
  insights: (request, poll) =>
    request.edge === 'stories' ? storyCalls(request, poll) : mediaCalls(request, poll),
  comments: (_request, poll) => commentCalls(poll),
  // Webhooks decide how many there are.
  mentions: () => ({ first: 0, day: 0 }),
  series: dailyCalls,
  totals: dailyCalls,
  public: publicCalls,
  breakdowns: ({ breakdowns: { length } }, { polls }) => ({ first: length, day: length * polls }),
};

/**
 * The calls of listed names, as far as they are known: one of each user, for the profile or for one
 * page of media; two lists of each hashtag, whose first poll also searches it.
 */
function publicCalls(
  { of }: RequestOf<'public'>,
  { settings: { publicContent }, polls }: PlannedPoll,
): Pick<PlannedCalls, 'first' | 'day'> {
  const { users, hashtags } = publicContent;
  if (of !== 'hashtags') return { first: users.length, day: users.length * polls };
  return { first: hashtags.length * 3, day: hashtags.length * 2 * polls };
}

/** Pages of a list: those with new media at each scan, and all of them in each period. */
function listCalls(edge: string, { content, settings }: PlannedPoll, scans: number) {
  if (edge !== 'media') return { first: 1, day: scans };
  const { wholeListMs, pageSize } = settings;
  const pages = (media: number): number => Math.max(1, Math.ceil(media / pageSize));
  const whole = pages(content.mediaMs.length);
  // A scan ends after the first page whose last media is old.
  const newest = Math.min(whole, Math.floor(newMedia(content, settings) / pageSize) + 1);
  const wholeScans = Math.min(scans, dayMs / wholeListMs);
  return { first: whole, day: scans * newest + wholeScans * (whole - newest) };
}

function newMedia({ mediaMs }: AccountContent, { nowMs, newestMs }: CallPlanSettings): number {
  return mediaMs.filter((ms) => nowMs - ms < newestMs).length;
}

/** Returns the metrics that each reading of a media requests by themselves. */
function separateOf({ separate }: RequestOf<'insights'>) {
  return Object.values(separate).filter(({ isOptIn }) => !isOptIn);
}

function storyCalls(request: RequestOf<'insights'>, poll: PlannedPoll) {
  const { content, polls, everyMs, scans } = poll;
  // A story is listed for a day, so that as many are listed as are published in a day.
  const live = content.storiesADay;
  const separate = separateOf(request);
  const calls = separate.map(({ breakdown }) =>
    breakdown === undefined ? polls : Math.min(polls, dayMs / Math.max(partsEveryMs, everyMs)),
  );
  const perStory = calls.reduce((sum, one) => sum + one, polls);
  return { first: live * (1 + separate.length), day: scans + live * perStory };
}

function mediaCalls(request: RequestOf<'insights'>, poll: PlannedPoll) {
  const { content, settings, everyMs, scans } = poll;
  const list = listCalls('media', poll, scans);
  const readings = content.mediaMs.map(
    (ms) => dayMs / readEveryMs(settings.nowMs - ms, everyMs, settings),
  );
  const perReading = 1 + separateOf(request).length;
  const day = readings.reduce((sum, one) => sum + one, 0) * perReading;
  const first = content.mediaMs.length * perReading;
  return { first, day: day + (scans === 0 ? 0 : list.day) };
}

/** The time between two readings of a media whose counts change, at polls of a stream. */
function readEveryMs(ageMs: number, everyMs: number, { tiers }: CallPlanSettings): number {
  const tier = tiers.find(({ untilAgeMs }) => ageMs < untilAgeMs) ?? tiers.at(-1);
  const dueMs = Math.min(tier?.everyMs ?? 0, ageMs * movedAfter);
  return Math.max(1, Math.ceil(dueMs / everyMs)) * everyMs;
}

/** The comments of new media change between two polls; those of older media rarely do. */
function commentCalls(poll: PlannedPoll) {
  const { content, settings, polls, scans } = poll;
  const list = scans === 0 ? 0 : listCalls('media', poll, scans).day;
  return { first: content.mediaMs.length, day: newMedia(content, settings) * polls + list };
}

function dailyCalls(
  request: RequestOf<'series' | 'totals'>,
  { settings, polls, everyMs }: PlannedPoll,
) {
  const { nowMs, lookbackMs } = settings;
  const first = nextPollCost(request, emptyCheckpoint, settings)?.calls ?? 0;
  // After the first poll, all days are known but those that may still change.
  const known = {
    ...emptyCheckpoint,
    cursorMs: nowMs - dayMs / 2,
    coveredUntilMs: nowMs - everyMs - lookbackMs,
  };
  return { first, day: polls * (nextPollCost(request, known, settings)?.calls ?? 0) };
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

const plain = (calls: number, per: string): RequestCost => ({ calls, per, list: false });

const publicCosts: Readonly<Record<RequestOf<'public'>['of'], RequestCost>> = {
  users: plain(1, 'listed user'),
  media: plain(1, 'page of a listed user'),
  hashtags: plain(2, 'listed hashtag'),
};

const costByKind: ByKind<[], RequestCost> = {
  object: () => plain(1, 'account'),
  list: () => plain(1, 'page'),
  children: () => plain(1, 'page'),
  insights: (request) => ({
    calls: 1 + separateOf(request).length,
    per: 'due media',
    list: true,
  }),
  comments: () => ({ calls: 1, per: 'media whose comments_count changed', list: true }),
  mentions: () => plain(1, 'mention'),
  series: ({ requests }) => plain(requests.length, `window of ${maxWindowMs / dayMs} days`),
  totals: ({ requests }) => plain(requests.length, 'day'),
  breakdowns: ({ breakdowns }) => plain(breakdowns.length, 'poll'),
  public: ({ of }) => publicCosts[of],
};

export function requestCost(request: StreamRequest): RequestCost {
  return callByKind(costByKind, request);
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
  const known = { ...limits, cursorMs, coveredUntilMs };
  const { nowMs } = limits;
  if (request.kind === 'totals') {
    const names = request.requests.flatMap(namesOf);
    const reach = { nowMs, reachMs: request.catchUpMs };
    const days = planDays({ ...known, missingFromMs: requestableFrom(checkpoint, names, reach) });
    return { calls: days.length * request.requests.length, fromMs: days[0]?.startMs ?? null };
  }
  const names = request.requests.flatMap(({ metrics }) => Object.values(metrics));
  const missingFromMs = requestableFrom(checkpoint, names, { nowMs });
  const windows = planWindows({ ...known, missingFromMs });
  const made = windows.flatMap(({ recent }) =>
    request.requests.filter(
      ({ metrics, recentOnly }) =>
        recent || Object.keys(metrics).some((metric) => !recentOnly.includes(metric)),
    ),
  );
  return { calls: made.length, fromMs: windows[0]?.sinceMs ?? null };
}
