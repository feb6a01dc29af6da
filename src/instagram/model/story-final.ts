import { type Json, type Node, isNode } from '../../engine/json.ts';
import type { RememberedStory, StoryOutcome } from '../../engine/state.ts';
import { clockSkewMs, storyLifeMs, storyListedMs } from './freshness.ts';

type Counts = Readonly<Record<string, number>>;

/** The most stories that a state holds; the newest are kept (Invariant 10). */
export const mostStories = 2000;
/** The time for which an ended story is kept: Meta repeats a webhook for 36 hours. */
const keptMs = 72 * 3_600_000;

/** A story of which nothing but its id is known. */
function unknownStory(id: string): RememberedStory {
  return {
    id,
    createdMs: null,
    readMs: null,
    values: {},
    actions: {},
    fewViewers: false,
    outcome: null,
    untilMs: null,
  };
}

/** Returns the stories with a change of one of them, which is added if it is new. */
function withStory(
  stories: readonly RememberedStory[],
  id: string,
  change: (story: RememberedStory) => RememberedStory,
): readonly RememberedStory[] {
  const index = stories.findIndex((story) => story.id === id);
  const before = stories[index];
  return before === undefined
    ? [...stories, change(unknownStory(id))]
    : stories.with(index, change(before));
}

/** Remembers a listed story; one whose last record was not final continues. */
export function listStory(
  stories: readonly RememberedStory[],
  { id, createdMs }: Pick<RememberedStory, 'id' | 'createdMs'>,
): readonly RememberedStory[] {
  return withStory(stories, id, (story) => ({
    ...story,
    createdMs: createdMs ?? story.createdMs,
    ...(story.outcome !== 'final' && { outcome: null, untilMs: null }),
  }));
}

/** Remembers the metrics of a story's node. A metric that is now absent keeps its last value. */
export function readStory(
  stories: readonly RememberedStory[],
  id: string,
  { node, nowMs }: { readonly node: Node; readonly nowMs: number },
): readonly RememberedStory[] {
  const actions = Object.entries(node).flatMap(([name, value]) =>
    isNode(value) ? [[name, countsOf(value)] as const] : [],
  );
  return withStory(stories, id, (story) => ({
    ...story,
    readMs: nowMs,
    values: { ...story.values, ...countsOf(node) },
    actions: { ...story.actions, ...Object.fromEntries(actions) },
    fewViewers: false,
  }));
}

/** Remembers that the API has too few viewers of a story to report values. */
export function notEnoughViewers(
  stories: readonly RememberedStory[],
  id: string,
): readonly RememberedStory[] {
  return withStory(stories, id, (story) => ({ ...story, fewViewers: true }));
}

/** Returns the whole numbers of an object; the mapping rejects all others. */
function countsOf(node: Node): Counts {
  const isCount = (entry: [string, Json]): entry is [string, number] =>
    Number.isSafeInteger(entry[1]);
  return Object.fromEntries(Object.entries(node).filter(isCount));
}

/**
 * The phase of a story: `live`, `deleted`, `waiting` for its webhook, or `ended`, when its final
 * record is due.
 */
export type StoryPhase = 'live' | 'deleted' | 'waiting' | 'ended';

/** The facts that decide the phase of a story. */
export interface StoryList {
  /** Every listed id; undefined when the list could not be read whole. */
  readonly listed: ReadonlySet<string> | undefined;
  /** True when the list looks truncated: a missing story is not deleted yet. */
  readonly isSuspected: boolean;
  readonly nowMs: number;
  /** The time for which an ended story waits for its webhook. */
  readonly waitMs: number;
}

/** True when a story is too old to be listed, by its own time. */
export function isPastListing({ createdMs }: RememberedStory, nowMs: number): boolean {
  return createdMs !== null && nowMs - createdMs >= storyListedMs;
}

/** True while the 24 hours of a story last, by its own time. */
export function hasTimeLeft({ createdMs }: RememberedStory, nowMs: number): boolean {
  return createdMs !== null && nowMs - createdMs < storyLifeMs;
}

export function phaseOf(
  story: RememberedStory,
  { listed, isSuspected, nowMs, waitMs }: StoryList,
): StoryPhase {
  const { id, createdMs } = story;
  if (listed === undefined) {
    const isOver = createdMs !== null && nowMs - createdMs >= storyLifeMs + clockSkewMs + waitMs;
    return isOver ? 'ended' : 'live';
  }
  if (listed.has(id)) return 'live';
  if (isPastListing(story, nowMs - waitMs)) return 'ended';
  if (isPastListing(story, nowMs)) return 'waiting';
  if (isSuspected) return 'live';
  // A story without a time is taken for ended when it leaves the list.
  return createdMs === null ? 'ended' : 'deleted';
}

/** Creates the node of a story's last record from the values of the polls. */
export function lastNode(story: RememberedStory, phase: 'deleted' | 'ended'): Node {
  if (phase === 'deleted') return notFinal(story, 'deleted');
  if (Object.keys(story.values).length > 0) return final(story, 'poll', story.readMs);
  return notFinal(story, story.fewViewers ? 'too-few-viewers' : 'no-insights');
}

