import { describe, expect, test } from '@jest/globals';
import type { Node } from '../../../../src/engine/json.ts';
import type { RememberedStory } from '../../../../src/engine/state.ts';
import {
  finalOf,
  finish,
  lastNode,
  listStory,
  mostStories,
  phaseOf,
  readStory,
  tidyStories,
} from '../../../../src/instagram/model/story-final.ts';
import { dayMs, hourMs, minuteMs, startMs } from '../../engine/world.ts';

const sentMs = startMs + dayMs;
const start = '2026-05-12T12:00:00Z';
const nextDay = '2026-05-13T12:00:00Z';

function only([story, ...others]: readonly RememberedStory[]): RememberedStory {
  if (story === undefined || others.length > 0) throw new Error('expected one story');
  return story;
}

/** A story of the start, with these metrics as of an hour later; without metrics when undefined. */
function storyOf(metrics?: Node, changes: Partial<RememberedStory> = {}): RememberedStory {
  const listed = listStory([], { id: '1', createdMs: startMs });
  const read =
    metrics === undefined
      ? listed
      : readStory(listed, '1', { node: metrics, nowMs: startMs + hourMs + 200 });
  return { ...only(read), ...changes };
}

/** A webhook with these numbers; all others are below five. */
const webhook = (numbers: Node) => ({
  value: {
    media_id: '1',
    impressions: -1,
    reach: -1,
    taps_forward: -1,
    taps_back: -1,
    exits: -1,
    replies: -1,
    ...numbers,
  },
  sentMs,
});

const metrics: Node = {
  views: 120,
  reach: 90,
  replies: 1,
  shares: 3,
  navigation: 25,
  navigation_actions: { tap_forward: 19, tap_back: 4, tap_exit: 1, swipe_forward: 1 },
};

describe('the final record of a story', () => {
  test('has the last values of the polls, and the time when they were read', () => {
    expect(lastNode(storyOf(metrics), 'ended')).toEqual({
      ...metrics,
      id: '1',
      timestamp: start,
      is_final: true,
      final_source: 'poll',
      measured_at: '2026-05-12T13:00:00Z',
    });
  });

  test('keeps the last value of a metric that a later poll did not read', () => {
    const before = [storyOf({ views: 5, reach: 4, navigation_actions: { tap_exit: 1 } })];
    const later = readStory(before, '1', {
      node: { id: '1', timestamp: start, views: 9 },
      nowMs: startMs + 2 * hourMs,
    });

    expect(lastNode(only(later), 'ended')).toMatchObject({
      views: 9,
      reach: 4,
      navigation_actions: { tap_exit: 1 },
      measured_at: '2026-05-12T14:00:00Z',
    });
  });

  test('omits values that are no whole numbers, which the mapping rejects', () => {
    const odd = { views: 1.5, reach: 'many', shares: 2, navigation_actions: { tap_exit: '1' } };

    expect(lastNode(storyOf(odd), 'ended')).toEqual({
      id: '1',
      timestamp: start,
      shares: 2,
      is_final: true,
      final_source: 'poll',
      measured_at: '2026-05-12T13:00:00Z',
    });
  });

  test.each([
    ['too-few-viewers', true],
    ['no-insights', false],
  ])('is replaced by one that is not final, with the reason %s', (reason, fewViewers) => {
    expect(lastNode(storyOf(undefined, { fewViewers }), 'ended')).toEqual({
      id: '1',
      timestamp: start,
      measured_at: null,
      not_final_reason: reason,
    });
  });

  test('is replaced by one that is not final when the story is deleted', () => {
    expect(lastNode(storyOf({ views: 7 }), 'deleted')).toEqual({
      id: '1',
      timestamp: start,
      views: 7,
      measured_at: '2026-05-12T13:00:00Z',
      not_final_reason: 'deleted',
    });
  });
});

describe('the final record of a story by its webhook', () => {
  test('has of each number the greater, and the fields that only the polls know', () => {
    const numbers = {
      impressions: 130,
      reach: 80,
      taps_forward: 24,
      taps_back: 4,
      exits: 3,
      replies: 5,
    };
    expect(finalOf(storyOf(metrics), webhook(numbers))).toEqual({
      id: '1',
      timestamp: start,
      views: 130,
      reach: 90,
      replies: 5,
      shares: 3,
      navigation: 32,
      navigation_actions: { tap_forward: 24, tap_back: 4, tap_exit: 3, swipe_forward: 1 },
      is_final: true,
      final_source: 'webhook',
      measured_at: nextDay,
    });
  });

  test('keeps a greater total of navigation, and invents none', () => {
    const story = storyOf({ ...metrics, navigation: 50 });

    expect(finalOf(story, webhook({ exits: 9 }))).toMatchObject({ navigation: 50 });
    expect(finalOf(undefined, webhook({ exits: 9 }))).toEqual({
      id: '1',
      timestamp: null,
      navigation_actions: { tap_exit: 9 },
      is_final: true,
      final_source: 'webhook',
      measured_at: nextDay,
    });
  });

  test.each([
    ['below five', {}],
    ['no greater', { impressions: 120, reach: 12, exits: 1 }],
    ['unreadable', { impressions: '130', reach: null, exits: 9.5 }],
  ])('has the values of the polls where the numbers of the webhook are %s', (_case, numbers) => {
    const story = storyOf(metrics);

    expect(finalOf(story, webhook(numbers))).toEqual(lastNode(story, 'ended'));
  });

  test.each([
    ['was never polled', undefined],
    ['had no values', storyOf()],
  ])('is not final when all its numbers are below five and the story %s', (_case, story) => {
    expect(finalOf(story, webhook({}))).toMatchObject({ not_final_reason: 'too-few-viewers' });
    expect(finalOf(story, webhook({}))).not.toHaveProperty('is_final');
  });

  test('is final after all when the story was closed without one', () => {
    for (const outcome of ['deleted', 'too-few-viewers', 'no-insights'] as const) {
      const closed = storyOf(undefined, { outcome, untilMs: sentMs });

      expect(finalOf(closed, webhook({ reach: 7 }))).toMatchObject({ reach: 7, is_final: true });
      expect(finalOf(closed, webhook({}))).toBeUndefined();
    }
  });

  test('is not repeated, and a webhook without an id has none', () => {
    const [finished] = finish([storyOf(metrics)], { id: '1', is_final: true }, sentMs);

    expect(finalOf(finished, webhook({ impressions: 999 }))).toBeUndefined();
    expect(finalOf(undefined, { value: { impressions: 9 }, sentMs })).toBeUndefined();
  });
});

