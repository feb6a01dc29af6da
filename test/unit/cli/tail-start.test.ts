import { describe, expect, test } from '@jest/globals';
import { parseStart } from '../../../src/cli/tail-start.ts';

const nowMs = Date.UTC(2026, 10, 1, 12);

describe('where tail begins', () => {
  test.each([
    [{}, { kind: 'end' }],
    [{ fromBeginning: true }, { kind: 'beginning' }],
    [{ fromOffset: '1200' }, { kind: 'offset', offset: 1200n }],
    [{ fromOffset: '-10' }, { kind: 'offset', offset: -10n }],
    [{ since: '2h' }, { kind: 'since', ms: Date.UTC(2026, 10, 1, 10) }],
    [{ since: '2026-10-30' }, { kind: 'since', ms: Date.UTC(2026, 9, 30) }],
    [{ since: '2026-10-30T07:00:00Z' }, { kind: 'since', ms: Date.UTC(2026, 9, 30, 7) }],
  ])('is where it was told: %j', (options, start) => {
    expect(parseStart(options, nowMs)).toEqual(start);
  });

  test.each([
    [{ fromOffset: 'ten' }, '--from-offset "ten": expected a whole number'],
    [{ since: 'yesterday' }, '--since "yesterday": expected how long ago'],
    [{ since: '2h', fromBeginning: true }, 'expected one of --from-beginning, --from-offset'],
  ])('is refused otherwise: %j', (options, message) => {
    expect(() => parseStart(options, nowMs)).toThrow(message);
  });
});
