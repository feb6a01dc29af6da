import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import avro, { type Schema } from 'avsc';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import type { DecodedRecord } from '../../../sandbox/topics.ts';
import { type Deployment, comparable, DAY_MS, deploy } from './deployment.ts';
import { type TrueMedia, expectedDays } from './expected-records.ts';

const HOUR_MS = 3_600_000;
const startDate = new Date(Date.now() - 60 * DAY_MS).toISOString().slice(0, 10);

type Day = Readonly<Record<string, unknown>>;

/** The last value of every key, like a table of the topic. */
function latest(records: readonly DecodedRecord[]): Map<string, Day> {
  return new Map(records.map(({ key, value }) => [key, comparable(value)]));
}

/**
 * The days with values that differ from the known ones, from the look-back on; empty hours change
 * nothing.
 */
function changedDays(known: Map<string, Day>, now: Map<string, Day>): Map<string, Day> {
  const dateOf = (day: Day): number => Number(day['date']);
  const cursorMs = Math.max(...[...known.values()].map(dateOf));
  const merged = [...now]
    .filter(([, day]) => dateOf(day) >= cursorMs - 2 * DAY_MS)
    .map(([key, day]) => {
      const hours = day['online_followers'] as Day | null;
      const empty = hours === null || Object.keys(hours).length === 0;
      const before = known.get(key)?.['online_followers'] ?? hours;
      return [key, { ...day, online_followers: empty ? before : hours }] as const;
    });
  return new Map(merged.filter(([key, day]) => !isDeepStrictEqual(day, known.get(key))));
}

describe('poll after the first', () => {
  let deployment: Deployment;
  let firstStories: readonly TrueMedia[];
  const once = () => deployment.once({ INSTAGRAM_START_DATE: startDate });

  beforeAll(async () => {
    deployment = await deploy(
      createWorld({
        seed: 11,
        // A day behind, so that corrections are never ahead of the program's clock.
        now: Date.now() - DAY_MS,
        accounts: 2,
        smallAccounts: 1,
        mediaPerAccount: 15,
        storiesPerAccount: 2,
        insightsDays: 70,
      }),
    );
    await once();
    firstStories = deployment.truth().accounts.flatMap(({ stories }) => stories);
  }, 120_000);

  afterAll(async () => {
    await deployment[Symbol.asyncDispose]();
  });

  it('publishes profiles again, and no media and no day, when nothing changed', async () => {
    const before = await Promise.all(
      ['users', 'media', 'user_insights'].map((role) => deployment.read(role)),
    );
    expect(await once()).toMatchObject({ code: 0 });
    const after = await Promise.all(
      ['users', 'media', 'user_insights'].map((role) => deployment.read(role)),
    );

    const added = after.map((records, index) => records.length - (before[index]?.length ?? 0));
    expect(added).toEqual([2, 0, 0]);
  });

  it('requests a window that begins a look-back before the newest day', async () => {
    deployment.api.ledger.clear();
    expect(await once()).toMatchObject({ code: 0 });

    const asked = deployment.api.ledger.entries
      .filter(({ request }) => request.includes('metric=follower_count'))
      .map(({ request }) => Number(/since=(\d+)/.exec(request)?.[1]) * 1000);
    const newest = Date.parse(String(deployment.truth().accounts[0]?.days.at(-1)?.['end_time']));
    expect(asked).toEqual([newest - 2 * DAY_MS, newest - 2 * DAY_MS]);
  });

  it('publishes only new and corrected days a day later', async () => {
    const before = await deployment.read('user_insights');
    const known = latest(before);
    const polls = new Set(before.map(({ headers }) => headers['poll']));
    deployment.api.world.clock.advance(DAY_MS - HOUR_MS);

    expect(await once()).toMatchObject({ code: 0 });

    const added = (await deployment.read('user_insights')).filter(
      ({ headers }) => !polls.has(headers['poll']),
    );
    const expected = changedDays(known, expectedDays(deployment.truth(), startDate));
    expect(new Map(added.map(({ key, value }) => [key, comparable(value)]))).toEqual(expected);
    expect(added).toHaveLength(expected.size);
    expect(expected.size).toBeGreaterThan(1);
  });

  it('publishes a last record of each story that has ended, and says why one is not final', async () => {
    const last = latest(await deployment.read('story_insights'));
    const expected = firstStories.map(({ fields, insights }) => {
      const isSeen = (insights?.['reach'] ?? 0) >= 5;
      return {
        id: fields['id'],
        is_final: isSeen,
        not_final_reason: isSeen ? null : 'too-few-viewers',
        views: isSeen ? insights?.['views'] : null,
      };
    });

    expect(new Set(expected.map((story) => story.is_final))).toEqual(new Set([true, false]));
    for (const story of expected) expect(last.get(String(story.id))).toMatchObject(story);
  });

  it('writes a state with every transaction, whose sequence increases by one', async () => {
    const sequences = (await deployment.read('state'))
      .filter(({ key }) => key.startsWith('media/'))
      .reduce((byKey, { key, value }) => {
        return byKey.set(key, [...(byKey.get(key) ?? []), Number(value?.['sequence'])]);
      }, new Map<string, number[]>());
    for (const found of sequences.values()) {
      expect(found).toEqual(found.map((_, index) => index + 1));
    }
    expect(sequences.size).toBe(2);
  });

  it('is readable from offset 0 by a consumer with a later schema', async () => {
    const registry = deployment.cluster.registryUrl;
    const text = await readFile(new URL('../../../avro/media.avsc', import.meta.url), 'utf8');
    const later = JSON.parse(text) as { fields: unknown[] };
    later.fields.push({ name: 'of_tomorrow', type: ['null', 'string'], default: null });
    const reader = avro.Type.forSchema(later as unknown as Schema);
    const records = await deployment.read('media');
    const id = records[0]?.bytes?.readInt32BE(1) ?? 0;
    const answer = (await (await fetch(`${registry}/schemas/ids/${id}`)).json()) as {
      schema: string;
    };
    const resolver = reader.createResolver(
      avro.Type.forSchema(JSON.parse(answer.schema) as Schema),
    );

    const read = records.map(({ bytes }) => {
      const value: unknown = reader.fromBuffer(bytes?.subarray(5) ?? Buffer.alloc(0), resolver);
      return value as Readonly<Record<string, unknown>>;
    });

    expect(read.length).toBeGreaterThanOrEqual(30);
    expect(read.map(({ id: media, of_tomorrow: added }) => [media, added])).toEqual(
      records.map(({ key }) => [key, null]),
    );
  });
});
