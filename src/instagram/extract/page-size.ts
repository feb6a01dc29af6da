import { isTooMuchData } from '../../engine/errors.ts';

/** The time after which a refused size may be tried again: refusals also depend on Meta's load. */
const refusalMs = 6 * 3_600_000;

/**
 * The size of the pages of one list, nodes. It doubles while the API accepts it. After a refusal it
 * approaches the refused size in halves of the difference, and stays once that is a quarter of it.
 * Times are epoch milliseconds; a list that is read once needs none.
 */
export class PageSize {
  /** The size of the next page. */
  size: number;
  #accepted = 0;
  #refused: { readonly size: number; readonly atMs: number } | null = null;

  constructor(size: number) {
    this.size = size;
  }

  /** Grows after a page that was accepted. */
  accept(largest: number, nowMs = 0): void {
    this.#accepted = this.size;
    if (this.#refused !== null && nowMs - this.#refused.atMs >= refusalMs) this.#refused = null;
    const toRefused = (this.#refused?.size ?? Infinity) - this.size;
    if (toRefused * 4 <= this.size) return;
    this.size = Math.min(this.size + Math.min(this.size, Math.floor(toRefused / 2)), largest);
  }

  /** Shrinks after a page that was too large, to the last accepted size or half of the page. */
  refuse(nowMs = 0): void {
    this.#refused = { size: this.size, atMs: nowMs };
    if (this.#accepted >= this.size) this.#accepted = 0;
    this.size = this.#accepted === 0 ? Math.ceil(this.size / 2) : this.#accepted;
  }

  /** Halves the next page for another reason than its size. */
  halve(): void {
    this.size = Math.ceil(this.size / 2);
  }
}

/**
 * Requests a page, and a smaller one when the API answers that it is too large.
 * @throws as `request`; RetryError `graph.too-much-data` when even one node is too large
 */
export async function requestSmaller<T>(
  page: PageSize,
  request: (size: number) => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await request(page.size);
    } catch (error) {
      if (!isTooMuchData(error) || page.size === 1) throw error;
      page.refuse();
    }
  }
}
