import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FailError, SkipError } from '../../../../src/engine/errors.ts';
import {
  attribute,
  Rejections,
  rememberedRejections,
} from '../../../../src/instagram/extract/rejections.ts';
import { tidyRejections } from '../../../../src/engine/rejections.ts';
import { emptyCheckpoint, type Checkpoint, type Rejection } from '../../../../src/engine/state.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const nowMs = Date.UTC(2026, 4, 12, 12);

const listed = (id: string, ageMs: number | null = dayMs, kind = 'FEED/IMAGE') => ({
  id,
  kind,
  createdMs: ageMs === null ? null : nowMs - ageMs,
});
const rejection = (subject: string, changes: Partial<Rejection> = {}): Rejection => ({
  subject,
  metric: 'shares',
  reason: 'graph.metric-refused',
  untilMs: nowMs + dayMs,
  ...changes,
});
const remembering = (...rejections: readonly Rejection[]): Checkpoint => ({
  ...emptyCheckpoint,
  rejections,
});

describe('metrics requested of a media', () => {
  test('omit a metric that is rejected for the media, for its type or for all media', () => {
    const checkpoint = remembering(
      rejection('1', { metric: 'a' }),
      rejection('FEED/IMAGE', { metric: 'b' }),
      rejection('*', { metric: 'c' }),
      rejection('REELS/VIDEO', { metric: 'd' }),
    );
    const rejections = new Rejections(checkpoint, nowMs);

    expect(rejections.metricsFor(['a', 'b', 'c', 'd'], listed('1'))).toEqual(['d']);
    expect(rejections.metricsFor(['a', 'b', 'c', 'd'], listed('2'))).toEqual(['a', 'd']);
  });

  test('include a metric again after its rejection expired', () => {
    const rejections = new Rejections(remembering(rejection('1', { untilMs: nowMs })), nowMs);

    expect(rejections.metricsFor(['shares'], listed('1'))).toEqual(['shares']);
  });

  test('include, as a retry probe for a single media, a metric that its media type rejected a week ago', () => {
    const over = rejection('FEED/IMAGE', { untilMs: nowMs - 1 });
    const rejections = new Rejections(remembering(over), nowMs);

    expect(rejections.metricsFor(['shares'], listed('1'))).toEqual(['shares']);
    expect(rejections.metricsFor(['shares'], listed('2'))).toEqual([]);
    rejections.forget('FEED/IMAGE', 'shares');
    expect(rejections.metricsFor(['shares'], listed('2'))).toEqual(['shares']);
    expect(rejections.checkpointUpdate.rejections).toEqual([]);
  });

  test('omit a rejected metric for a week', () => {
    const rejections = new Rejections(emptyCheckpoint, nowMs);
    rejections.reject({ subject: '1', metric: 'views', reason: 'graph.metric-refused' });

    expect(rejections.metricsFor(['views', 'reach'], listed('1'))).toEqual(['reach']);
    expect(rejections.checkpointUpdate.rejections).toEqual([
      rejection('1', { metric: 'views', untilMs: nowMs + 7 * dayMs }),
    ]);
  });
});

describe('excluded media', () => {
  test.each([
    ['an hour old', hourMs, hourMs],
    ['of this week', 4 * dayMs, dayMs],
    ['a year old', 365 * dayMs, 7 * dayMs],
    ['of unknown age', null, (7 * dayMs) / 4],
  ])('is requested again later the older it is: %s', (_what, ageMs, forMs) => {
    const rejections = new Rejections(emptyCheckpoint, nowMs);
    const media = listed('1', ageMs);
    rejections.exclude({ listed: media, reason: 'graph.ambiguous' });

    expect(rejections.isExcluded(media)).toBe(true);
    expect(rejections.checkpointUpdate.rejections).toEqual([
      { subject: '1', metric: null, reason: 'graph.ambiguous', untilMs: nowMs + forMs },
    ]);
  });

  test('is excluded until a whole millisecond, whatever its age', () => {
    const ages = fc.integer({ min: 0, max: 60 * dayMs });
    fc.assert(
      fc.property(ages, ages, (ageMs, laterMs) => {
        const rejections = new Rejections(emptyCheckpoint, nowMs + laterMs);
        rejections.exclude({ listed: listed('1', ageMs), reason: 'graph.ambiguous' });
        const [excluded] = rejections.checkpointUpdate.rejections;
        expect(Number.isSafeInteger(excluded?.untilMs)).toBe(true);
      }),
    );
  });

  test.each(['graph.server', 'graph.network', 'graph.timeout'] as const)(
    'is excluded for an hour, and a story for ten minutes, after %s, whatever its age',
    (reason) => {
      const rejections = new Rejections(emptyCheckpoint, nowMs);
      rejections.exclude({ listed: listed('1', 400 * dayMs), reason });
      rejections.exclude({ listed: listed('2', hourMs, 'STORY/IMAGE'), reason });

      expect(rejections.checkpointUpdate.rejections.map(({ untilMs }) => untilMs)).toEqual([
        nowMs + hourMs,
        nowMs + hourMs / 6,
      ]);
    },
  );

  test('is excluded for at most the given time', () => {
    const rejections = new Rejections(emptyCheckpoint, nowMs);
    rejections.exclude({ listed: listed('1', dayMs), reason: 'graph.gone', atMostMs: hourMs });

    expect(rejections.checkpointUpdate.rejections[0]?.untilMs).toBe(nowMs + hourMs);
  });

  test('includes every media that is not younger than the professional account', () => {
    const rejections = new Rejections(emptyCheckpoint, nowMs);
    rejections.convertedAt(nowMs - 9 * dayMs);
    rejections.convertedAt(nowMs - 10 * dayMs);

    expect(rejections.isExcluded(listed('1', 9 * dayMs))).toBe(true);
    expect(rejections.isExcluded(listed('2', 8 * dayMs))).toBe(false);
    expect(rejections.isExcluded(listed('3', null))).toBe(false);
    expect(rejections.checkpointUpdate.convertedMs).toBe(nowMs - 9 * dayMs);
  });

  test('is included again after it was answered', () => {
    const excluded = rejection('1', { metric: null, reason: 'graph.gone' });
    const rejections = new Rejections(remembering(excluded), nowMs);
    rejections.forget('1', null);

    expect(rejections.isExcluded(listed('1'))).toBe(false);
    expect(rejections.checkpointUpdate.rejections).toEqual([]);
  });
});

