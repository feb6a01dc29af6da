import { describe, expect, test } from '@jest/globals';
import { planBackfill, planImport, readBackfill } from '../../../../src/cli/state/plan.ts';
import type { StateSession } from '../../../../src/cli/state/session.ts';
import { firstState, type Pause, type StreamState } from '../../../../src/engine/state.ts';
import { openStateForm } from '../../../../src/registry/index.ts';

const nowMs = Date.parse('2026-11-30T12:00:00Z');
const author = { writtenBy: 'somebody', nowMs };
const key = 'user_insights/17';
const pause: Pause = { sinceMs: nowMs - 1000, untilMs: nowMs + 1000 };

function stateWith(changes: Partial<StreamState>): StreamState {
  return { ...firstState('user_insights', '17'), sequence: 4, cursorMs: nowMs, ...changes };
}

/** A session whose topic has one state. */
function sessionOf(state: StreamState): StateSession {
  const stored = [
    { key, partition: 0, value: Buffer.from(''), restored: { kind: 'state', state } as const },
  ];
  const unused = () => Promise.reject(new Error('not needed'));
  return {
    ...{ stored, partitions: 1, exists: true, topic: 'instagram.state', instance: 'here' },
    form: openStateForm(),
    config: {} as StateSession['config'],
    kafka: {} as StateSession['kafka'],
    values: {} as StateSession['values'],
    signal: new AbortController().signal,
    owners: unused,
    write: unused,
    duringHandOver: unused,
    [Symbol.asyncDispose]: unused,
  };
}

describe('the plan of backfill', () => {
  const request = {
    stream: 'user_insights',
    sinceMs: nowMs - 86_400_000,
    accounts: ['17'],
  } as const;

  test('keeps a pause, and notes that the days are polled after it', () => {
    const { writes, notes } = planBackfill(sessionOf(stateWith({ pause })), request, author);

    expect(writes.map(({ after }) => after?.pause)).toEqual([pause]);
    expect(notes).toEqual([`${key} is paused: these days are polled after the pause`]);
  });

  test('has no note of a pause whose end has passed', () => {
    const ended = { ...pause, untilMs: nowMs };
    const { notes } = planBackfill(sessionOf(stateWith({ pause: ended })), request, author);

    expect(notes).toEqual([]);
  });
});

describe('the arguments of backfill', () => {
  test.each([
    ['30d', '2026-10-31T00:00:00.000Z'],
    ['2026-10-31', '2026-10-31T00:00:00.000Z'],
  ])('begin with the day of --since %s', (since, begin) => {
    const { sinceMs } = readBackfill('user_insights', { since }, nowMs);

    expect(new Date(sinceMs).toISOString()).toBe(begin);
  });

  test.each(['9999d', '99999999999d', 'yesterday'])('reject --since %s', (since) => {
    expect(() => readBackfill('user_insights', { since }, nowMs)).toThrow('expected a');
  });
});

describe('the plan of an import', () => {
  test('sets the pause of the file', () => {
    const states = [stateWith({ pause: null })];
    const session = sessionOf(stateWith({ pause }));

    const { writes } = planImport({ kind: 'export', states })(session, author);

    expect(writes.map(({ before, after }) => [before?.pause, after?.pause])).toEqual([
      [pause, null],
    ]);
  });
});
