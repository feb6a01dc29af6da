import type { GraphApi } from '../sandbox/graph-api/server.ts';

/** Sizes of a world, named as in the formula. */
export interface WorldSize {
  readonly accounts: number;
  readonly pages: number;
  readonly media: number;
  readonly children: number;
  readonly stories: number;
}

/** Measures the current sizes of a world. */
export function measureWorld({ world }: GraphApi): WorldSize {
  const nowMs = world.clock.now();
  const media = world.accounts.flatMap((account) => account.mediaAt(nowMs));
  return {
    accounts: world.accounts.length,
    pages: world.pages.length,
    media: media.length,
    children: media.reduce((sum, { children }) => sum + children.length, 0),
    stories: world.accounts.reduce((sum, account) => sum + account.storiesAt(nowMs).length, 0),
  };
}

/**
 * Returns the requests of one sync of Airbyte's source-instagram 4.1.0 with every stream, as its
 * manifest defines them (2026-11): a page of 100 pages, `perAccount` for the account's own streams
 * (130 on the first sync, 18 later), one a media, two a child, one a story.
 */
export function airbyteRequests(size: WorldSize, perAccount: number): number {
  const { accounts, pages, media, children, stories } = size;
  return Math.round(
    Math.ceil(pages / 100) + perAccount * accounts + 1.01 * media + 2 * children + stories,
  );
}
