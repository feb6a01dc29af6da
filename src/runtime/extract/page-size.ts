import { RetryError } from '../../core/errors.ts';

/**
 * Asks for a page, and for half of it each time the API says "Please reduce the amount of data".
 * Cursors name items, not offsets, so that a smaller page goes on at the same place.
 *
 * @throws RetryError `graph.too-much-data` when even one node is too much
 */
export async function smallerPages<T>(
  pageSize: number,
  ask: (limit: number) => Promise<T>,
): Promise<T> {
  for (let limit = pageSize; ; limit = Math.ceil(limit / 2)) {
    try {
      return await ask(limit);
    } catch (error) {
      const tooMuch = error instanceof RetryError && error.code === 'graph.too-much-data';
      if (!tooMuch || limit === 1) throw error;
    }
  }
}
