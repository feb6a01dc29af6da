import type { JsonObject } from '../json.ts';
import { STORY_LIFETIME_MS } from '../world/accounts.ts';
import { isMention } from '../world/foreign-media.ts';
import type { Account, Comment, Media, World } from '../world/model.ts';
import type { WebhookEvent, WebhookSettings } from './settings.ts';

/** A part of the world's time; the start is not in it. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The login through which the app receives an account's webhooks. */
export type Login = 'facebook' | 'instagram';

interface Happening {
  readonly atMs: number;
  readonly event: WebhookEvent;
}

/** Returns the changes of an account in a time, oldest first. */
export function happeningsOf(
  account: Account,
  login: Login,
  { span, world, settings }: { span: Span; world: World; settings: WebhookSettings },
): readonly WebhookEvent[] {
  const found = [
    ...commentsOf(account, span, settings),
    ...mentionsOf(account, { login, span, settings }),
    // Instagram Login has no webhook about stories.
    ...(login === 'facebook' ? storiesOf(account, { span, world, settings }) : []),
  ];
  return found.sort((a, b) => a.atMs - b.atMs).map(({ event }) => event);
}

const isWithin = (atMs: number, { fromMs, toMs }: Span): boolean => atMs > fromMs && atMs <= toMs;

function* commentsOf(
  account: Account,
  span: Span,
  settings: WebhookSettings,
): Generator<Happening> {
  for (const media of account.mediaAt(span.toMs)) {
    const known = knownAt(media, span.fromMs);
    for (const comment of media.comments(span.toMs)) {
      for (const one of [comment, ...comment.replies]) {
        if (known.has(one.id)) continue;
        const parent = one === comment ? {} : { parent_id: comment.id };
        const value = commentValue(one, media, parent, settings);
        yield {
          atMs: one.createdAtMs,
          event: { accountId: account.id, field: 'comments', value },
        };
      }
    }
  }
}

/**
 * Returns the ids of the comments and replies that a media has at a time. Their times are no measure:
 * they are whole seconds, up to one before the comment appears.
 */
function knownAt(media: Media, nowMs: number): ReadonlySet<string> {
  const comments = media.comments(nowMs);
  return new Set(comments.flatMap((comment) => [comment, ...comment.replies]).map(({ id }) => id));
}

function commentValue(
  comment: Comment,
  media: Media,
  parent: JsonObject,
  { commentId }: Pick<WebhookSettings, 'commentId'>,
): JsonObject {
  return {
    from: { id: comment.userId, username: comment.username },
    media: { id: media.id, media_product_type: media.productType },
    [commentId]: comment.id,
    ...parent,
    text: comment.text,
  };
}

interface Reported {
  readonly login: Login;
  readonly span: Span;
  readonly settings: WebhookSettings;
}

/** With Instagram Login a mention in a comment comes as a comment, one in a caption not at all. */
function* mentionsOf(account: Account, { login, span, settings }: Reported): Generator<Happening> {
  const accountId = account.id;
  for (const media of account.foreignMediaAt('tags', span.toMs) ?? []) {
    if (login === 'facebook' && isWithin(media.createdAtMs, span)) {
      const value = { media_id: media.id };
      yield { atMs: media.createdAtMs, event: { accountId, field: 'mentions', value } };
    }
    const known = knownAt(media, span.fromMs);
    for (const comment of media.comments(span.toMs)) {
      if (!isMention(comment, account) || known.has(comment.id)) continue;
      const event: WebhookEvent =
        login === 'facebook'
          ? {
              accountId,
              field: 'mentions',
              value: { comment_id: comment.id, media_id: media.id },
            }
          : { accountId, field: 'comments', value: commentValue(comment, media, {}, settings) };
      yield { atMs: comment.createdAtMs, event };
    }
  }
}

function* storiesOf(
  account: Account,
  { span, world, settings }: { span: Span; world: World; settings: WebhookSettings },
): Generator<Happening> {
  const { deletedMedia } = world.conditions;
  const delayMs = settings.storyDelayMs;
  const ended = { sinceMs: span.fromMs - delayMs, untilMs: span.toMs - delayMs };
  for (const story of account.storiesEnded(ended)) {
    if (!settings.deletedStories && deletedMedia.has(story.id)) continue;
    const endMs = story.createdAtMs + STORY_LIFETIME_MS;
    const atMs = endMs + delayMs;
    yield {
      atMs,
      event: {
        accountId: account.id,
        field: 'story_insights',
        value: { media_id: story.id, ...storyNumbers(story, endMs) },
      },
    };
  }
}

/** Numbers under five are sent as -1 (observed). */
function storyNumbers(story: Media, endMs: number): JsonObject {
  const metrics = story.insights(endMs) ?? {};
  const taps = story.breakdown('navigation', endMs);
  const numbers = {
    impressions: metrics['views'],
    reach: metrics['reach'],
    taps_forward: taps['tap_forward'],
    taps_back: taps['tap_back'],
    exits: taps['tap_exit'],
    replies: metrics['replies'],
  };
  const shown = (number = 0): number => (number < 5 ? -1 : number);
  return Object.fromEntries(Object.entries(numbers).map(([name, one]) => [name, shown(one)]));
}
