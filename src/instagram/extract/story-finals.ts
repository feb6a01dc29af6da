import { type ListScan, nothing, suspectTruncation } from '../../engine/change-set.ts';
import { keyNumber } from '../../engine/fingerprint.ts';
import type { Node } from '../../engine/json.ts';
import type { Page } from '../../engine/source.ts';
import type { Checkpoint, RememberedStory } from '../../engine/state.ts';
import {
  finalOf,
  finish,
  hasTimeLeft,
  isPastListing,
  lastNode,
  listStory,
  notEnoughViewers,
  phaseOf,
  readStory,
  type StoryList,
  tidyStories,
} from '../model/story-final.ts';
import type { WebhookChange } from '../../engine/webhooks.ts';
import type { RequestOf } from '../streams/stream.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import { extractInsights } from './insights.ts';
import { isOfCycle, scannedBy } from './list.ts';
import { readListed } from './rejections.ts';

type Stories = Checkpoint['stories'];

/**
 * Requests the insights of the live stories, remembers their values, and yields the last record of
 * each story that has ended: in the page, and thus in the transaction, that marks it as ended.
 */
export async function* extractStoryInsights(
  source: RequestOf<'insights'>,
  context: ExtractContext,
): Extraction {
  const { nowMs } = context;
  let { stories } = context.checkpoint;
  let closing: Page = { nodes: [], skipped: [], coveredUntilMs: null };
  for await (const page of extractInsights(source, context)) {
    stories = remembered(stories, page, context);
    if (page.scanned !== undefined) {
      closing = page;
      continue;
    }
    const { phases } = endingOf(stories, scannedBy('stories', context), context);
    // After its final record a story gets no other; the API may list it a little longer.
    const over = stories.filter((one) => one.outcome === 'final' || phases.get(one) === 'ended');
    const ids = new Set(over.map(({ id }) => id));
    const nodes = page.nodes.filter(({ id }) => typeof id !== 'string' || !ids.has(id));
    yield { ...page, nodes, checkpointUpdate: { ...page.checkpointUpdate, stories } };
  }
  const { phases, scanned } = endingOf(stories, closing.scanned, context);
  const last = [...phases].flatMap(([story, phase]) =>
    phase === 'ended' || phase === 'deleted' ? [lastNode(story, phase)] : [],
  );
  for (const node of last) stories = finish(stories, node, nowMs);
  yield {
    ...closing,
    nodes: last,
    // A listed story counts as known, also while it has nothing to publish.
    empty: [...(scanned?.present ?? [])],
    checkpointUpdate: { stories: tidyStories(stories, nowMs) },
    ...(scanned !== undefined && { scanned }),
  };
}

/** Returns the stories with the listed ones and with the values of a page. */
function remembered(before: Stories, page: Page, context: ExtractContext): Stories {
  let stories = before;
  const isKnown = (id: string) => stories.some((story) => story.id === id);
  const isWhole = scannedBy('stories', context) !== undefined;
  for (const story of listedNow(context)) {
    // The nodes of a list that is not whole include those of earlier scans.
    if (isWhole || !isKnown(story.id)) stories = listStory(stories, story);
  }
  for (const node of page.nodes) {
    const { id } = node;
    if (typeof id !== 'string' || !isKnown(id)) continue;
    stories = readStory(stories, id, { node, nowMs: context.nowMs });
  }
  for (const { reason, subject } of page.skipped) {
    if (reason === 'graph.not-enough-viewers' && isKnown(subject)) {
      stories = notEnoughViewers(stories, subject);
    }
  }
  return stories;
}

/** Returns the stories of this cycle's scan; a node whose id is no number is never published. */
function listedNow(context: ExtractContext) {
  const cache = context.caches.of(context.account.id, 'stories');
  if (!isOfCycle(cache.scannedMs, context)) return [];
  return cache.nodes.flatMap((node: Node) => {
    const listed = readListed(node);
    return listed !== undefined && /^\d+$/.test(listed.id) ? [listed] : [];
  });
}

interface Ending {
  /** The phase of each story without a last record. */
  readonly phases: ReadonlyMap<RememberedStory, ReturnType<typeof phaseOf>>;
  /** The scan, with the stories that may be absent and those that wait. */
  readonly scanned: ListScan | undefined;
}

function endingOf(stories: Stories, whole: ListScan | undefined, context: ExtractContext): Ending {
  const { checkpoint, nowMs, storyFinalWaitMs: waitMs } = context;
  const scanned = whole && { ...whole, expired: expiredOf(whole, stories, nowMs) };
  const listed = scanned?.present;
  const listedKeys = [...(listed ?? [])].map((id) => [keyNumber(id), nothing] as const);
  // The change detection has the listed stories among the published ones by then.
  const published = new Map([...listedKeys, ...checkpoint.published]);
  const isSuspected =
    scanned !== undefined &&
    suspectTruncation({ ...checkpoint, published }, scanned, nowMs) !== undefined;
  const list: StoryList = { listed, isSuspected, nowMs, waitMs };
  const open = stories.filter(({ outcome }) => outcome === null);
  const phases = new Map(open.map((story) => [story, phaseOf(story, list)]));
  const waiting = open.filter((story) => phases.get(story) === 'waiting').map(({ id }) => id);
  return { phases, scanned: scanned && { ...scanned, waiting: new Set(waiting) } };
}

/** Returns the ids that may be absent: the scan's, and the stories that are known to have ended. */
function expiredOf({ expired }: ListScan, stories: Stories, nowMs: number): ListScan['expired'] {
  if (expired === 'all') return expired;
  const ended = stories.filter((one) => one.outcome !== null || isPastListing(one, nowMs));
  return new Set([...expired, ...ended.map(({ id }) => id)]);
}

/**
 * Returns the last records of the stories that webhooks report as ended. A report of a story whose
 * 24 hours are not over stays in the inbox until they are.
 */
export function storyChanges(
  changes: readonly WebhookChange[],
  { checkpoint, nowMs }: ExtractContext,
): Page {
  let { stories } = checkpoint;
  const nodes: Node[] = [];
  const processed: string[] = [];
  for (const change of changes) {
    const { media_id: id } = change.value;
    const story = stories.find((one) => one.id === id);
    // Also of one that seems deleted: it may be listed again.
    if (story !== undefined && hasTimeLeft(story, nowMs)) continue;
    processed.push(change.key);
    const node = finalOf(story, change);
    if (node === undefined) continue;
    nodes.push(node);
    stories = finish(stories, node, nowMs);
  }
  return {
    nodes,
    skipped: [],
    coveredUntilMs: null,
    processed,
    checkpointUpdate: { stories: tidyStories(stories, nowMs) },
  };
}
