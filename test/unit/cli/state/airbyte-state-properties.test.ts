import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readAirbyteState } from '../../../../src/cli/state/airbyte-state.ts';
import { StopProcessError } from '../../../../src/engine/errors.ts';
import type { Json } from '../../../../src/engine/json.ts';

const nowMs = Date.parse('2026-11-25T12:00:00Z');

function cursorsOf(document: Json): Record<string, number> {
  const { cursors } = readAirbyteState(document, nowMs);
  return Object.fromEntries(cursors.map(({ accountId, cursorMs }) => [accountId, cursorMs]));
}

const accountIds = fc.stringMatching(/^[1-9]\d{10,17}$/);
const seconds = fc.integer({ min: 1_600_000_000, max: Math.floor(nowMs / 1000) });
const worlds = fc.dictionary(accountIds, seconds, { maxKeys: 20 });

const written = (second: number) =>
  new Date(second * 1000).toISOString().replace('.000Z', '+00:00');

const formats: Readonly<Record<string, (world: Record<string, number>) => Json>> = {
  partitions: (world) => ({
    states: Object.entries(world).map(([id, second]) => ({
      partition: { business_account_id: id },
      cursor: { date: written(second) },
    })),
  }),
  maps: (world) =>
    Object.fromEntries(Object.entries(world).map(([id, at]) => [id, { date: written(at) }])),
  dates: (world) => Object.fromEntries(Object.entries(world).map(([id, at]) => [id, written(at)])),
};

const wrappers: readonly ((state: Json) => Json)[] = [
  (state) => state,
  (state) => ({ user_insights: state }),
  (state) => [{ streamDescriptor: { name: 'user_insights' }, streamState: state }],
  (state) => ({
    stateType: 'stream',
    streamState: [{ streamDescriptor: { name: 'user_insights' }, streamState: state }],
  }),
];

describe('any state of Airbyte', () => {
  test('provides the date of each account, in every format and wrapper', () => {
    fc.assert(
      fc.property(
        worlds,
        fc.constantFrom(...Object.values(formats)),
        fc.constantFrom(...wrappers),
        (world, format, wrap) => {
          const expected = Object.fromEntries(
            Object.entries(world).map(([id, second]) => [id, second * 1000]),
          );
          expect(cursorsOf(wrap(format(world)))).toEqual(expected);
        },
      ),
    );
  });

  test('is read or rejected with a path, for any JSON', () => {
    const refusal = /^Airbyte's state, \$.*: expected .*, got .*\. Nothing was changed\.$/s;
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...wrappers), (value, wrap) => {
        const message = messageOf(wrap(value as Json));
        expect(message === null || refusal.test(message)).toBe(true);
      }),
    );
  });
});

/** The reason why a document is rejected; null when it is read. */
function messageOf(document: Json): string | null {
  try {
    readAirbyteState(document, nowMs);
    return null;
  } catch (error) {
    if (!(error instanceof StopProcessError)) throw error;
    return error.message;
  }
}
