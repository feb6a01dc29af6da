import { describe, expect, test } from '@jest/globals';
import { type ApiTools, apiSteps } from '../../../../src/cli/check/api-steps.ts';

/** The finding about a clock that is that far ahead of the API's. */
async function find(clockAheadMs: number | null) {
  const tools = { reading: { tools: { graph: { clockAheadMs } } } } as unknown as ApiTools;
  const step = apiSteps(tools).find(({ id }) => id === 'api.clock');
  return await step?.run(new AbortController().signal);
}

describe('check: api.clock', () => {
  test.each([
    [null, 'skipped', /no time/],
    [-59_000, 'ok', /^agrees/],
    [-7_200_000, 'warning', /^this machine's clock is 2 h behind that of the API$/],
    [300_000, 'warning', /^this machine's clock is 5 min ahead of that of the API$/],
    [7_200_000, 'failed', /^this machine's clock is 2 h ahead of that of the API$/],
  ])('with a clock that is %p ms ahead reports %s', async (aheadMs, status, detail) => {
    expect(await find(aheadMs)).toMatchObject([{ status, detail: expect.stringMatching(detail) }]);
  });
});