describe('the memory of stories', () => {
  test('keeps an ended story without its values until 72 hours after its end', () => {
    const node = lastNode(storyOf(metrics), 'ended');
    const stories = finish([storyOf(metrics)], node, startMs + 30 * hourMs);
    const untilMs = startMs + 4 * dayMs;

    expect(stories).toEqual([
      storyOf(undefined, { readMs: startMs + hourMs + 200, outcome: 'final', untilMs }),
    ]);
    expect(tidyStories(stories, untilMs - 1)).toEqual(stories);
    expect(tidyStories(stories, untilMs)).toEqual([]);
  });

  test('keeps the values of a story that is not final, which continues when it is listed again', () => {
    const story = storyOf({ views: 7 });
    const deleted = finish([story], lastNode(story, 'deleted'), startMs + 2 * hourMs);

    expect(deleted).toMatchObject([{ outcome: 'deleted', values: { views: 7 } }]);
    expect(listStory(deleted, { id: '1', createdMs: startMs })).toEqual([story]);
  });

  test('keeps a story that only a webhook knows from the time of its record', () => {
    const node = finalOf(undefined, webhook({ reach: 7 })) ?? {};

    expect(finish([], node, sentMs)).toMatchObject([
      { id: '1', createdMs: null, outcome: 'final', untilMs: sentMs + 3 * dayMs },
    ]);
  });

  test(`keeps the newest ${mostStories} stories, ended ones last (Invariant 10)`, () => {
    const open = Array.from({ length: mostStories }, (_, index) =>
      storyOf(undefined, { id: `${index}`, createdMs: startMs - index }),
    );
    const ended = storyOf(undefined, { id: 'ended', outcome: 'final', untilMs: Infinity });
    const oldest = storyOf(undefined, { id: 'oldest', createdMs: startMs - dayMs });
    const kept = tidyStories([ended, oldest, ...open], startMs).map(({ id }) => id);

    expect(new Set(kept)).toEqual(new Set(open.map(({ id }) => id)));
  });
});

describe('the phase of a story', () => {
  const listed = new Set(['2']);
  const phaseAt = (ageMs: number, changes: Partial<Parameters<typeof phaseOf>[1]> = {}) =>
    phaseOf(storyOf(), {
      listed,
      isSuspected: false,
      nowMs: startMs + ageMs,
      waitMs: 0,
      ...changes,
    });

  test('is live while the story is listed, whatever its age', () => {
    expect(phaseAt(25 * hourMs, { listed: new Set(['1']) })).toBe('live');
  });

  test('is deleted when the story is missing before its end, unless the list looks truncated', () => {
    expect(phaseAt(dayMs - 6 * minuteMs)).toBe('deleted');
    expect(phaseAt(dayMs - 6 * minuteMs, { isSuspected: true })).toBe('live');
  });

  test('is ended when the story is missing at its end, and waits for a webhook first', () => {
    expect(phaseAt(dayMs - 5 * minuteMs, { isSuspected: true })).toBe('ended');
    expect(phaseAt(dayMs, { waitMs: hourMs })).toBe('waiting');
    expect(phaseAt(dayMs + hourMs, { waitMs: hourMs })).toBe('ended');
  });

  test('depends on the age alone when the list is unknown', () => {
    expect(phaseAt(dayMs + 4 * minuteMs, { listed: undefined })).toBe('live');
    expect(phaseAt(dayMs + 5 * minuteMs, { listed: undefined })).toBe('ended');
    expect(phaseAt(dayMs + 5 * minuteMs, { listed: undefined, waitMs: hourMs })).toBe('live');
  });

  test('is ended when a story without a time is missing in a list that looks whole', () => {
    const timeless = storyOf(undefined, { createdMs: null });
    const list = { nowMs: startMs, waitMs: 0 };

    expect(phaseOf(timeless, { ...list, listed, isSuspected: false })).toBe('ended');
    expect(phaseOf(timeless, { ...list, listed, isSuspected: true })).toBe('live');
    expect(phaseOf(timeless, { ...list, listed: undefined, isSuspected: false })).toBe('live');
  });
});
