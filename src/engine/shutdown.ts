import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for `work`, at most `limitMs`; ignores its result and its error. */
export async function settled(work: PromiseLike<unknown>, limitMs: number): Promise<void> {
  const timer = new AbortController();
  const late = sleep(limitMs, undefined, { signal: timer.signal });
  try {
    await Promise.race([work, late]).catch(() => undefined);
  } finally {
    timer.abort();
    await late.catch(() => undefined);
  }
}

/**
 * Settles as `work` does, or rejects with the signal's reason when `work` takes longer than
 * `limitMs` after the signal was aborted.
 */
export async function endedSoon<T>(
  work: Promise<T>,
  signal: AbortSignal,
  limitMs: () => number,
): Promise<T> {
  const aborted = Promise.withResolvers<undefined>();
  const abort = (): void => {
    aborted.resolve(undefined);
  };
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  const late = aborted.promise.then(async (): Promise<never> => {
    await settled(work, limitMs());
    throw signal.reason;
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
