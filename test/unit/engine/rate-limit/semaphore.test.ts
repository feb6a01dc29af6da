import { describe, expect, test } from '@jest/globals';
import { Semaphore } from '../../../../src/engine/rate-limit/semaphore.ts';
import { settle } from '../../../support/manual-clock.ts';
import { calm } from '../world.ts';

/** Work that the test ends by name, and the order in which it began. */
function setUp(concurrency: number) {
  const pollPermits = new Semaphore(concurrency);
  const began: string[] = [];
  const results = new Map<string, PromiseWithResolvers<string>>();
  return {
    pollPermits,
    began,
    take: (name: string, signal = calm) => {
      const result = Promise.withResolvers<string>();
      results.set(name, result);
      const work = () => {
        began.push(name);
        return result.promise;
      };
      const taken = pollPermits.take(work, signal);
      taken.catch(() => undefined);
      return taken;
    },
    end: async (name: string, error?: Error) => {
      if (error === undefined) results.get(name)?.resolve(name);
      else results.get(name)?.reject(error);
      await settle();
    },
  };
}

describe('Semaphore: permits', () => {
  test('are issued up to the limit, first come, first served', async () => {
    const { take, began, end } = setUp(2);
    const all = ['a', 'b', 'c', 'd'].map((name) => take(name));
    await settle();
    expect(began).toEqual(['a', 'b']);
    await end('b');
    expect(began).toEqual(['a', 'b', 'c']);
    await end('a');
    expect(began).toEqual(['a', 'b', 'c', 'd']);
    await end('c');
    await end('d');

    await expect(Promise.all(all)).resolves.toEqual(['a', 'b', 'c', 'd']);
  });

  test('are returned by work that fails', async () => {
    const { take, began, end } = setUp(1);
    const failing = take('a');
    const next = take('b');
    await end('a', new Error('broken'));
    await end('b');

    await expect(failing).rejects.toThrow('broken');
    await expect(next).resolves.toBe('b');
    expect(began).toEqual(['a', 'b']);
  });

  test('pass to the next in the queue when a waiting caller is aborted', async () => {
    const { take, began, end } = setUp(1);
    const stop = new AbortController();
    const first = take('a');
    const aborted = take('b', stop.signal);
    const last = take('c');
    await settle();
    stop.abort(new Error('stopping'));
    await expect(aborted).rejects.toThrow('stopping');
    await end('a');
    await end('c');

    await expect(Promise.all([first, last])).resolves.toEqual(['a', 'c']);
    expect(began).toEqual(['a', 'c']);
  });

  test('are refused at once when the signal is already aborted', async () => {
    const { take, began } = setUp(1);

    await expect(take('a', AbortSignal.abort(new Error('stopping')))).rejects.toThrow('stopping');
    expect(began).toEqual([]);
  });

  test('are returned only once when the abort comes after the work began', async () => {
    const { take, began, end } = setUp(1);
    const stop = new AbortController();
    void take('a');
    const second = take('b', stop.signal);
    const third = take('c');
    await end('a');
    stop.abort(new Error('too late'));
    await settle();
    expect(began).toEqual(['a', 'b']);
    await end('b');
    await end('c');

    await expect(Promise.all([second, third])).resolves.toEqual(['b', 'c']);
  });
});

describe('Semaphore: a permit that is yielded', () => {
  test('serves others until its own work continues, ahead of work that has not begun', async () => {
    const pollPermits = new Semaphore(1);
    const began: string[] = [];
    const wait = Promise.withResolvers<string>();
    const busy = Promise.withResolvers<undefined>();
    const first = pollPermits.take(async (permit) => {
      began.push(await permit.yieldWhile(wait.promise, calm));
    }, calm);
    const second = pollPermits.take(() => {
      began.push('second');
      return busy.promise;
    }, calm);
    const third = pollPermits.take(() => {
      began.push('third');
      return Promise.resolve();
    }, calm);
    await settle();
    wait.resolve('first again');
    await settle();
    expect(began).toEqual(['second']);
    busy.resolve(undefined);
    await Promise.all([first, second, third]);

    expect(began).toEqual(['second', 'first again', 'third']);
  });

  test('is taken back once for two waits of the same work', async () => {
    const pollPermits = new Semaphore(1);
    const waits = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
    const both = pollPermits.take(
      (permit) => Promise.all(waits.map(({ promise }) => permit.yieldWhile(promise, calm))),
      calm,
    );
    waits.forEach(({ resolve }, index) => {
      resolve(index);
    });

    await expect(both).resolves.toEqual([0, 1]);
    const began: string[] = [];
    const left = Promise.withResolvers<undefined>();
    void pollPermits.take(() => {
      began.push('a');
      return left.promise;
    }, calm);
    void pollPermits.take(() => Promise.resolve(began.push('b')), calm);
    await settle();
    expect(began).toEqual(['a']);
  });

  test('is returned when the wait fails', async () => {
    const pollPermits = new Semaphore(1);
    const failing = pollPermits.take(
      (permit) => permit.yieldWhile(Promise.reject(new Error('stopping')), calm),
      calm,
    );

    await expect(failing).rejects.toThrow('stopping');
    await expect(pollPermits.take(() => Promise.resolve('next'), calm)).resolves.toBe('next');
  });

  test('is given up when an abort comes before it is taken back', async () => {
    const pollPermits = new Semaphore(1);
    const stop = new AbortController();
    const busy = Promise.withResolvers<undefined>();
    const wait = Promise.withResolvers<undefined>();
    const lending = pollPermits.take(
      (permit) => permit.yieldWhile(wait.promise, stop.signal),
      calm,
    );
    const other = pollPermits.take(() => busy.promise, calm);
    await settle();
    wait.resolve(undefined);
    await settle();
    stop.abort(new Error('stopping'));

    await expect(lending).rejects.toThrow('stopping');
    busy.resolve(undefined);
    await other;
    await expect(pollPermits.take(() => Promise.resolve('next'), calm)).resolves.toBe('next');
  });
});