test('rejections: remembers the latest 5,000', () => {
  const rejections = new Rejections(emptyCheckpoint, nowMs);
  for (let id = 1; id <= rememberedRejections + 2; id += 1) {
    rejections.reject({ subject: String(id), metric: 'views', reason: 'graph.metric-refused' });
  }
  const subjects = rejections.checkpointUpdate.rejections.map(({ subject }) => subject);

  expect([subjects.length, subjects[0], subjects.at(-1)]).toEqual([5000, '3', '5002']);
});

test('rejections: looks up 10,000 media among 6,000 rejections in less than a second', () => {
  const many = Array.from({ length: 6000 }, (_, id) => rejection(String(id)));
  const rejections = new Rejections(remembering(...many), nowMs);
  const begunMs = performance.now();
  for (let id = 0; id < 10_000; id += 1) {
    const media = listed(String(id));
    if (!rejections.isExcluded(media)) rejections.metricsFor(['reach', 'shares'], media);
  }

  expect(performance.now() - begunMs).toBeLessThan(1000);
});

describe('tidyRejections', () => {
  test('forgets media and children that are gone, and rejections that expired a week ago', () => {
    const kept = [rejection('1'), rejection('1/2', { metric: null }), rejection('FEED/IMAGE')];
    const gone = [
      rejection('9'),
      rejection('9/2', { metric: null }),
      rejection('1', { metric: 'views', untilMs: nowMs - 7 * dayMs }),
    ];

    expect(tidyRejections([...kept, ...gone], { nowMs, present: new Set(['1']) })).toEqual(kept);
  });
});

describe('attribute', () => {
  const error = new FailError('graph.permission', 'not allowed');
  const failed = ['1', '2'].map((id) => ({ listed: { id, createdMs: null, kind: '' }, error }));

  test('attributes an error to the object, without a control sample, while other objects are answered', async () => {
    const areAnswered = () => Promise.reject(new Error('nothing should be requested'));

    expect(await attribute(failed, { isAnswered: true, controls: [3], areAnswered })).toBe(failed);
  });

  test.each([
    [1, [0]],
    [3, [0, 1, 2]],
    [100, [0, 50, 99]],
  ])(
    'requests a control sample of up to three of %i others when no object is answered',
    async (count, expected) => {
      const controls = Array.from({ length: count }, (_, index) => index);
      const samples: (readonly number[])[] = [];
      const areAnswered = (some: readonly number[]) => {
        samples.push(some);
        return Promise.resolve(true);
      };

      expect(await attribute(failed, { isAnswered: false, controls, areAnswered })).toBe(failed);
      expect(samples).toEqual([expected]);
    },
  );

  test('throws the error when the control sample is not answered either', async () => {
    const areAnswered = () => Promise.resolve(false);

    await expect(attribute(failed, { isAnswered: false, controls: [3], areAnswered })).rejects.toBe(
      error,
    );
  });

  test('fails the poll when every object has the same object error', async () => {
    const gone = new SkipError('graph.ambiguous', '/{media}/insights: gone or hidden');
    const all = failed.map((one) => ({ ...one, error: gone }));
    const areAnswered = () => Promise.resolve(false);

    await expect(
      attribute(all, { isAnswered: false, controls: [], areAnswered }),
    ).rejects.toMatchObject({
      disposition: 'fail',
      code: 'graph.ambiguous',
      message: expect.stringMatching(/^none of the account's objects .* is answered/),
    });
  });

  test('throws the error when there is no control sample to request', async () => {
    const areAnswered = () => Promise.resolve(true);

    await expect(attribute(failed, { isAnswered: false, controls: [], areAnswered })).rejects.toBe(
      error,
    );
  });

  test('returns no failure when no request failed', async () => {
    const areAnswered = () => Promise.resolve(false);

    expect(await attribute([], { isAnswered: false, controls: [1], areAnswered })).toEqual([]);
  });
});
