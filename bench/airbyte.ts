import type { GraphApi } from '../sandbox/graph-api/server.ts';

/** Sizes of a world, as the formula names them. */
export interface WorldSize {
  readonly accounts: number;
  readonly pages: number;
  readonly media: number;
  readonly children: number;
  readonly stories: number;
}

/** What a world holds now. */
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
 * Requests of one sync of Airbyte's source-instagram 4.1.0 with every stream, read off its manifest
 * (2026-11): a page of 100 pages, `perAccount` for the account's own streams (130 on the first sync,
 * 18 later), a media each, a child twice, a story each.
 */
export function airbyteRequests(size: WorldSize, perAccount: number): number {
  const { accounts, pages, media, children, stories } = size;
  return Math.round(
    Math.ceil(pages / 100) + perAccount * accounts + 1.01 * media + 2 * children + stories,
  );
}
