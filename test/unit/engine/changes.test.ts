import { describe, expect, test } from '@jest/globals';
import { emptyCheckpoint } from '../../../src/engine/state.ts';
import { detectChanges } from '../../../src/engine/changes.ts';
import { account } from '../../support/accounts.ts';
import { createWorld, photos, pollOf } from './world.ts';

const page = { nodes: [], skipped: [], coveredUntilMs: null };
const world = createWorld();
const context = {
  poll: pollOf(photos, { account: { ...account, id: '17841' } }),
  tools: {
    ...world,
    settings: { ...world.settings, publish: { photos: 'changes' }, tombstones: true },
  },
} as const;
const photo = (id: string) => ({ business_account_id: '17841', id, caption: 'With @first' });

const walkedOf = (present: readonly string[]) => ({
  present: new Set(present),
  expired: new Set<string>(),
  claimed: null,
});

describe('detectChanges of a stream without a list', () => {
  test('keeps the latest 20,000 fingerprints (Invariant 10)', () => {
    const known = Array.from({ length: 20_000 }, (_, index) => [`${index + 10}`, 1n] as const);
    const checkpoint = { ...emptyCheckpoint, published: new Map(known) };
    const poll = { ...context.poll, stream: { ...photos, list: null } };
    const changes = detectChanges([photo('1')], page, checkpoint, { ...context, poll });
    const names = [...changes.checkpoint.published.keys()];

    expect([names.length, names[0], names.at(-1)]).toEqual([20_000, '11', '1']);
  });
});

describe('detectChanges of a list whose key is longer than the id', () => {
  const { checkpoint } = detectChanges([photo('1'), photo('2')], page, emptyCheckpoint, context);

  test('stores fingerprints by id', () => {
    expect([...checkpoint.published.keys()]).toEqual(['1', '2']);
    expect(detectChanges([photo('1')], page, checkpoint, context).records).toEqual([]);
  });

  test('deletes by the whole key when a listed object disappears', () => {
    const scanned = walkedOf(['2']);
    const changes = detectChanges([], { ...page, scanned }, checkpoint, context);

    expect(changes.gone).toEqual(['17841/1']);
    expect([...changes.checkpoint.published.keys()]).toEqual(['2']);
  });
});
