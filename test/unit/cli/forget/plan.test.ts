import { describe, expect, test } from '@jest/globals';
import {
  describeDeletion,
  listSuppressions,
  planUndo,
  withoutPerson,
  withPerson,
} from '../../../../src/cli/forget/plan.ts';
import { planReset } from '../../../../src/cli/state/plan.ts';
import type { StateSession } from '../../../../src/cli/state/session.ts';
import { emptyCheckpoint, type Published } from '../../../../src/engine/state.ts';

const ann = { kind: 'username', value: 'ann' } as const;
const annsId = { kind: 'id', value: '5' } as const;
const bob = { kind: 'username', value: 'bob' } as const;
const empty: Published = new Map();
const author = { writtenBy: 'test', nowMs: 1000 };

/** A session whose topic has a state of comments and a suppression list of one account. */
function sessionWith(list: Published): StateSession {
  const stateOf = (stream: string, published: Published) => {
    const identity = { stream, accountId: '17', sequence: 3, writtenAtMs: 0, writtenBy: 'a' };
    const state = { ...emptyCheckpoint, ...identity, published };
    const restored = { kind: 'state', state } as const;
    return { key: `${stream}/17`, partition: 0, value: Buffer.from(stream), restored };
  };
  const stored = [stateOf('comments', empty), stateOf('suppressed', list)];
  return { stored, partitions: 1, topic: 'ig.state' } as unknown as StateSession;
}

describe('a suppression list', () => {
  const both = withPerson(withPerson(empty, '17', [ann, annsId]), '17', [bob]);

  test('gets an entry for each name of a person, once', () => {
    expect(both.size).toBe(3);
    expect(withPerson(both, '17', [ann, annsId])).toEqual(both);
  });

  test('no longer has a person removed by one name, nor the ids that were added with it', () => {
    const onlyBob = withPerson(empty, '17', [bob]);
    expect(withoutPerson(both, '17', [ann])).toEqual(onlyBob);
    expect(withoutPerson(both, '17', [annsId])).toEqual(onlyBob);
    expect(withoutPerson(onlyBob, '17', [ann])).toEqual(onlyBob);
  });

  test('is listed by the number of its people', () => {
    expect(listSuppressions(sessionWith(both))).toEqual([
      { account: '17', people: 2, entries: 3, written_at: '1970-01-01T00:00:00.000Z' },
    ]);
  });

  test('is written without the removed person, and deleted when it is empty', () => {
    const one = planUndo(sessionWith(both), { names: [ann] }, author);
    const last = planUndo(sessionWith(withPerson(empty, '17', [ann])), { names: [ann] }, author);
    const none = planUndo(sessionWith(empty), { names: [ann] }, author);

    expect(one.writes[0]?.after).toMatchObject({ stream: 'suppressed', sequence: 4 });
    expect(one.writes[0]?.after?.published.size).toBe(1);
    expect(last.writes.map(({ state }) => state)).toEqual([null]);
    expect(none).toEqual({ writes: [], notes: ['No suppression list has this person.'] });
  });

  test.each([{ all: true }, { all: false, account: '17' }])(
    'is kept by state reset %j',
    (filter) => {
      const plan = planReset(sessionWith(both), { keys: [], ...filter });
      expect(plan.writes.map(({ key }) => key)).toEqual(['comments/17']);
      expect(plan.notes).toEqual(['suppressed/17 is kept: name it to delete a suppression list']);
    },
  );

  test('is deleted by state reset that names it', () => {
    const plan = planReset(sessionWith(both), { keys: ['suppressed/17'], all: false });
    expect(plan.writes.map(({ key }) => key)).toEqual(['suppressed/17']);
  });
});

describe('the effect of tombstones on a topic', () => {
  test.each([
    [{}, 'its configs cannot be read'],
    [{ 'cleanup.policy': 'delete', 'retention.ms': '-1' }, 'tombstones delete nothing'],
    [{ 'cleanup.policy': 'compact' }, 'which has no time limit: set max.compaction.lag.ms'],
    [
      { 'cleanup.policy': 'compact,delete', 'max.compaction.lag.ms': '86400000' },
      'at the latest about 86400000 ms after the tombstone',
    ],
  ])('follows from its configs: %j', (configs: Readonly<Record<string, string>>, text) => {
    expect(describeDeletion({ name: 'ig.tags', configs })).toMatch(/^ig\.tags: /);
    expect(describeDeletion({ name: 'ig.tags', configs })).toContain(text);
  });
});
