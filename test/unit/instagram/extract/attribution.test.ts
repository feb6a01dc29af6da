import { describe, expect, test } from '@jest/globals';
import { FailError, SkipError } from '../../../../src/engine/errors.ts';
import { attribute } from '../../../../src/instagram/extract/rejections.ts';

const error = new FailError('graph.permission', 'not allowed');
const failed = ['1', '2'].map((id) => ({ listed: { id, createdMs: null, kind: '' }, error }));

describe('attribute', () => {
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
