import { describe, expect, test } from '@jest/globals';
import { createGate } from '../../../src/instagram/gate.ts';
import { calm } from './opened.ts';

describe('the gate', () => {
  test('lets the next in when one leaves, in the order of asking', async () => {
    const gate = createGate(1);
    const leave = await gate.enter(calm);
    const order: number[] = [];
    const second = gate.enter(calm).then((leaveSecond) => {
      order.push(2);
      leaveSecond();
    });
    const third = gate.enter(calm).then((leaveThird) => {
      order.push(3);
      leaveThird();
    });

    leave();
    await Promise.all([second, third]);

    expect(order).toEqual([2, 3]);
  });

  test('drops who gives up from the line', async () => {
    const gate = createGate(1);
    const leave = await gate.enter(calm);
    const stop = new AbortController();
    const given = gate.enter(stop.signal);
    const next = gate.enter(calm);
    const reason = new Error('stop');
    stop.abort(reason);
    await expect(given).rejects.toBe(reason);

    leave();
    const leaveNext = await next;
    leaveNext();

    await expect(gate.enter(calm)).resolves.toEqual(expect.any(Function));
  });
});
