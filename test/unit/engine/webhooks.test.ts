import { describe, expect, test } from '@jest/globals';
import { PendingChanges, type WebhookChange } from '../../../src/engine/webhooks.ts';

const change = (id: string, changes: Partial<WebhookChange> = {}): WebhookChange => ({
  key: `1/comments/${id}`,
  accountId: '1',
  stream: 'comments',
  field: 'comments',
  sentMs: 0,
  value: { id },
  ...changes,
});
const keysOf = (pending: PendingChanges, accountId = '1') =>
  pending.of('comments', accountId, 50).map(({ key }) => key);

describe('PendingChanges', () => {
  test('returns the changes of a stream of an account in the order of their arrival', () => {
    const pending = new PendingChanges();
    pending.add(change('b'));
    pending.add(change('a'));
    pending.add(change('c', { key: '1/mentions/c', stream: 'mentions' }));
    pending.add(change('d', { key: '2/comments/d', accountId: '2' }));

    expect(keysOf(pending)).toEqual(['1/comments/b', '1/comments/a']);
    expect(keysOf(pending, '2')).toEqual(['2/comments/d']);
    expect(pending.of('comments', '1', 1).map(({ key }) => key)).toEqual(['1/comments/b']);
  });

  test('holds a repeated delivery once, with its last content', () => {
    const pending = new PendingChanges();
    pending.add(change('a'));
    pending.add(change('a', { sentMs: 5 }));

    expect(pending.of('comments', '1', 50).map(({ sentMs }) => sentMs)).toEqual([5]);
  });

  test('forgets removed changes, and all changes when cleared', () => {
    const pending = new PendingChanges();
    for (const id of ['a', 'b', 'c']) pending.add(change(id));
    pending.remove('1/comments/b');
    pending.remove('1/comments/unknown');
    expect(keysOf(pending)).toEqual(['1/comments/a', '1/comments/c']);

    pending.clear();
    expect(keysOf(pending)).toEqual([]);
  });

  test('moves postponed changes behind the others, except removed and replaced ones', () => {
    const pending = new PendingChanges();
    const [a, b, c] = [change('a'), change('b'), change('c')];
    for (const one of [a, b, c]) pending.add(one);
    pending.remove(b.key);
    pending.postpone([a, b, change('c')]);

    expect(keysOf(pending)).toEqual(['1/comments/c', '1/comments/a']);
  });

  /** Adds changes of an account. */
  const fill = (pending: PendingChanges, accountId: string, count: number): void => {
    for (let index = 0; index < count; index += 1) {
      pending.add(change('', { accountId, key: `${accountId}/comments/${index}` }));
    }
  };

  test('is full at 100,000 changes, and takes more after a removal', () => {
    const pending = new PendingChanges();
    for (let account = 1; account <= 10; account += 1) fill(pending, String(account), 10_000);
    expect(pending.isFull).toBe(true);

    pending.remove('1/comments/7');
    expect(pending.isFull).toBe(false);
  });

  test('has room for 10,000 changes of an account, and for those of others', () => {
    const pending = new PendingChanges();
    fill(pending, '1', 9999);
    expect(pending.hasRoomFor('1')).toBe(true);

    fill(pending, '1', 10_000);
    expect([pending.hasRoomFor('1'), pending.hasRoomFor('2')]).toEqual([false, true]);
    pending.remove('1/comments/7');
    expect(pending.hasRoomFor('1')).toBe(true);
  });

  test('forgets changes that were sent a week before a new one', () => {
    const pending = new PendingChanges();
    pending.add(change('old'));
    pending.add(change('young', { sentMs: 86_400_000 }));
    pending.add(change('new', { sentMs: 7 * 86_400_000 + 1 }));

    expect(keysOf(pending)).toEqual(['1/comments/young', '1/comments/new']);
  });

  test('wakes those who wait for a change of the stream and account, and no others', async () => {
    const pending = new PendingChanges();
    const stop = new AbortController();
    const woken: string[] = [];
    const wait = (name: string, accountId: string): Promise<void> =>
      pending.next('comments', accountId, stop.signal).then(() => void woken.push(name));
    const waits = [wait('first', '1'), wait('second', '1'), wait('other', '2')];
    pending.add(change('a'));
    await Promise.all(waits.slice(0, 2));
    expect(woken).toEqual(['first', 'second']);

    stop.abort();
    await Promise.all(waits);
    await pending.next('comments', '1', stop.signal);
    expect(woken).toEqual(['first', 'second', 'other']);
  });
});
