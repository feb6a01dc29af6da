import { describe, expect, test } from '@jest/globals';
import { versionStep } from '../../../../src/cli/check/api-steps.ts';

const calm = new AbortController().signal;
const nowMs = Date.UTC(2026, 10, 29);

function found(version: string) {
  return versionStep(version, () => nowMs).run(calm);
}

describe('check: api.version', () => {
  test('is ok and names the end of a version that has more than 90 days left', async () => {
    expect(await found('v25.0')).toEqual([
      { status: 'ok', subject: 'v25.0', detail: 'until 2028-07-29 (608 days)' },
    ]);
  });

  test('is ok for a version without an announced end', async () => {
    expect(await found('v26.0')).toEqual([
      { status: 'ok', subject: 'v26.0', detail: 'Meta has announced no end' },
    ]);
  });

  test('warns of a version that ends within 90 days, with the advice', async () => {
    expect(await found('v21.0')).toEqual([
      {
        status: 'warning',
        detail: 'v21.0 ends on 2027-01-21',
        action: 'Set INSTAGRAM_API_VERSION to a later version, up to v27.0, and restart.',
      },
    ]);
  });

  test('warns of a version that the program does not know yet', async () => {
    expect(await found('v99.0')).toMatchObject([
      { status: 'warning', detail: expect.stringMatching(/^v99\.0 is newer than v27\.0/) },
    ]);
  });
});