/** A webhook of the field `story_insights`. */
export interface StoryWebhook {
  /** `media_id` and the six numbers, as Meta sent them; -1 stands for fewer than five. */
  readonly value: Node;
  /** The time when Meta sent it, epoch milliseconds. */
  readonly sentMs: number;
}

/** Field → number of the webhook, by the names that they have in the API. */
const webhookMetrics = { views: 'impressions', reach: 'reach', replies: 'replies' } as const;
const webhookActions = {
  tap_forward: 'taps_forward',
  tap_back: 'taps_back',
  tap_exit: 'exits',
} as const;

/**
 * Creates the node of a story's last record from its webhook and its remembered values: the greater
 * of each number, because counters only grow.
 * @param story - undefined for a story that was never polled
 * @returns undefined when the story has a final record, or the webhook adds nothing to its last one
 * @see https://developers.facebook.com/docs/instagram-platform/webhooks (read 2026-11)
 */
export function finalOf(
  story: RememberedStory | undefined,
  { value, sentMs }: StoryWebhook,
): Node | undefined {
  const id = value['media_id'];
  if (typeof id !== 'string' || story?.outcome === 'final') return undefined;
  const polled = story ?? unknownStory(id);
  const values = greater(polled.values, numbersOf(value, webhookMetrics));
  const parts = polled.actions['navigation_actions'] ?? {};
  const actions = greater(parts, numbersOf(value, webhookActions));
  if (values === polled.values && actions === parts) {
    // The webhook knows nothing more than the polls.
    if (polled.outcome !== null) return undefined;
    return lastNode({ ...polled, fewViewers: true }, 'ended');
  }
  const merged = { ...polled, values, actions: { ...polled.actions, navigation_actions: actions } };
  // The polls may have read values after the webhook was sent.
  return final(withTotal(merged, actions), 'webhook', Math.max(sentMs, polled.readMs ?? 0));
}

/** Returns the numbers that the webhook knows, by the API's names. */
function numbersOf(value: Node, names: Readonly<Record<string, string>>): Counts {
  const sent = Object.entries(names).map(([name, sentName]) => [name, value[sentName] ?? null]);
  const known = countsOf(Object.fromEntries(sent) as Node);
  return Object.fromEntries(Object.entries(known).filter(([, number]) => number >= 0));
}

/** Returns the greater of each number; `polled` itself when the other counts add nothing. */
function greater(polled: Counts, sent: Counts): Counts {
  const more = Object.entries(sent).filter(([name, number]) => number > (polled[name] ?? -1));
  return more.length === 0 ? polled : { ...polled, ...Object.fromEntries(more) };
}

/** Raises the total of navigation to the sum of its actions; one that was never read stays absent. */
function withTotal(story: RememberedStory, actions: Counts): RememberedStory {
  const total = story.values['navigation'];
  if (total === undefined) return story;
  const sum = Object.values(actions).reduce((all, count) => all + count, 0);
  return { ...story, values: { ...story.values, navigation: Math.max(total, sum) } };
}

function final(story: RememberedStory, source: 'poll' | 'webhook', measuredMs: number | null) {
  return { ...nodeOf(story, measuredMs), is_final: true, final_source: source };
}

function notFinal(story: RememberedStory, reason: Exclude<StoryOutcome, 'final'>): Node {
  return { ...nodeOf(story, story.readMs), not_final_reason: reason };
}

function nodeOf({ id, createdMs, values, actions }: RememberedStory, measuredMs: number | null) {
  const hasCounts = Object.entries(actions).filter(([, counts]) => Object.keys(counts).length > 0);
  return {
    ...values,
    ...Object.fromEntries(hasCounts),
    id,
    timestamp: timeText(createdMs),
    measured_at: timeText(measuredMs),
  };
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Marks a story as ended by its last record. A final one no longer needs its values. */
export function finish(
  stories: readonly RememberedStory[],
  lastRecord: Node,
  nowMs: number,
): readonly RememberedStory[] {
  const { id, is_final: isFinal, not_final_reason: reason } = lastRecord;
  return withStory(stories, id as string, (story) => ({
    ...story,
    ...(isFinal === true && { values: {}, actions: {} }),
    outcome: isFinal === true ? 'final' : (reason as StoryOutcome),
    untilMs: (story.createdMs === null ? nowMs : story.createdMs + storyLifeMs) + keptMs,
  }));
}

/** Removes stories whose time is over, and the oldest beyond the bound, those that ended first. */
export function tidyStories(
  stories: readonly RememberedStory[],
  nowMs: number,
): readonly RememberedStory[] {
  const kept = stories.filter(({ untilMs }) => untilMs === null || untilMs > nowMs);
  if (kept.length <= mostStories) return kept;
  const rank = ({ outcome, createdMs }: RememberedStory) => [
    outcome === null ? 1 : 0,
    createdMs ?? 0,
  ];
  return kept
    .toSorted((a, b) => {
      const [[endA = 0, timeA = 0], [endB = 0, timeB = 0]] = [rank(a), rank(b)];
      return endA - endB || timeA - timeB;
    })
    .slice(-mostStories);
}
